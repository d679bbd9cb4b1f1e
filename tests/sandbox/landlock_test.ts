import assert from "node:assert/strict";
import { landlockGaps } from "../../core/sandbox/landlock.ts";
import { confined, findProgram, NO_KERNEL_SANDBOX } from "../support/confined.ts";

const python = findProgram("python3") ?? "";
const node = findProgram("node") ?? "";
const git = findProgram("git") ?? "";
const bash = findProgram("bash") ?? "";
const LIBC = "libc.so.6";
const x86 = Deno.build.arch === "x86_64";

const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, ignore: NO_KERNEL_SANDBOX, fn });
const testWith = (program: string, name: string, fn: () => Promise<void>) =>
  Deno.test({ name, ignore: NO_KERNEL_SANDBOX || program === "", fn });

/** Prints, for each named attempt, what came of it: `name: ok` or `name: EPERM`. */
const ATTEMPTS = `
import ctypes, errno, os, socket, sys, fcntl
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    if libc.syscall(number, *args) < 0: raise OSError(ctypes.get_errno(), "")
def attempt(name, work):
    try:
        work()
        print(name + ": ok")
    except OSError as error:
        print(name + ": " + errno.errorcode.get(error.errno, str(error.errno)))
`;

/** By name. Attempts with the same name are put together: one that succeeded shows. */
function outcomes(stdout: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const line of stdout.trim().split("\n")) {
    const [name = "", outcome = ""] = line.split(": ");
    found[name] = found[name] === "ok" ? "ok" : outcome;
  }
  return found;
}

async function attempts(at: Awaited<ReturnType<typeof confined>>, code: string, rights = {}) {
  const result = await at.run([python, "-c", ATTEMPTS + code], rights);
  assert.deepEqual([result.stderr, result.code], ["", 0]);
  return outcomes(result.stdout);
}

test("a child reads, writes and executes nothing outside its roots", async () => {
  await using at = await confined();
  const { open, shut } = at;
  for (
    const script of [
      `cat ${shut}/secret`,
      `ls ${shut}`,
      `echo x > ${shut}/new`,
      `echo x > ${shut}/secret`,
      `mkdir ${shut}/folder`,
      `rm ${shut}/secret`,
      `mv ${shut}/secret ${open}/got`,
      `ln ${shut}/secret ${open}/got`,
      `ln -s ${shut}/secret ${open}/link; cat ${open}/link`,
      `cat /proc/self/root${shut}/secret`,
      `cd ${shut} && cat ./secret`,
      `cat ${open}/../shut/secret`,
      `${shut}/program`,
      `truncate -s 0 ${shut}/secret`,
      `mv ${open} ${shut}/moved`,
    ]
  ) {
    const result = await at.sh(script);
    assert.notEqual(result.code, 0, script);
    assert.match(result.stderr, /ermission denied|ross-device|not permitted/, script);
    assert.doesNotMatch(result.stdout, /very secret|ran/, script);
  }
  assert.equal(await Deno.readTextFile(`${shut}/secret`), "very secret");
  assert.deepEqual((await Array.fromAsync(Deno.readDir(shut))).map(({ name }) => name).sort(), [
    "program",
    "secret",
  ]);
});

test("a child reads, writes and executes inside its roots", async () => {
  await using at = await confined();
  const { shut } = at;
  assert.equal(
    (await at.sh(`cat ${shut}/secret; ${shut}/program`, { read: [shut] })).stdout,
    "very secretran\n",
  );
  assert.notEqual((await at.sh(`echo x > ${shut}/secret`, { read: [shut] })).code, 0);
  const script = "mkdir a b && echo 1 > a/f && mv a/f b/f && ln b/f b/g && ln -s g b/h && mkfifo b/p && " +
    ": > b/f && rm b/g && printf '#!/bin/sh\\necho ran' > x && chmod +x x && ./x && ls b";
  const result = await at.sh(script);
  assert.deepEqual([result.code, result.stdout, result.stderr], [0, "ran\nf\nh\np\n", ""]);
});

