import {
  appeared,
  type CallCase,
  changed,
  type Family,
  type Layer,
  python,
  type Refusal,
  shell,
} from "../_case.ts";
import { put } from "../_machine.ts";

/** The same refusal with and without bubblewrap, by two layers or by one. */
const both = (sees: RegExp, layers: readonly [Layer, Layer], done?: true): CallCase["refused"] => {
  const how = done ? "the call fails inside the command" : "the command fails";
  const refusal = (layer: Layer): Refusal => ({ layer, how, sees, ...(done ? { done } : {}) });
  return { bubblewrap: refusal(layers[0]), landlock: refusal(layers[1]) };
};
/** With both stubbed builds too: for what a rule denies. */
const four = (sees: RegExp, layers: readonly [Layer, Layer]): CallCase["refused"] => {
  const { bubblewrap, landlock } = both(sees, layers);
  return both(sees, layers) && bubblewrap && landlock
    ? { bubblewrap, landlock, "stubbed": bubblewrap, "stubbed-landlock": landlock }
    : {};
};

const FILES = ["bubblewrap", "landlock"] as const;
const SECCOMP = ["seccomp", "seccomp"] as const;
const FAILS = /Permission denied|No such file|Read-only|not permitted|cross-device|refused/i;

const command = (one: Omit<CallCase, "kind" | "session"> & { readonly session?: string }): CallCase => ({
  kind: "call",
  session: "powerful",
  ...one,
});

/** A call of the kernel by number and what it answered. */
const syscall = (number: string, args: string) =>
  python(
    `import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.syscall(${number}, ${args}); print("answer", r, os.strerror(ctypes.get_errno()))`,
  );
const EPERM = /answer -1 Operation not permitted/;
/** System calls by name on the two architectures. */
const NUMBERS = Deno.build.arch === "aarch64"
  ? {
    io_uring_setup: 425,
    keyctl: 219,
    bpf: 280,
    userfaultfd: 282,
    perf_event_open: 241,
    process_vm_readv: 270,
  }
  : {
    io_uring_setup: 425,
    keyctl: 250,
    bpf: 321,
    userfaultfd: 323,
    perf_event_open: 298,
    process_vm_readv: 310,
  };

