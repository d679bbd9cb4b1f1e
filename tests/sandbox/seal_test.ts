import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const SEAL = new URL("../../core/sandbox/seal.ts", import.meta.url).href;
const CONFIG = fileURLToPath(new URL("../../deno.json", import.meta.url));
const LINUX = Deno.build.os === "linux" && Deno.build.arch === "x86_64";

/** Runs a script in a process of its own, after `before` and sealing; what it prints as JSON. */
async function sealed(script: string, before = ""): Promise<unknown> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "--no-check", "-c", CONFIG, "-"],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(`
    import { seal } from ${JSON.stringify(SEAL)};
    ${before}
    Deno.addSignalListener("SIGWINCH", () => {});
    const held = seal();
    const say = (value) => Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value)));
    ${script}
    Deno.exit(0);
  `));
  await writer.close();
  const late = setTimeout(() => child.kill("SIGKILL"), 30_000);
  const { stdout, stderr, code } = await child.output();
  clearTimeout(late);
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** libc's syscall(), had before the process was sealed: as native code of an attacker would have it. */
const SYSCALL = `
  const LONG = "i64";
  const libc = Deno.dlopen("libc.so.6", {
    syscall: { parameters: [LONG, "buffer", LONG, LONG, LONG, LONG, LONG], result: LONG },
    path: { name: "syscall", parameters: [LONG, LONG, "buffer", LONG, LONG, LONG, LONG], result: LONG },
    all: { name: "syscall", parameters: [LONG, LONG, LONG, LONG, LONG, LONG, LONG], result: LONG },
    memcpy: { parameters: ["buffer", "pointer", "usize"], result: "void" },
    __errno_location: { parameters: [], result: "pointer" },
  });
  // Looking at memory is a permission of its own; copying it is libc's.
  const errno = () => {
    const copy = new Int32Array(1);
    libc.symbols.memcpy(copy, libc.symbols.__errno_location(), 4n);
    return copy[0];
  };
  const text = (value) => new TextEncoder().encode(value + "\\0");
  const first = (number, a, ...rest) => {
    const [b = 0, c = 0, d = 0, e = 0, f = 0] = rest;
    return libc.symbols.syscall(BigInt(number), a, BigInt(b), BigInt(c), BigInt(d), BigInt(e), BigInt(f)) < 0n ? errno() : 0;
  };
  const second = (number, a, b, ...rest) => {
    const [c = 0, d = 0, e = 0, f = 0] = rest;
    return libc.symbols.path(BigInt(number), BigInt(a), b, BigInt(c), BigInt(d), BigInt(e), BigInt(f)) < 0n ? errno() : 0;
  };
  const plain = (number, a = 0, b = 0, c = 0) =>
    libc.symbols.all(BigInt(number), BigInt(a), BigInt(b), BigInt(c), 0n, 0n, 0n) < 0n ? errno() : 0;
  const { pid, ppid } = Deno;
`;

const EPERM = 1;
const ENOSYS = 38;

/** What each class of refused calls answers; the control does the same before. x86-64 numbers. */
const ATTEMPTS: Readonly<Record<string, string>> = {
  open: `first(2, text("/etc/passwd"))`,
  openat: `second(257, -100, text("/etc/passwd"))`,
  openat2: `second(437, -100, text("/etc/passwd"))`,
  creat: `first(85, text("/tmp/pryx-never"), 0o600)`,
  stat: `first(4, text("/etc/passwd"))`,
  statx: `second(332, -100, text("/etc/passwd"))`,
  access: `first(21, text("/etc/passwd"))`,
  readlink: `first(89, text("/proc/self/exe"))`,
  getcwd: `first(79, new Uint8Array(256), 256)`,
  chdir: `first(80, text("/tmp"))`,
  unlink: `first(87, text("/tmp/pryx-never"))`,
  rename: `first(82, text("/tmp/pryx-never"))`,
  mkdir: `first(83, text("/tmp/pryx-never"))`,
  symlink: `first(88, text("/tmp/pryx-never"))`,
  chmod: `first(90, text("/tmp/pryx-never"), 0o777)`,
  truncate: `first(76, text("/tmp/pryx-never"))`,
  mount: `first(165, text("none"))`,
  "socket inet": "plain(41, 2, 1)",
  "socket unix": "plain(41, 1, 1)",
  "socket netlink": "plain(41, 16, 3)",
  socketpair: "plain(53, 1, 1)",
  connect: "plain(42, 0)",
  execve: `first(59, text("/bin/true"))`,
  execveat: `second(322, -100, text("/bin/true"))`,
  fork: "plain(57)",
  vfork: "plain(58)",
  "clone of a process": "plain(56, 17)",
  "kill of itself": "plain(62, pid)",
  "kill of its parent": "plain(62, ppid)",
  "tgkill of its parent": "plain(234, ppid)",
  tkill: "plain(200, pid)",
  ptrace: "plain(101, 0)",
  process_vm_readv: "plain(310, ppid)",
  pidfd_open: "plain(434, ppid)",
  memfd_create: `first(319, text("x"))`,
  memfd_secret: "plain(447)",
  io_uring_setup: "plain(425, 1)",
  bpf: "plain(321, 0)",
  keyctl: "plain(250, 0)",
  add_key: `first(248, text("user"))`,
  userfaultfd: "plain(323)",
  perf_event_open: "plain(298)",
  unshare: "plain(272, 0x10000000)",
  setns: "plain(308, 0)",
  shmget: "plain(29, 0)",
  msgget: "plain(68, 0)",
  mq_open: `first(240, text("/x"))`,
  inotify_init: "plain(253)",
  prlimit64: "plain(302, 0)",
  setrlimit: "plain(160, 0)",
  "prctl dumpable": "plain(157, 4)",
  "prctl pdeathsig": "plain(157, 1)",
  seccomp: "plain(317, 0)",
  setuid: "plain(105, 0)",
  capset: "plain(126)",
  uname: "first(63, new Uint8Array(512))",
  sysinfo: "first(99, new Uint8Array(512))",
  "fcntl SETOWN": "plain(72, 0, 8)",
  "ioctl TIOCSTI": "plain(16, 0, 0x5412)",
  dup2: "plain(33, 1)",
  pipe2: "first(293, new Uint8Array(8))",
  sendmsg: "plain(46, 1)",
  splice: "plain(275, 0)",
  copy_file_range: "plain(326, 0)",
  landlock_create_ruleset: "plain(444)",
};

