import { outside, type Script, script, type ScriptCase } from "../../_script.ts";

/** Without arguments that matter: the twin is a script that does by the API what it may. */
const kernel = (
  id: string,
  title: string,
  answers: string,
  input: string,
  how: string,
  text: (outsideFile: string) => string | readonly string[],
  more: Partial<ScriptCase> & {
    readonly flags?: readonly string[];
    readonly code?: Script["code"];
    readonly prints?: RegExp;
  } = {},
): ScriptCase => {
  const { code, prints, flags = [], ...about } = more;
  return {
    ...script({
      id,
      title,
      answers,
      input,
      how,
      mode: "fallen",
      layer: "seal",
      twin: "the same process does by a call to the host what the manifest allows",
      attacks: ({ outside: folder }) =>
        [text(`${folder}/plan.txt`)].flat().map((one) =>
          outside(one, {
            flags,
            ...(code === undefined ? {} : { code }),
            ...(prints === undefined ? {} : { prints }),
          })
        ),
      works: () => ({
        text: `import { fs } from "pryx";
        export const permissions = { read: ["."] };
        console.log((await fs.read("readme.txt")).includes("anybody") ? "fine" : "");`,
        flags: ["--preset", "workspace"],
        prints: /^fine$/m,
      }),
    }),
    ...about,
  };
};

const NOT_PERMITTED = "every call fails with EPERM";