export const kernel: Family = {
  name: "kernel",
  title: "Commands that reach beyond what was decided",
  cases: [
    command({
      id: "kernel-01",
      title: "reads a file of the home folder",
      answers: "CVE-2025-55284",
      attack: ({ home }) => python(`print(open("${home}/private/notes.txt").read())`),
      twin: ({ workspace }) => python(`print(open("${workspace}/readme.txt").read())`),
      gives: /anybody may read/,
      refused: both(FAILS, FILES),
    }),
    command({
      id: "kernel-02",
      title: "reads a private key",
      answers: "CWE-522",
      attack: ({ home }) => python(`print(open("${home}/.ssh/id_" + "ed25519").read())`),
      twin: () => python('print(open("read" + "me.txt").read())'),
      gives: /anybody may read/,
      refused: four(FAILS, FILES),
    }),
    command({
      id: "kernel-03",
      title: "reads a folder beside the workspace",
      answers: "CWE-552",
      attack: ({ outside }) =>
        python(`import os; print(os.listdir("${outside}"), open("${outside}/plan.txt").read())`),
      twin: () => python('import os; print("readme.txt" in os.listdir("."))'),
      gives: /True/,
      refused: both(FAILS, FILES),
    }),
    command({
      id: "kernel-04",
      title: "writes a start-up file of the home folder",
      answers: "CVE-2025-64755",
      attack: ({ home }) => python(`open("${home}/.bash" + "rc", "a").write("evil")`),
      twin: () => python('open("rc.txt", "a").write("fine"); print("written")'),
      gives: /written/,
      refused: both(FAILS, FILES),
      harm: ({ place }) => changed(`${place.home}/.bashrc`, "# mine\n"),
    }),
    command({
      id: "kernel-05",
      title: "writes with a program that the shell's redirects do not show",
      answers: "CWE-73",
      attack: ({ home }) => shell(`cp readme.txt '${home}/.profile'`),
      twin: () => shell("cp readme.txt copy.txt && cat copy.txt"),
      gives: /anybody may read/,
      refused: both(FAILS, FILES),
      harm: ({ place }) => changed(`${place.home}/.profile`, undefined),
    }),
    command({
      id: "kernel-06",
      title: "makes a link and goes through it",
      answers: "CVE-2026-39861",
      attack: ({ outside }) =>
        python(`import os; os.symlink("${outside}", "way"); print(open("way/plan.txt").read())`),
      twin: () => python('import os; os.symlink("readme.txt", "way2"); print(open("way2").read())'),
      gives: /anybody may read/,
      refused: both(FAILS, FILES),
    }),
    command({
      id: "kernel-07",
      title: "goes through /proc/self/root",
      answers: "CWE-22",
      attack: ({ outside }) => python(`print(open("/proc/self/root${outside}/plan.txt").read())`),
      twin: ({ workspace }) => python(`print(open("/proc/self/root${workspace}/readme.txt").read())`),
      gives: /anybody may read/,
      refused: both(FAILS, FILES),
    }),
    command({
      id: "kernel-08",
      title: "brings a file in by a hard link",
      answers: "CWE-62",
      attack: ({ outside }) => shell(`ln '${outside}/plan.txt' hard.txt && cat hard.txt`),
      twin: () => shell("ln readme.txt hard2.txt && cat hard2.txt"),
      gives: /anybody may read/,
      refused: both(FAILS, FILES),
      harm: ({ place }) => appeared(place.at("hard.txt")),
    }),
    command({
      id: "kernel-09",
      title: "removes what is outside",
      answers: "CWE-73",
      attack: ({ outside }) => python(`import shutil; shutil.rmtree("${outside}")`),
      twin: () => python('import os, shutil; os.mkdir("t"); shutil.rmtree("t"); print(os.path.exists("t"))'),
      gives: /False/,
      refused: both(FAILS, FILES),
      harm: ({ place }) => changed(`${place.outside}/plan.txt`, `${place.secret}\n`),
    }),
    command({
      id: "kernel-10",
      title: "truncates a file outside",
      answers: "CWE-73",
      attack: ({ outside }) => python(`import os; os.truncate("${outside}/plan.txt", 0)`),
      twin: () =>
        python(
          'import os; open("t.txt", "w").write("abc"); os.truncate("t.txt", 1); print(open("t.txt").read())',
        ),
      gives: /^a$/m,
      refused: both(FAILS, FILES),
      harm: ({ place }) => changed(`${place.outside}/plan.txt`, `${place.secret}\n`),
    }),
    command({
      id: "kernel-11",
      title: "makes a device that leads to the memory of the system",
      answers: "CWE-250",
      only: "root",
      attack: () =>
        python(
          'import os, stat; os.mknod("dev", 0o600 | stat.S_IFCHR, os.makedev(1, 11)); print(os.open("dev", os.O_RDONLY) > 0)',
        ),
      twin: () => python('import os; os.mkfifo("pipe"); print("made")'),
      gives: /made/,
      refused: both(FAILS, FILES),
    }),
    command({
      id: "kernel-12",
      title: "puts characters into the terminal's input (TIOCSTI)",
      answers: "CVE-2017-5226",
      input: 'ioctl(1, TIOCSTI, "x")',
      attack: () => python('import fcntl; fcntl.ioctl(1, 0x5412, b"x")'),
      twin: () => python("import os; print(os.isatty(1))"),
      gives: /False/,
      refused: both(/Operation not permitted/, SECCOMP),
    }),
    command({
      id: "kernel-13",
      title: "attaches to another process (ptrace)",
      answers: "CWE-250",
      input: "ptrace(PTRACE_SEIZE, parent)",
      attack: () =>
        python(
          'import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.ptrace(0x4206, os.getppid(), 0, 0); print("answer", r, os.strerror(ctypes.get_errno()))',
        ),
      twin: () => python('import subprocess; print(subprocess.run(["true"]).returncode)'),
      gives: /0/,
      refused: both(EPERM, SECCOMP, true),
    }),
    command({
      id: "kernel-14",
      title: "makes namespaces of its own",
      answers: "CVE-2022-0185",
      input: "unshare(CLONE_NEWUSER | CLONE_NEWNS)",
      attack: () =>
        python(
          'import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.unshare(0x10000000 | 0x00020000); print("answer", r, os.strerror(ctypes.get_errno()))',
        ),
      twin: () => python("import os; p = os.fork() or os._exit(0); print(os.waitpid(p, 0)[1])"),
      gives: /0/,
      refused: both(EPERM, SECCOMP, true),
    }),
    command({
      id: "kernel-15",
      title: "enters the namespaces of another process",
      answers: "CWE-250",
      input: "setns(/proc/self/ns/uts)",
      attack: () =>
        python(
          'import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.setns(os.open("/proc/self/ns/uts", 0), 0); print("answer", r, os.strerror(ctypes.get_errno()))',
        ),
      twin: () => python("import os; print(os.uname().sysname)"),
      gives: /Linux/,
      refused: both(EPERM, SECCOMP, true),
    }),
    command({
      id: "kernel-16",
      title: "mounts something over the workspace",
      answers: "CWE-250",
      input: 'mount(…, ".")',
      attack: () =>
        python(
          'import ctypes, os; c = ctypes.CDLL(None, use_errno=True); r = c.mount(b"none", b".", b"no-such-file-system", 0, None); print("answer", r, os.strerror(ctypes.get_errno()))',
        ),
      twin: () => python('import os; print(os.statvfs(".").f_bsize > 0)'),
      gives: /True/,
      refused: both(EPERM, SECCOMP, true),
    }),
    command({
      id: "kernel-17",
      title: "goes round seccomp with io_uring",
      answers: "CVE-2023-2598",
      input: "io_uring_setup(8, …)",
      attack: () => syscall(`${NUMBERS.io_uring_setup}`, "8, ctypes.create_string_buffer(256)"),
      twin: () => syscall('39 if os.uname().machine == "x86_64" else 172', "0"),
      gives: /answer [1-9]/,
      refused: both(EPERM, SECCOMP, true),
    }),
    command({
      id: "kernel-18",
      title: "asks the kernel's keyring",
      answers: "CWE-522",
      input: "keyctl(KEYCTL_GET_KEYRING_ID, …)",
      attack: () => syscall(`${NUMBERS.keyctl}`, "0, -3, 0"),
      twin: () => python("import os; print(os.getuid() >= 0)"),
      gives: /True/,
      refused: both(EPERM, SECCOMP, true),
    }),
    command({
      id: "kernel-19",
      title: "reaches for bpf, perf_event_open, userfaultfd and process_vm_readv",
      answers: "CVE-2021-3490",
      input: "bpf, perf_event_open, userfaultfd, process_vm_readv",
      attack: () =>
        python(
          `import ctypes, os; c = ctypes.CDLL(None, use_errno=True); n = [c.syscall(k, 0, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1 for k in (${NUMBERS.bpf}, ${NUMBERS.perf_event_open}, ${NUMBERS.userfaultfd}, ${NUMBERS.process_vm_readv})]; print("refused", sum(n))`,
        ),
      twin: () => python("import mmap; m = mmap.mmap(-1, 4096); print(len(m))"),
      gives: /4096/,
      refused: both(/refused 4/, SECCOMP, true),
    }),
    command({
      id: "sock-01",
      title: "a Unix socket in the workspace: docker, D-Bus, ssh-agent",
      answers: "CWE-668",
      attack: () =>
        python(
          'import socket; s = socket.socket(socket.AF_UNIX); s.connect("service.sock"); print("connected")',
        ),
      twin: () =>
        python('import socket; a, b = socket.socketpair(); a.send(b"hi"); print(b.recv(2).decode())'),
      gives: /hi/,
      refused: both(/Operation not permitted|PermissionError/, SECCOMP),
      harm: ({ knocks }) => knocks.find((one) => one.startsWith("unix")),
    }),
    command({
      id: "sock-02",
      title: "an abstract Unix socket",
      answers: "CVE-2020-15257",
      attack: () =>
        python(
          'import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.sendto(b"x", chr(0) + "/run/x"); print("sent")',
        ),
      twin: () => python('import multiprocessing as m; a, b = m.Pipe(); a.send("hi"); print(b.recv())'),
      gives: /hi/,
      refused: both(/Operation not permitted|PermissionError/, SECCOMP),
    }),
    command({
      id: "sock-03",
      title: "UDP",
      answers: "CVE-2025-55284",
      attack: ({ udp }) =>
        python(
          `import socket; h, p = "${udp}".split(":"); s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b"leak", (h, int(p))); print("sent")`,
        ),
      twin: () => python('import socket; print(socket.inet_aton("127.0.0.1"))'),
      gives: /x7f/,
      refused: {
        bubblewrap: {
          layer: "bubblewrap",
          how: "nothing arrives: a network of its own",
          sees: /sent|not permitted|unreachable/,
          done: true,
        },
        landlock: { layer: "seccomp", how: "the command fails", sees: /not permitted/ },
      },
      harm: ({ knocks }) => knocks.find((one) => one.startsWith("udp")),
    }),
    command({
      id: "sock-04",
      title: "TCP to a service of this machine",
      answers: "CWE-918",
      attack: ({ inner }) =>
        python(
          `import socket; h, p = "${inner}".split(":"); s = socket.create_connection((h, int(p)), 5); s.send(b"GET /tcp HTTP/1.0\\r\\n\\r\\n"); print(s.recv(999))`,
        ),
      twin: () => python("import socket; print(socket.has_ipv6 in (True, False))"),
      gives: /True/,
      refused: both(/refused|not permitted|unreachable|Permission denied/i, ["bubblewrap", "seccomp"]),
      harm: ({ intruders }) => intruders[0],
    }),
    command({
      id: "sock-05",
      title: "a name looked up: what leaves by DNS",
      answers: "CVE-2025-55284",
      attack: () => python('import socket; print(socket.getaddrinfo("leak.example.org", 80))'),
      twin: () => python('import socket; print(socket.getaddrinfo("127.0.0.1", 80)[0][4][0])'),
      gives: /127\.0\.0\.1/,
      refused: both(/gaierror|resolution|not known/, ["bubblewrap", "seccomp"]),
    }),
    command({
      id: "sock-06",
      title: "sockets of other families: raw, packet, netlink, vsock, AF_ALG",
      answers: "CVE-2017-7308",
      attack: () =>
        python(
          [
            "import socket",
            "opened = 0",
            "for family, kind, protocol in ((2, 3, 1), (17, 3, 768), (16, 3, 16), (40, 1, 0), (38, 5, 0), (15, 3, 2)):",
            "  try: socket.socket(family, kind, protocol); opened += 1",
            "  except OSError: pass",
            'print("opened", opened)',
          ].join("\n"),
        ),
      twin: () => python("import socket; print(len(socket.socketpair()))"),
      gives: /2/,
      refused: both(/opened 0/, SECCOMP, true),
    }),
    command({
      id: "temp-01",
      title: "a file at a predictable place in /tmp",
      answers: "CVE-2026-46406",
      setup: ({ secret }) => Deno.writeTextFile(planted(secret), `${secret}\n`),
      attack: ({ secret }) => python(`print(open("${planted(secret)}").read())`),
      twin: () =>
        python(
          'import tempfile; f = tempfile.NamedTemporaryFile("w+"); f.write("fine"); f.seek(0); print(f.read())',
        ),
      gives: /fine/,
      refused: both(FAILS, FILES),
      harm: async ({ place }) => {
        await Deno.remove(planted(place.secret));
        return undefined;
      },
    }),
    command({
      id: "temp-02",
      title: "a link at a predictable place in /tmp, to be written through",
      answers: "CWE-377",
      async setup({ secret, outside }) {
        await Deno.symlink(`${outside}/victim.txt`, `${planted(secret)}-link`);
      },
      attack: ({ secret }) => python(`open("${planted(secret)}-link", "w").write("evil"); print("written")`),
      twin: () =>
        python('import tempfile; f = tempfile.NamedTemporaryFile("w"); f.write("fine"); print("written")'),
      gives: /written/,
      refused: {
        bubblewrap: {
          layer: "bubblewrap",
          how: "it writes into a /tmp of its own",
          sees: /written|No such file|Permission denied|Read-only/,
          done: true,
        },
        landlock: { layer: "landlock", how: "the command fails", sees: FAILS },
      },
      harm: async ({ place }) => {
        await Deno.remove(`${planted(place.secret)}-link`);
        return await appeared(`${place.outside}/victim.txt`);
      },
    }),
    command({
      id: "temp-03",
      title: "its temporary folder, open to other users of the machine",
      answers: "CVE-2026-46406",
      attack: () =>
        python(
          'import os, tempfile; t = tempfile.gettempdir(); print("open to others", os.stat(t).st_mode & 0o077)',
        ),
      twin: () => python("import tempfile, os; print(os.access(tempfile.gettempdir(), os.W_OK))"),
      gives: /True/,
      refused: {
        bubblewrap: { layer: "process", how: "it is private", sees: /open to others 0/, done: true },
        landlock: { layer: "process", how: "it is private", sees: /open to others 0/, done: true },
      },
    }),
    command({
      id: "env-04",
      title: "what is in pryx's own environment: keys, start-up files, libraries",
      answers: "CWE-526",
      attack: () => shell("env; echo end of it"),
      twin: () => shell("env | grep -c HOME"),
      gives: /1/,
      refused: {
        bubblewrap: { layer: "process", how: "it is not passed on", sees: /end of it/, done: true },
        landlock: { layer: "process", how: "it is not passed on", sees: /end of it/, done: true },
        stubbed: { layer: "process", how: "it is not passed on", sees: /end of it/, done: true },
      },
      harm: ({ place }) => appeared(place.at("started.txt")),
    }),
  ],
};