Deno.test({
  name: "a sealed process opens, reaches, starts and signals nothing, native code neither",
  ignore: !LINUX,
  async fn() {
    const names = Object.keys(ATTEMPTS);
    const calls = Object.values(ATTEMPTS).map((call) => `() => ${call}`);
    const results = await sealed(`say([held, [${calls}].map((one) => one())])`, SYSCALL) as [
      unknown,
      number[],
    ];
    assert.deepEqual(results[0], { permissions: true, seccomp: true });
    names.forEach((name, at) => assert.equal(results[1][at], EPERM, name));
    assert.equal(await sealed("say(plain(435))", SYSCALL), ENOSYS);
  },
});

Deno.test({
  name: "the same calls are not refused to a process that is not sealed",
  ignore: !LINUX,
  async fn() {
    // Those that do no harm: the attempts mean what they say.
    const harmless = [
      "open",
      "openat",
      "access",
      "getcwd",
      "socket inet",
      "socket unix",
      "uname",
      "sysinfo",
      "pipe2",
    ];
    const calls = harmless.map((name) => `() => ${ATTEMPTS[name]}`);
    const script = `const before = [${calls}].map((one) => one());`;
    assert.deepEqual(await sealed("say(before)", `${SYSCALL} ${script}`), harmless.map(() => 0));
  },
});

Deno.test({
  name: "seal() takes every permission, files left open, room to grow and dumps",
  ignore: !LINUX,
  async fn() {
    const script = `
      const states = ["run", "read", "write", "net", "env", "ffi", "sys", "import"]
        .map((name) => Deno.permissions.querySync({ name }).state);
      const tried = [() => Deno.readTextFileSync("/etc/passwd"), () => Deno.dlopen("libc.so.6", {}), () => Deno.env.get("HOME"),
        () => new Deno.Command("true").spawn(), () => file.readSync(new Uint8Array(1))]
        .map((one) => { try { one(); return "did" } catch (error) { return error.name } });
      say({ states, tried });`;
    const result = await sealed(script, `const file = Deno.openSync("/etc/passwd");`) as {
      states: string[];
      tried: string[];
    };
    assert.deepEqual(result.states.filter((state) => state === "granted"), []);
    assert.ok(!result.tried.includes("did"), result.tried.join());
  },
});

Deno.test({
  name: "a sealed process still computes, waits, starts threads and answers",
  ignore: !LINUX,
  async fn() {
    const script = `
      await new Promise((resolve) => setTimeout(resolve, 5));
      const list = []; for (let at = 0; at < 2e6; at++) list.push({ at, text: "x" + at });
      const bytes = new Uint8Array(64 * 1024 * 1024).fill(1);
      const hashes = await Promise.all(Array.from({ length: 32 }, (_, at) => crypto.subtle.digest("SHA-256", bytes.subarray(at, 1e6))));
      await new Promise((resolve) => setTimeout(resolve, 700));
      say([list.length, hashes.length, typeof crypto.randomUUID(), new Date().getFullYear() > 2000]);`;
    assert.deepEqual(await sealed(script), [2_000_000, 32, "string", true]);
  },
});

Deno.test("seal() of a process that was started confined says so, and takes the permissions", async () => {
  const code = `import { seal } from ${
    JSON.stringify(SEAL)
  }; console.log(JSON.stringify([seal({ already: true }),
    Deno.permissions.querySync({ name: "read" }).state]))`;
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "-c", CONFIG, code],
    env: { DENO_NO_UPDATE_CHECK: "1" },
  }).output();
  assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    { permissions: true, seccomp: false, problem: "it was started confined" },
    "prompt",
  ]);
});