test("a closed file in a folder that is read stays closed, and its neighbours open", async () => {
  await using at = await confined();
  const folder = `${at.root}/project`;
  await Deno.mkdir(`${folder}/sub`, { recursive: true });
  await Deno.writeTextFile(`${folder}/.env`, "KEY=1");
  await Deno.writeTextFile(`${folder}/sub/id.pem`, "KEY=2");
  await Deno.writeTextFile(`${folder}/sub/code`, "code");
  const rights = { read: [folder], closed: [`${folder}/.env`, `${folder}/sub/id.pem`] };
  const closed = await at.sh(`cat ${folder}/.env; cat ${folder}/sub/id.pem; cat ${folder}/.e*`, rights);
  assert.equal(closed.stdout, "");
  assert.equal(closed.stderr.match(/Permission denied/g)?.length, 3);
  const open = await at.sh(`ls -A ${folder}; cat ${folder}/sub/code`, rights);
  assert.deepEqual([open.stdout, open.stderr], [".env\nsub\ncode", ""]);
  await Deno.writeTextFile(`${folder}/new`, "new");
  assert.equal((await at.sh(`cat ${folder}/new`, rights)).stdout, "new");
});

testWith(python, "a child opens no socket, and pairs that speak to each other", async () => {
  await using at = await confined();
  const code = `
kinds = {"stream": socket.SOCK_STREAM, "datagram": socket.SOCK_DGRAM, "raw": socket.SOCK_RAW, "seqpacket": socket.SOCK_SEQPACKET}
for family in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_VSOCK", "AF_ALG", "AF_BLUETOOTH"):
    for kind in kinds: attempt(family + " " + kind, lambda: socket.socket(getattr(socket, family), kinds[kind]).close())
for kind in kinds: attempt("pair " + kind, lambda: [s.close() for s in socket.socketpair(socket.AF_UNIX, kinds[kind])])
`;
  const none = await attempts(at, code);
  assert.deepEqual(Object.entries(none).filter(([, outcome]) => outcome === "ok").map(([name]) => name), [
    "pair stream",
    "pair seqpacket",
  ]);
  assert.ok(Object.values(none).every((outcome) => outcome === "ok" || outcome === "EPERM"));
  const all = await attempts(at, code, { network: "all" });
  const open = Object.entries(all).filter(([, outcome]) => outcome === "ok").map(([name]) => name);
  assert.ok(open.includes("AF_INET stream") && open.includes("AF_INET datagram"));
  assert.deepEqual(
    open.filter((name) => !/^(AF_INET6? (stream|datagram)|AF_NETLINK (raw|datagram)|pair \w+)$/.test(name)),
    [],
  );
});

testWith(python, "a child connects only with the network, and to Unix sockets only with those", async () => {
  await using at = await confined();
  using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using unix = Deno.listen({ transport: "unix", path: `${at.open}/socket` });
  const accepting = [tcp, unix].map(async (listener) => {
    for await (const connection of listener) connection.close();
  });
  const code = `
attempt("tcp", lambda: socket.create_connection(("127.0.0.1", ${(tcp.addr as Deno.NetAddr).port})).close())
attempt("unix", lambda: socket.socket(socket.AF_UNIX).connect("${at.open}/socket"))
`;
  assert.deepEqual(await attempts(at, code), { tcp: "EPERM", unix: "EPERM" });
  assert.deepEqual(await attempts(at, code, { network: "all" }), { tcp: "ok", unix: "EPERM" });
  assert.deepEqual(await attempts(at, code, { unixSockets: true }), { tcp: "EPERM", unix: "ok" });
  tcp.close();
  unix.close();
  await Promise.all(accepting);
});