/** What native code tries, in a process that the context no longer holds. Numbers are those of x86-64. */
export const sealed: readonly ScriptCase[] = [
  kernel(
    "script-60",
    "files",
    "CWE-552",
    "`open`, `openat`, `openat2`, `creat`, `stat`, `readlink`, `chdir`, `unlink`, `rename`, `mkdir`, `truncate`, `open_by_handle_at` …",
    NOT_PERMITTED,
    (file) =>
      `const path = ${JSON.stringify(file)};
      tell(through({ open: [2, path, 0], openat: [257, -100, path, 0], opath: [257, -100, path, 0o10000000], openat2: [437, -100, path],
        creat: [85, path + ".new"], stat: [4, path, new Uint8Array(256)], lstat: [6, path, new Uint8Array(256)], access: [21, path, 0], statx: [332, -100, path, 0],
        readlink: [89, "/proc/self/exe", new Uint8Array(64)], chdir: [80, "/tmp"], getcwd: [79, new Uint8Array(256)],
        unlink: [87, path], rename: [82, path, path + ".old"], mkdir: [83, path + ".d"], truncate: [76, path, 0],
        symlink: [88, path, path + ".l"], link: [86, path, path + ".h"], chmod: [90, path, 0o777], chown: [92, path, 1, 1],
        mem: [2, "/proc/self/mem", 2], environ: [2, "/proc/" + parent + "/environ", 0], null: [2, "/dev/null", 0], statfs: [137, path, new Uint8Array(256)],
        handle: [304, -100, new Uint8Array(128), 0], name: [303, -100, path, 0], mknod: [133, path + ".n", 0o10644], utime: [132, path] }));`,
    {
      harm: async ({ place }) =>
        await Deno.readTextFile(`${place.outside}/plan.txt`).then(
          (text) => text.includes(place.secret) ? undefined : "the file was changed",
          () => "the file is gone",
        ),
    },
  ),
  kernel(
    "script-61",
    "descriptors that are open already",
    "CWE-403",
    "`fstat`, `pread64`, `dup`, `sendfile`, `recvmsg` on all of the first thousand; `fcntl` for owners and leases",
    "none is a file or a folder, and none becomes another",
    () =>
      `const found: string[] = [];
      for (let fd = 0; fd < 1_000; fd++) {
        const info = new Uint8Array(144);
        if (call(5, fd, info) !== 0) continue;
        const kind = new DataView(info.buffer).getUint32(24, true) & 0o170000;
        if ([0o100000, 0o040000, 0o060000].includes(kind)) found.push("descriptor " + fd + " of kind " + kind.toString(8));
        if (fd > 2 && kind !== 0o010000 && kind !== 0o140000 && kind !== 0 && call(0, fd, new Uint8Array(1), 0) >= 0 && kind !== 0o020000) found.push("read " + fd);
        found.push(...through({ ["pread " + fd]: [17, fd, new Uint8Array(64), 64], ["dup " + fd]: [32, fd], ["sendfile " + fd]: [40, 1, fd, 0, 64],
          ["owner " + fd]: [72, fd, 8, parent], ["lease " + fd]: [72, fd, 1024, 1], ["fchdir " + fd]: [81, fd], ["fchmod " + fd]: [91, fd, 0o777],
          ["getdents " + fd]: [217, fd, new Uint8Array(512), 512], ["recvmsg " + fd]: [47, fd, new Uint8Array(64), 0], ["sendmsg " + fd]: [46, fd, new Uint8Array(64), 0],
          ["empty path " + fd]: [257, fd, "", 0], ["ftruncate " + fd]: [77, fd, 0] }));
      }
      tell(found);`,
  ),
  kernel(
    "script-62",
    "programs",
    "CWE-78",
    "`execve`, `execveat`, `memfd_create` and `execveat` of it, `uselib`",
    NOT_PERMITTED,
    () =>
      `tell(through({ memfd: [319, "x", 0], secret: [447, 0], execve: [59, "/bin/true", 0], execveat: [322, -100, "/bin/true", 0],
        empty: [322, 1, "", 0, 0, 0x1000], uselib: [134, "/bin/true"], kexec: [246, 0, 0, 0] }));`,
  ),
  kernel(
    "script-63",
    "processes",
    "CWE-400",
    "`fork`, `vfork`, `clone` without `CLONE_THREAD`, with `CLONE_PARENT`, with namespaces, `clone3`",
    NOT_PERMITTED,
    () =>
      `const flags = [17, 0x8000 | 17, 0x100 | 17, 0x50f00 | 0x10000000, 0x50f00 | 0x4000, 0x50f00 | 0x2000, 0x20000000 | 17, 0x10000000 | 17];
      const found: string[] = [];
      for (const [name, ...given] of [["fork", 57], ["vfork", 58], ...flags.map((flag) => ["clone " + flag.toString(16), 56, flag]), ["clone3", 435, 0, 88]] as any[]) {
        const pid = call(...(given as [number]));
        if (pid === 0) call(231, 0);
        if (pid >= 0) found.push(name);
      }
      tell(found);`,
  ),
  kernel(
    "script-64",
    "sockets",
    "CWE-918",
    "`socket` of every family (unix, inet, netlink, packet, vsock, …), `socketpair`, `connect`, `bind`, `sendto` with an address",
    NOT_PERMITTED,
    () =>
      `const found: string[] = [];
      for (let family = 0; family < 46; family++) {
        for (const type of [1, 2, 3, 5]) if (call(41, family, type, 0) >= 0) found.push("socket " + family + " " + type);
      }
      found.push(...through({ pair: [53, 1, 1, new Uint8Array(8)] }));
      for (let fd = 0; fd < 64; fd++) {
        const address = new Uint8Array(16);
        address[0] = 2;
        found.push(...through({ ["connect " + fd]: [42, fd, address, 16], ["bind " + fd]: [49, fd, address, 16], ["listen " + fd]: [50, fd, 5],
          ["accept " + fd]: [43, fd, 0, 0], ["option " + fd]: [54, fd, 1, new Uint8Array(4), 4], ["sendmmsg " + fd]: [307, fd, new Uint8Array(64), 1] }));
        if (Number(libc.syscall(44n, BigInt(fd), 0n, 0n, 0n, 1n << 40n, 16n)) >= 0) found.push("sendto " + fd);
      }
      tell(found);`,
  ),
  kernel(
    "script-65",
    "memory and descriptors of pryx",
    "CWE-200",
    "`ptrace`, `process_vm_readv`, `process_vm_writev`, `pidfd_open`, `pidfd_getfd`, `kcmp`, `process_madvise` on the parent",
    NOT_PERMITTED,
    () =>
      `tell(through({ attach: [101, 16, parent, 0, 0], seize: [101, 0x4206, parent, 0, 0], traceme: [101, 0, 0, 0, 0], peek: [101, 1, parent, 0x400000, 0], read: [310, parent, new Uint8Array(16), 1],
        write: [311, parent, new Uint8Array(16), 1], pidfd: [434, parent, 0], getfd: [438, 0, 0, 0], kcmp: [312, parent, parent, 1], madvise: [440, 0, 0, 0],
        migrate: [256, parent, 8], robust: [274, parent, new Uint8Array(8)], numa: [279, parent, 0], group: [121, parent], session: [124, parent] }));`,
  ),
  kernel(
    "script-66",
    "signals to others",
    "CWE-283",
    "`kill` of the parent, of its own group, of everybody; `tgkill`, `tkill`, `rt_sigqueueinfo`, `pidfd_send_signal`",
    NOT_PERMITTED,
    () =>
      `tell(through({ parent: [62, parent, 0], group: [62, 0, 0], all: [62, -1, 0], itself: [62, host.Deno.pid, 0], thread: [200, parent, 0], tgkill: [234, parent, parent, 0],
        high: [234, parent + 2 ** 32, parent, 0], queue: [129, parent, 0, new Uint8Array(128)], tgqueue: [297, parent, parent, 0], pidfd: [424, 0, 0, 0], priority: [141, 0, parent, 19],
        setpgid: [109, 0, parent], setsid: [112] }));`,
  ),
  kernel(
    "script-67",
    "mounts and namespaces",
    "CWE-269",
    "`mount`, `umount2`, `unshare`, `setns`, `pivot_root`, `chroot`, `fsopen`, `open_tree`, `move_mount`, `mount_setattr`",
    NOT_PERMITTED,
    () =>
      `tell(through({ mount: [165, "tmpfs", "/tmp", "tmpfs", 0, 0], umount: [166, "/nowhere", 2], unshare: [272, 0x10000000], unshareFiles: [272, 0x400], setns: [308, 0, 0], pivot: [155, "/", "/"],
        chroot: [161, "/"], fsopen: [430, "tmpfs", 0], tree: [428, -100, "/", 1], move: [429, -100, "", 0], attributes: [442, -100, "/", 0], swapon: [167, "/x", 0], reboot: [169, 0, 0, 0], host: [170, "x", 1] }));`,
  ),
  kernel(
    "script-68",
    "wide doors of the kernel",
    "CVE-2022-29582",
    "`io_uring_setup`, `bpf`, `userfaultfd`, `perf_event_open`, `keyctl`, `add_key`, `fanotify_init`, `inotify_init1`, `landlock`, `init_module`",
    NOT_PERMITTED,
    () =>
      `tell(through({ uring: [425, 4, new Uint8Array(256)], enter: [426, 0, 0, 0], bpf: [321, 0, new Uint8Array(128), 128], fault: [323, 0], perf: [298, new Uint8Array(128), 0, -1], keyctl: [250, 0, -1, 0],
        key: [248, "user", "x", "y", 1, -3], request: [249, "user", "x", 0], fanotify: [300, 0, 0], inotify: [294, 0], landlock: [444, 0, 0, 1], module: [175, new Uint8Array(8), 8, ""], finit: [313, 0, "", 0],
        timer: [283, 0, 0], signal: [289, -1, new Uint8Array(8), 8], shm: [29, 0, 4096, 0o1666], sem: [64, 0, 1, 0o1666], msg: [68, 0, 0o1666], mq: [240, "x", 0o102, 0o666], syslog: [103, 10, 0, 0], clock: [227, 0, new Uint8Array(16)],
        splice: [275, 0, 0, 1, 0, 1, 0], tee: [276, 0, 1, 1, 0], vmsplice: [278, 1, new Uint8Array(16), 1], cachestat: [451, 0, 0, 0], quota: [179, 0, "/", 0], acct: [163, "/x"] }));`,
  ),
  kernel(
    "script-69",
    "its own privileges back",
    "CWE-269",
    "`prctl(PR_SET_DUMPABLE)`, `PR_SET_MM`, another `seccomp` filter, `personality`, `setuid`, `capset`, `prlimit64`, `arch_prctl`",
    NOT_PERMITTED,
    () =>
      `tell(through({ dumpable: [157, 4, 1], isDumpable: [157, 3, 0], keepcaps: [157, 8, 1], ambient: [157, 47, 2, 0], subreaper: [157, 36, 1], mm: [157, 35, 1], tracer: [157, 0x59616d61, -1], speculation: [157, 53, 0, 0],
        seccomp: [317, 0, 0, 0], mode: [157, 22, 1], personality: [135, 0x400000], setuid: [105, 0], setgid: [106, 0], setresuid: [117, 0, 0, 0], groups: [116, 0, 0], capset: [126, new Uint8Array(8), new Uint8Array(24)],
        limit: [302, 0, 7, new Uint8Array(16).fill(255)], setrlimit: [160, 9, new Uint8Array(16).fill(255)], parentLimit: [302, parent, 7, 0], arch: [158, 0x1001, 0], ldt: [154, 1, new Uint8Array(16), 16], iopl: [172, 3], ioperm: [173, 0, 1, 1],
        affinity: [203, parent, 8, new Uint8Array(8).fill(1)], scheduler: [144, parent, 0, new Uint8Array(4)], umask: [95, 0] }));`,
  ),
  kernel(
    "script-70",
    "system calls of another kind of machine",
    "CVE-2009-0835",
    "numbers of x32; machine code made on the spot: `int 0x80`",
    "EPERM; the process is killed, and pryx says so",
    () =>
      `const found = [2, 41, 59, 57, 101, 310].filter((number) => call(0x40000000 + number, "/etc/passwd", 0, 0) >= 0).map(String);
      tell(found);
      const code = Uint8Array.of(0xb8, 20, 0, 0, 0, 0xcd, 0x80, 0xc3);
      const place = libc.syscall(9n, 0n, 4096n, 7n, 0x22n, -1n, 0n);
      libc.copy(place, code, 8n);
      libc.jump(place, place, 1n, 1n, place);
      say(fell + ": it went on\\n");`,
    { code: 1, prints: /SIGSYS/ },
  ),
  kernel(
    "script-71",
    "the runtime's own powers",
    "CVE-2024-34346",
    "`Deno.readTextFileSync`, `Command`, `connect`, `listen`, `dlopen`, `env`, `kill`, `Worker`, `fetch`, `permissions.request`, `openKv`, signals",
    "each throws",
    (file) => [
      `const { Deno } = host;
      const path = ${JSON.stringify(file)};
      const found: string[] = [];
      const tries: Record<string, () => unknown> = {
        read: () => Deno.readTextFileSync(path), stat: () => Deno.statSync(path), list: () => [...Deno.readDirSync("/")], open: () => Deno.openSync(path), write: () => Deno.writeTextFileSync("/tmp/pryx-fell", "x"),
        cwd: () => Deno.cwd(), env: () => Deno.env.toObject(), variable: () => Deno.env.get("PATH") ?? fail(), run: () => new Deno.Command("/bin/true").outputSync(), spawn: () => new Deno.Command("/bin/true").spawn(),
        connect: () => Deno.connect({ port: 1 }), unix: () => Deno.connect({ transport: "unix", path: "/run/x" }), listen: () => Deno.listen({ port: 0 }), udp: () => Deno.listenDatagram?.({ port: 0, transport: "udp" }) ?? fail(),
        dlopen: () => Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } }), pointer: () => Deno.UnsafePointer.create(4096n), kill: () => Deno.kill(parent, 0), host: () => Deno.hostname(), user: () => Deno.uid(), memory: () => Deno.systemMemoryInfo(),
        fetch: () => host.fetch("http://127.0.0.1:1/"), file: () => host.fetch("file://" + path), socket: () => new host.WebSocket("ws://127.0.0.1:1/"),
        granted: async () => (await host.permissions.request({ name: "read" })).state === "granted" ? true : fail(), state: async () => (await host.permissions.query({ name: "run" })).state === "granted" ? true : fail(),
        kv: async () => await (Deno.openKv?.() ?? fail()), resolve: () => Deno.resolveDns("localhost", "A"), temp: () => Deno.makeTempDirSync(), exec: () => Deno.execPath(),
      };
      function fail(): never { throw new Error("as it should be"); }
      for (const [name, attempt] of Object.entries(tries)) {
        try {
          const got: any = await Promise.race([attempt(), new Promise((_, no) => host.setTimeout(() => no(new Error("late")), 300))]);
          if (name === "socket") {
            if (await new Promise((yes) => { got.onopen = () => yes(true); got.onerror = () => yes(false); host.setTimeout(() => yes(false), 200); })) found.push(name);
          } else if (name !== "exec") found.push(name);
        } catch { /* as it should be */ }
      }
      tell(found);`,
      // The runtime may end the process over it.
      `const worker = new host.Worker("data:text/javascript,postMessage(1)", { type: "module" });
      worker.onmessage = () => say(fell + ": a worker runs\\n");
      worker.onerror = (event: any) => event.preventDefault();
      await new Promise((next) => host.setTimeout(next, 300));
      say("held\\n");`,
    ],
    { code: [0, 1], prints: /^held$|The process of job\.pryx\.ts ended/m },
  ),
  kernel(
    "script-72",
    "imports that permissions do not stop",
    "CWE-829",
    "`import()` of `file:` URLs as text, bytes, JSON and code; of `npm:`, `jsr:`, `https:`, `data:`; `node:fs`, `node:sqlite`, `node:child_process`",
    "nothing of a file comes in; built-in modules have no permission",
    (file) => {
      const plan = `file://${file.replaceAll(" ", "%20")}`;
      const imports = [
        ...["text", "bytes", "json", ""].map((type) => [plan, type]),
        ...["file:///etc/passwd", "file:///etc/hostname"].map((name) => [name, "text"]),
        ...["file:///proc/self/environ", "file:///proc/self/maps"].map((name) => [name, "bytes"]),
        ...["npm:left-pad", "jsr:@std/path", "http://127.0.0.1:1/x.js"].map((name) => [name, ""]),
      ];
      const uses = {
        "node:fs": `module.readFileSync("/etc/passwd")`,
        "node:child_process":
          `(() => { const { error, status } = module.spawnSync("/bin/true"); if (error || status === null) throw error; })()`,
        "node:net": `await new Promise((yes, no) => module.connect(1, "127.0.0.1", yes).on("error", no))`,
        "node:os": `module.userInfo()`,
        "node:worker_threads":
          `await new Promise((yes, no) => new module.Worker("1", { eval: true }).on("online", yes).on("error", no))`,
        "node:sqlite":
          `(() => { const db = new module.DatabaseSync(":memory:"); db.exec("ATTACH '/tmp/pryx-fell.db' AS x; CREATE TABLE x.t (a)"); })()`,
        "node:process":
          `(() => { if (Object.keys(module.default.env).length === 0) throw new Error("empty"); })()`,
        "node:dgram":
          `await new Promise((yes, no) => module.createSocket("udp4").on("error", no).bind(0, "127.0.0.1", yes))`,
        "node:dns/promises": `await module.lookup("localhost")`,
        "node:inspector": `module.open(0, "127.0.0.1")`,
      };
      // Each alone: the runtime may end the process over what it is refused.
      const attempt = (name: string, options: string, use: string) =>
        `const late = new Promise((_, no) => host.setTimeout(() => no(new Error("late")), 1_000));
        try {
          const got = await Promise.race([host.import(${
          JSON.stringify(name)
        }${options}).then(async (module: any) => ${use}), late]);
          say(fell + ": ${name} " + String(got).slice(0, 20) + "\\n");
        } catch {
          say("held\\n");
        }`;
      return [
        ...imports.map(([name = "", type]) =>
          attempt(name, type ? `, { with: { type: "${type}" } }` : "", "module.default")
        ),
        ...Object.entries(uses).map(([name, use]) => attempt(name, "", use)),
      ];
    },
    {
      code: [0, 1, 124],
      // Ended, or held up for good by what it waits for: nothing came in.
      flags: ["--timeout", "4s"],
      prints: /^held$|job\.pryx\.ts failed|The process of job\.pryx\.ts ended|time limit of 4000 ms/m,
      harm: async () =>
        await Deno.lstat("/tmp/pryx-fell.db").then(() => "a database was made", () => undefined),
    },
  ),
  kernel(
    "script-73",
    "the terminal",
    "CVE-2017-5226",
    "`ioctl(TIOCSTI)`, `TIOCLINUX`, `TIOCSCTTY`, `FIONBIO` on every stream; `/dev/tty`",
    NOT_PERMITTED,
    () =>
      `const found: string[] = [];
      for (const fd of [0, 1, 2]) {
        found.push(...through({ ["push " + fd]: [16, fd, 0x5412, "x"], ["high push " + fd]: [16, fd, 2 ** 32 + 0x5412, "x"], ["linux " + fd]: [16, fd, 0x541c, new Uint8Array([3])], ["control " + fd]: [16, fd, 0x540e, 0], ["block " + fd]: [16, fd, 0x5421, new Uint8Array([1, 0, 0, 0])],
          ["size " + fd]: [16, fd, 0x5414, new Uint8Array(8)] }));
      }
      tell([...found, ...through({ tty: [2, "/dev/tty", 2], hangup: [153] })]);`,
  ),
  kernel(
    "script-74",
    "more memory than there is",
    "CWE-770",
    "`mmap` of gigabytes, written to; `mremap`; the limit raised first",
    "the process is stopped by its limit; pryx says so",
    () =>
      `const one = 256n << 20n;
      const page = new Uint8Array(1 << 20).fill(1);
      for (let round = 0; round < 64; round++) {
        const at = libc.syscall(9n, 0n, one, 3n, 0x22n, -1n, 0n);
        if (at === -1n) break;
        for (let offset = 0n; offset < one; offset += 1n << 20n) libc.copy(at + offset, page, 1n << 20n);
      }
      host.waits = new Promise(() => {});
      await new Promise((next) => host.setTimeout(next, 3_000));
      say(fell + ": it went on\\n");`,
    { code: 1, prints: /more memory than an automation may/ },
  ),
  kernel(
    "script-75",
    "signals ignored, and a loop that never ends",
    "CWE-835",
    "`rt_sigaction(SIGTERM, SIG_IGN)` and all others, then a loop, with `--timeout 2s`",
    "killed at the time limit",
    () =>
      `for (let signal = 1; signal < 65; signal++) {
        const action = new Uint8Array(32);
        action[0] = 1;
        libc.second(13n, BigInt(signal), action, 0n, 8n, 0n, 0n);
      }
      say("held\\n");
      for (;;) call(24);`,
    { flags: ["--timeout", "2s"], code: [1, 4, 6, 8, 124], prints: /time limit|timeout|took longer|within/i },
  ),
];