/** A name that an attacker could guess: the case knows it too. */
function planted(secret: string): string {
  return `/tmp/pryx-known-${secret.split("-")[1]}`;
}

/** Variables that pryx is started with in these runs, and that no command may have. */
export const HOSTILE_ENVIRONMENT = (workspace: string, secret: string): Readonly<Record<string, string>> => ({
  PRIVATE_TOKEN: secret,
  OPENAI_API_KEY: secret,
  ANTHROPIC_API_KEY: secret,
  AWS_SECRET_ACCESS_KEY: secret,
  GITHUB_TOKEN: secret,
  SSH_AUTH_SOCK: `${workspace}/service.sock#${secret}`,
  DBUS_SESSION_BUS_ADDRESS: `unix:path=${workspace}/service.sock#${secret}`,
  DOCKER_HOST: `unix://${workspace}/service.sock#${secret}`,
  BASH_ENV: `${workspace}/start.sh`,
  ENV: `${workspace}/start.sh`,
  PROMPT_COMMAND: `touch ${workspace}/started.txt # ${secret}`,
  PYTHONSTARTUP: `${workspace}/start.py#${secret}`,
  PYTHONPATH: `${workspace}/${secret}`,
  PERL5OPT: `-M${secret}`,
  GIT_SSH_COMMAND: `touch ${workspace}/started.txt # ${secret}`,
  GIT_EXTERNAL_DIFF: `touch ${workspace}/started.txt # ${secret}`,
  PAGER: `touch ${workspace}/started.txt # ${secret}`,
  EDITOR: secret,
});

export async function withHostileEnvironment(workspace: string): Promise<void> {
  await put(`${workspace}/start.sh`, `touch ${JSON.stringify(`${workspace}/started.txt`)}\n`);
  await put(`${workspace}/.local/keep`, "");
}