testWith(x86 ? python : "", "a child reaches no thread of pryx, by no number and no way", async () => {
  await using at = await confined();
  const result = await attempts(
    at,
    `
pryx = ${Deno.pid}
threads = [int(name) for name in os.listdir("/proc/%d/task" % pryx)]
print("threads: %s" % ("some" if len(threads) > 3 and pryx in threads else "none"))
def read(path):
    with open(path, "rb") as file: os.pread(file.fileno(), 1, 1)
def open_only(path): os.close(os.open(path, os.O_RDONLY))
for folder in ["/proc/%d" % pryx] + ["/proc/%d/task/%d" % (pryx, thread) for thread in threads]:
    attempt("environ", lambda: read(folder + "/environ"))
    attempt("mem", lambda: open_only(folder + "/mem"))
    attempt("maps", lambda: open_only(folder + "/maps"))
    attempt("root", lambda: os.listdir(folder + "/root/"))
    attempt("cwd", lambda: os.listdir(folder + "/cwd/"))
    attempt("fd", lambda: os.readlink(folder + "/fd/0"))
for number in threads + [pryx]:
    attempt("kill", lambda: call(62, number, 0))
    attempt("tkill", lambda: call(200, number, 0))
    attempt("tgkill", lambda: call(234, pryx, number, 0))
    attempt("sigqueue", lambda: call(129, number, 0, 0))
    attempt("ptrace", lambda: call(101, 16, number, 0, 0))
    attempt("prlimit", lambda: call(302, number, 7, 0, 0))
    attempt("vm", lambda: call(310, number, 0, 0, 0, 0, 0))
attempt("own", lambda: fcntl.fcntl(0, fcntl.F_SETOWN, pryx))
attempt("self", lambda: (os.kill(os.getpid(), 0), read("/proc/self/environ"), fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())))
`,
  );
  const { threads, self, ...others } = result;
  assert.deepEqual([threads, self], ["some", "ok"]);
  for (const [name, outcome] of Object.entries(others)) assert.match(outcome, /^E(PERM|ACCES)$/, name);
  assert.equal(Object.keys(others).length, 14);
});

testWith(python, "a child reads no other process and inherits nothing but its three streams", async () => {
  await using at = await confined();
  // As a shell leaves one to pryx: dup(2) makes descriptors that programs inherit.
  const libc = Deno.dlopen(LIBC, {
    dup: { parameters: ["i32"], result: "i32" },
    close: { parameters: ["i32"], result: "i32" },
  });
  const left = libc.symbols.dup(2);
  assert.ok(left > 2);
  const sleeper = new Deno.Command("/bin/sleep", { args: ["60"], env: { SECRET: "1" }, stdin: "null" })
    .spawn();
  try {
    const result = await attempts(
      at,
      `
fds = sorted(int(name) for name in os.listdir("/proc/self/fd"))
print("descriptors: " + ("three" if fds[:3] == [0, 1, 2] and len(fds) == 4 else str(fds)))
attempt("environ", lambda: open("/proc/${sleeper.pid}/environ").read())
attempt("signal", lambda: os.kill(${sleeper.pid}, 0))
attempt("stat", lambda: open("/proc/${sleeper.pid}/stat").read())
`,
    );
    const { environ, ...rest } = result;
    assert.match(environ ?? "", /^E(PERM|ACCES)$/);
    assert.deepEqual(rest, { descriptors: "three", signal: "EPERM", stat: "ok" });
  } finally {
    libc.symbols.close(left);
    libc.close();
    sleeper.kill("SIGKILL");
    await sleeper.status;
  }
});

testWith(x86 ? python : "", "a child gets no namespace, no mount, no keyring, no device", async () => {
  await using at = await confined();
  const result = await attempts(
    at,
    `
import fcntl, termios
attempt("unshare", lambda: call(272, 0x10000000))
attempt("clone", lambda: call(56, 0x10000000 | 17, 0, 0, 0, 0))
attempt("setns", lambda: call(308, os.open("/proc/self/ns/net", os.O_RDONLY), 0))
attempt("mount", lambda: call(165, 0, 0, 0, 0, 0))
attempt("chroot", lambda: os.chroot("/"))
attempt("keyctl", lambda: call(250, 0, -3, 0))
attempt("bpf", lambda: call(321, 0, 0, 0))
attempt("x32", lambda: call(0x40000000 + 39))
attempt("tiocsti", lambda: fcntl.ioctl(0, termios.TIOCSTI, b"x"))
attempt("tiocsti with noise", lambda: call(16, 0, ctypes.c_ulong((1 << 40) | 0x5412), b"x"))
attempt("mknod", lambda: os.mknod("disk", 0o60600, os.makedev(8, 0)))
attempt("terminals", lambda: os.listdir("/dev/pts"))
attempt("shared memory of others", lambda: os.listdir("/dev/shm"))
`,
  );
  for (const [name, outcome] of Object.entries(result)) assert.match(outcome, /^E(PERM|ACCES)$/, name);
  assert.equal(Object.keys(result).length, 13);
  const status = await at.sh("grep -E '^(NoNewPrivs|Seccomp|CapEff):' /proc/self/status");
  assert.match(status.stdout, /NoNewPrivs:\s1\nSeccomp:\s2/);
  // Nothing but chown, dac_override, fowner, fsetid, setgid, setuid, net_bind_service.
  assert.equal(parseInt(/CapEff:\s(\w+)/.exec(status.stdout)?.[1] ?? "ffffffff", 16) & ~0x4db, 0);
});

testWith(python, "python runs subprocesses, pools, locks, threads and temporary files", async () => {
  await using at = await confined();
  await Deno.writeTextFile(
    `${at.open}/work.py`,
    `
import multiprocessing, os, queue, subprocess, tempfile, threading, time
def double(x): return x * 2
if __name__ == "__main__":
    print(subprocess.run(["sh", "-c", "echo sub; cat"], input="in", capture_output=True, text=True).stdout)
    with multiprocessing.Pool(2) as pool: print(pool.map(double, [1, 2, 3]))
    lock, results = multiprocessing.Lock(), multiprocessing.Queue()
    child = multiprocessing.Process(target=results.put, args=("queued",)); child.start()
    print(results.get()); child.join()
    with tempfile.NamedTemporaryFile() as file: file.write(b"x")
    thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
    os.close(os.open("/dev/null", os.O_RDWR)); len(os.urandom(8)); open("/dev/urandom", "rb").read(1)
    child = subprocess.Popen(["sleep", "60"]); child.terminate(); print(child.wait())
`,
  );
  const result = await at.run([python, "work.py"]);
  assert.deepEqual(
    [result.stderr, result.stdout],
    ["", "sub\nin\n[2, 4, 6]\nqueued\nthread\n-15\n"],
  );
});

testWith(node, "node forks children that speak to it", async () => {
  await using at = await confined();
  await Deno.writeTextFile(
    `${at.open}/work.js`,
    `const { fork, execSync, spawn } = require("node:child_process");
    if (process.argv[2] === "child") { process.on("message", (m) => { process.send(m + 1); process.disconnect(); }); }
    else {
      const child = fork(__filename, ["child"]);
      child.on("message", (m) => console.log("answer", m));
      child.on("exit", () => {
        console.log(execSync("echo exec").toString().trim());
        const sleeping = spawn("sleep", ["60"]);
        sleeping.on("exit", (code, signal) => console.log(signal));
        sleeping.kill();
      });
      child.send(41);
    }`,
  );
  const result = await at.run([node, "work.js"]);
  assert.deepEqual([result.stderr, result.stdout], ["", "answer 42\nexec\nSIGTERM\n"]);
});

testWith(git, "git makes a repository and commits", async () => {
  await using at = await confined();
  const result = await at.sh(
    "git init -q . && git config user.name N && git config user.email e@example.org && echo 1 > f && git add . && " +
      "git commit -q -m first && git mv f g && git commit -q -m second && git gc -q && git status --short && git log --format=%s",
  );
  assert.deepEqual([result.stderr, result.stdout], ["", "second\nfirst\n"]);
});

testWith(bash, "bash runs pipelines, substitutions, jobs; sort its temporary files", async () => {
  await using at = await confined();
  const script = [
    "seq 3 | tac | head -1",
    "diff <(echo a) <(echo a) && echo same",
    "cat <<< here",
    "sleep 60 & kill $!; wait $! 2>/dev/null; echo $?",
    "trap 'echo trapped' USR1; kill -USR1 $$",
    "seq 60000 | sort -R | sort -n -S 64K --parallel=1 -T . | tail -1",
    "timeout 5 nice true && echo timed",
    "echo x > /dev/null; echo error > /dev/stderr; tar cf t.tar --exclude=t.tar . && tar tf t.tar",
  ].join("\n");
  const result = await at.run([bash, "-c", script]);
  assert.equal(result.stdout, "3\nsame\nhere\n143\ntrapped\n60000\ntimed\n./\n");
  assert.equal(result.stderr, "error\n");
});

testWith(python, "a pseudo terminal opens only where terminals do", async () => {
  await using at = await confined();
  const code = `attempt("pty", lambda: [os.close(fd) for fd in os.openpty()])`;
  assert.deepEqual(await attempts(at, code), { pty: "EACCES" });
  assert.deepEqual(await attempts(at, code, { terminals: true }), { pty: "ok" });
});

Deno.test("landlockGaps() names less for newer kernels, and never nothing", () => {
  assert.equal(landlockGaps(1).length, 3);
  assert.equal(landlockGaps(6).length, 1);
});
