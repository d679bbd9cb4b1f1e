import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { PathAccess } from "../../core/domain/envelope.ts";
import { formatNeed } from "../../core/domain/need.ts";
import { type ConfinedPlace, confinedPlace, type KernelName, whyNot } from "./_confined_place.ts";

/** A test for each layer that this machine has; on one without, it is ignored, and says which. */
function onEach(
  layers: readonly KernelName[],
  name: string,
  work: (at: ConfinedPlace, layer: KernelName) => Promise<void>,
): void {
  for (const layer of layers) {
    const why = missing[layer];
    Deno.test({
      name: `${name} (${layer}${why === undefined ? "" : `: ${why}`})`,
      ignore: why !== undefined,
      async fn() {
        await using at = await confinedPlace(layer);
        await work(at, layer);
      },
    });
  }
}
const missing = { bubblewrap: await whyNot("bubblewrap"), landlock: await whyNot("landlock") };
const BOTH: readonly KernelName[] = ["bubblewrap", "landlock"];

const PATH = Deno.env.get("PATH") ?? "/usr/bin:/bin";

const needs = (refusals: readonly { need: { kind: "read" | "write" | string; target: string } }[] = []) =>
  refusals.map(({ need }) => `${need.kind}=${need.target}`);

onEach(BOTH, "a command reads and writes its workspace and its temporary folder", async (at) => {
  await Deno.writeTextFile(join(at.work, "a"), "text");
  const said = await at.sh(
    'cat a && echo new > b && f=$(mktemp) && echo t > "$f" && cat b "$f" && echo "$TMPDIR"',
  );
  assert.equal(said.code, 0, said.out);
  assert.equal(said.out, `textnew\nt\n${(await at.sandbox.baseline()).temp}\n`);
  assert.equal(await Deno.readTextFile(join(at.work, "b")), "new\n");
  assert.deepEqual(said.refusals, []);
});

onEach(BOTH, "a command reads nothing outside, and the refusal names the file", async (at) => {
  const secret = join(at.outside, "secret");
  await Deno.writeTextFile(secret, "CANARY");
  const said = await at.sh(`cat '${secret}'`);
  assert.equal(said.code, 1);
  assert.ok(!said.out.includes("CANARY"));
  assert.deepEqual(needs(said.refusals), [`read=${secret}`]);
  assert.equal((await at.sh(`cat '${secret}'`, { read: [at.work, secret] })).out, "CANARY");
});

onEach(BOTH, "a command writes nothing outside, and the refusal names the file", async (at) => {
  const target = join(at.outside, "made.txt");
  const said = await at.sh(`echo x > '${target}'`);
  assert.notEqual(said.code, 0);
  await assert.rejects(Deno.lstat(target), Deno.errors.NotFound);
  const home = await at.sh('touch "$HOME/made"');
  assert.deepEqual(needs(home.refusals), [`write=${join(at.home, "made")}`]);
});

onEach(
  BOTH,
  "a file that may be written and is not there yet can be made, and leaves nothing when it is not",
  async (at) => {
    const target = join(at.outside, "out.txt");
    const more = { write: [at.work, target] };
    assert.equal((await at.sh("true", more)).code, 0);
    await assert.rejects(Deno.lstat(target), Deno.errors.NotFound);
    assert.equal((await at.sh(`echo x > '${target}'`, more)).code, 0);
    assert.equal(await Deno.readTextFile(target), "x\n");
    const other = await at.sh(`echo x > '${join(at.outside, "other")}'`, more);
    assert.notEqual(other.code, 0);
  },
);

onEach(
  ["bubblewrap"],
  "a closed file cannot be moved to where the next command would not look for it",
  async (at) => {
    await Deno.mkdir(join(at.work, "a/b"), { recursive: true });
    await Deno.writeTextFile(join(at.work, "a/b/.env"), "CANARY");
    const said = await at.sh("mkdir node_modules; mv a node_modules/; mv a/b c; mv a d");
    assert.notEqual(said.code, 0);
    assert.equal(await Deno.readTextFile(join(at.work, "a/b/.env")), "CANARY");
    const next = await at.sh("find . -name .env -exec cat {} +; mkdir a/new && mv a/new a/b/ && ls a/b");
    assert.ok(!next.out.includes("CANARY") && next.out.endsWith("new\n"), next.out);
  },
);

onEach(
  ["bubblewrap"],
  "what pryx keeps for commands cannot be exchanged by one that may write around it",
  async ({ outside: TMPDIR }) => {
    await using at = await confinedPlace("bubblewrap", { env: { PATH, TMPDIR } });
    const { temp } = await at.sandbox.baseline();
    const more = { write: [at.work, TMPDIR] };
    const said = await at.sh(
      'mv "$TMPDIR" "$TMPDIR.old"; cd "$TMPDIR/.."; mv host other; cd ..; mv "$(dirname "$TMPDIR")" moved; ls "$TMPDIR/../host"',
      more,
    );
    assert.notEqual(said.code, 0);
    assert.ok(Deno.lstatSync(temp).isDirectory && Deno.lstatSync(join(dirname(temp), "host")).isDirectory);
    assert.equal((await at.sh('echo x > "$TMPDIR/y" && cat "$TMPDIR/y"', more)).out, "x\n");
  },
);

onEach(
  ["bubblewrap"],
  "what a command writes into the place of bubblewrap's own messages is not taken for one",
  async (at) => {
    const said = await at.sh("echo 'bwrap: not started' >/proc/1/fd/2; ls /proc/self/fd /proc/1/fd; exit 3");
    assert.equal(said.code, 3, said.out);
    assert.ok(!/^6$/m.test(said.out), said.out);
  },
);

onEach(BOTH, "a temporary folder that was exchanged is given to nobody", async (at) => {
  assert.equal((await at.sh("true")).code, 0);
  const { temp } = await at.sandbox.baseline();
  await Deno.rename(temp, `${temp}.old`);
  await Deno.symlink(at.home, temp);
  await assert.rejects(at.sh("true"), { code: "sandbox" });
});

onEach(
  ["bubblewrap"],
  "what other sandboxes keep for their commands is closed",
  async ({ outside: TMPDIR }) => {
    await using at = await confinedPlace("bubblewrap", { env: { PATH, TMPDIR } });
    await using other = await confinedPlace("bubblewrap", { env: { PATH, TMPDIR } });
    assert.equal((await other.sh('echo CANARY > "$TMPDIR/secret"')).code, 0);
    const root = dirname((await other.sandbox.baseline()).temp);
    assert.equal(dirname(root), TMPDIR);
    const said = await at.sh(
      `cat '${root}/tmp/secret'; touch '${root}/host/new'; mv '${root}' '${TMPDIR}/moved'`,
      { write: [at.work, TMPDIR] },
    );
    assert.ok(said.code !== 0 && !said.out.includes("CANARY"), said.out);
    assert.equal((await other.sh('cat "$TMPDIR/secret"')).out, "CANARY\n");
  },
);

onEach(["bubblewrap"], "a folder of pryx's own that is not there yet cannot be made", async ({ outside }) => {
  const own = join(outside, ".config/pryx");
  await using at = await confinedPlace("bubblewrap", { own: [own] });
  const access = (path: string): PathAccess =>
    `${path}/`.startsWith(`${own}/`) ? "none" : prefixes([at.work, outside])(path);
  const more = { write: [at.work, outside], access };
  const said = await at.sh(
    `mkdir -p '${own}' && touch '${own}/config.jsonc'; mv '${outside}/.config' '${outside}/c'`,
    more,
  );
  assert.notEqual(said.code, 0);
  assert.deepEqual([...Deno.readDirSync(own)], []);
  // Where none may be made, none is.
  await using other = await confinedPlace("bubblewrap", { own: [join(outside, "another")] });
  await other.sh("true");
  await assert.rejects(Deno.lstat(join(outside, "another")), Deno.errors.NotFound);
});

onEach(BOTH, "an opened folder that a command exchanged for a link opens nothing to the next", async (at) => {
  const [folder, secret] = [join(at.outside, "folder"), join(at.home, "secret")];
  await Deno.mkdir(folder);
  await Deno.writeTextFile(secret, "CANARY");
  const first = await at.sh(`mv '${folder}' '${folder}.old' && ln -s '${at.home}' '${folder}'`, {
    write: [at.work, at.outside],
  });
  assert.equal(first.code, 0, first.out);
  const more = { write: [at.work, folder], access: prefixes([at.work, folder]) };
  const next = await at.sh(`cat '${folder}/secret' '${secret}'; echo changed > '${folder}/secret'`, more);
  assert.ok(next.code !== 0 && !next.out.includes("CANARY"), next.out);
  assert.equal(await Deno.readTextFile(secret), "CANARY");
});

const prefixes = (roots: readonly string[]) => (path: string): PathAccess =>
  roots.some((root) => `${path}/`.startsWith(`${root}/`)) ? "write" : "none";

onEach(BOTH, "a closed file in a folder that is only read stays closed", async (at) => {
  await Deno.writeTextFile(join(at.work, ".env"), "CANARY");
  await Deno.writeTextFile(join(at.work, "plain"), "plain");
  const said = await at.sh("cat .env; cat plain", { write: [] });
  assert.ok(!said.out.includes("CANARY") && said.out.endsWith("plain"), said.out);
  assert.deepEqual(await at.sandbox.shortfall(await at.envelope({ write: [] })), []);
});

onEach(
  ["bubblewrap"],
  "a closed file in a writable folder is neither read, changed, removed nor moved away",
  async (at) => {
    const file = join(at.work, ".env");
    await Deno.writeTextFile(file, "CANARY");
    assert.deepEqual(await at.sandbox.shortfall(await at.envelope()), []);
    const said = await at.sh("cat .env; echo x > .env; rm -f .env; mv .env e; ln .env e; cp .env e; cat e");
    assert.ok(!said.out.includes("CANARY"), said.out);
    assert.equal(await Deno.readTextFile(file), "CANARY");
    assert.equal((await at.sh("echo y > .envrc && cat .envrc")).out, "y\n");
  },
);

onEach(
  ["bubblewrap"],
  "what is closed to writing cannot be replaced by moving a folder around it",
  async (at) => {
    await Deno.mkdir(join(at.work, "sub/.git/hooks"), { recursive: true });
    await Deno.writeTextFile(join(at.work, "sub/.git/config"), "old");
    const said = await at.sh(
      "cat sub/.git/config; echo x > sub/.git/config; echo x > sub/.git/hooks/pre-commit; mv sub/.git g; mv sub s; " +
        "rm -rf sub; echo ok > sub/.git/HEAD",
    );
    assert.ok(said.out.startsWith("old"), said.out);
    assert.equal(await Deno.readTextFile(join(at.work, "sub/.git/config")), "old");
    await assert.rejects(Deno.lstat(join(at.work, "sub/.git/hooks/pre-commit")), Deno.errors.NotFound);
    assert.equal(await Deno.readTextFile(join(at.work, "sub/.git/HEAD")), "ok\n");
    const busy = await at.sh("mv sub/.git g");
    assert.ok(needs(busy.refusals).includes(`write=${join(at.work, "sub/.git/config")}`), busy.out);
    const allowed = join(at.work, "sub/.git/config");
    assert.equal((await at.sh("echo new > sub/.git/config", { write: [at.work, allowed] })).code, 0);
  },
);

onEach(
  ["landlock"],
  "what cannot be closed in a writable folder is said before, and must have been accepted",
  async (at) => {
    await Deno.writeTextFile(join(at.work, ".env"), "CANARY");
    await Deno.mkdir(join(at.work, ".git/hooks"), { recursive: true });
    await Deno.writeTextFile(join(at.work, ".git/config"), "");
    const short = await at.sandbox.shortfall(await at.envelope());
    assert.deepEqual(short.map(formatNeed), [
      `read=${at.work}/.env`,
      `write=${at.work}/.git/config`,
      `write=${at.work}/.git/hooks`,
    ]);
    assert.ok(short.every(({ reach }) => reach?.includes("bubblewrap")));
    await assert.rejects(at.sh("echo ran > ran", {}, { accepted: short.slice(1) }), { code: "sandbox" });
    await assert.rejects(Deno.lstat(join(at.work, "ran")), Deno.errors.NotFound);
    assert.equal((await at.sh("echo ran > ran", {}, { accepted: short })).code, 0);
  },
);

onEach(BOTH, "a closed file with another name is said to be within reach", async (at) => {
  await Deno.writeTextFile(join(at.work, ".env"), "CANARY");
  await Deno.link(join(at.work, ".env"), join(at.outside, "other"));
  const short = await at.sandbox.shortfall(await at.envelope({ write: [] }));
  assert.deepEqual(short.map(formatNeed), [`read=${at.work}/.env`]);
  assert.match(short[0]?.reach ?? "", /hard link/);
});

onEach(BOTH, "a closed file that came up after the last command is closed for the next", async (at) => {
  assert.equal((await at.sh("true", { write: [], key: "same" })).code, 0);
  await Deno.mkdir(join(at.work, "deep"));
  await Deno.writeTextFile(join(at.work, "deep/.env"), "CANARY");
  const said = await at.sh("cat deep/.env", { write: [], key: "same" });
  assert.ok(!said.out.includes("CANARY") && said.code !== 0, said.out);
});

onEach(BOTH, "hosts are no network where they cannot be told apart", async (at) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    const network = { hosts: ["example.com"], allows: () => true };
    const short = await at.sandbox.shortfall(await at.envelope({ network }));
    assert.deepEqual(short.map(formatNeed), ["net=**"]);
    const { port } = listener.addr as Deno.NetAddr;
    const said = await at.sh(`exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected`, { network }, {
      argv: ["/bin/bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected`],
    });
    assert.ok(!said.out.includes("connected"), said.out);
  } finally {
    listener.close();
  }
});

onEach(BOTH, "net=** opens the network of this machine", async (at) => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept().then((conn) => conn.close());
  const { port } = listener.addr as Deno.NetAddr;
  const said = await at.sh("", { network: "all" }, {
    argv: ["/bin/bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${port} && echo connected`],
  });
  assert.equal(said.out, "connected\n");
  await accepted;
  listener.close();
});

onEach(
  ["bubblewrap"],
  "a command sees its own processes and no others, and what left its group ends with it",
  async (at) => {
    const said = await at.sh("ls /proc | grep -c '^[0-9]*$'; cat /proc/1/comm");
    assert.match(said.out, /^[2-9]\nbwrap\n$/);
    const late = await at.sh("setsid sh -c 'sleep 1; echo x > late' >/dev/null 2>&1 & exec sleep 60", {}, {
      timeoutMs: 300,
    });
    assert.deepEqual([late.timedOut, late.signal, late.background], [true, "SIGTERM", false]);
  },
);

onEach(
  BOTH,
  "a background process that let go of the pipes goes on until the sandbox is closed",
  async (at) => {
    const said = await at.sh("(while :; do echo x >> beat; sleep 0.02; done) >/dev/null 2>&1 & echo started");
    assert.deepEqual([said.out, said.background], ["started\n", true]);
    const beat = join(at.work, "beat");
    const size = async () => (await Deno.stat(beat).catch(() => ({ size: 0 }))).size;
    const until = async (more: number) => {
      const end = Date.now() + 10_000;
      while (await size() <= more) {
        assert.ok(Date.now() < end, "it stopped");
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await until(0);
    await until(await size() + 4);
  },
);

onEach(BOTH, "a failing command is no refusal when the host says the same", async (at) => {
  const said = await at.sh(`cat missing; cat '${at.outside}/missing'; ls /nonexistent-xyz; false`);
  assert.equal(said.code, 1);
  assert.deepEqual(said.refusals, []);
});

onEach(BOTH, "git commits in a workspace with the user's name from home", async (at) => {
  await Deno.writeTextFile(join(at.home, ".gitconfig"), "[user]\nname = A\nemail = a@example.com\n");
  const more = { read: [at.work, join(at.home, ".gitconfig")] };
  const said = await at.sh(
    "git init -q . && echo x > f && git add f && git commit -qm one && git log --format=%an",
    more,
  );
  assert.equal(said.out, "A\n");
});

onEach(
  ["bubblewrap"],
  "hosts are reached through the proxy alone, and what was reached or refused is told",
  async (at) => {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response("from outside"),
    );
    const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
    const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
    const self = [Deno.execPath(), "run", "-A", "--no-lock", "--config", config, main] as const;
    // From source, the bridge is compiled once; with a home of its own it would be again.
    const DENO_DIR = Deno.env.get("DENO_DIR") ?? join(Deno.env.get("HOME") ?? "/", ".cache/deno");
    const env = { PATH: Deno.env.get("PATH") ?? "/usr/bin:/bin", DENO_DIR };
    await using proxied = await confinedPlace("bubblewrap", { self, env });
    const { port } = server.addr;
    const network = {
      hosts: [`127.0.0.1:${port}`],
      allows: (host: string, asked: number) => host === "127.0.0.1" && asked === port,
    };
    assert.deepEqual(await proxied.sandbox.shortfall(await proxied.envelope({ network })), []);
    const get = (to: string) =>
      [
        "/bin/bash",
        "-c",
        `p=\${http_proxy##*:}; exec 3<>/dev/tcp/127.0.0.1/$p; printf 'GET http://${to}/ HTTP/1.1\\r\\nHost: ${to}\\r\\nConnection: close\\r\\n\\r\\n' >&3; cat <&3`,
      ] as const;
    const good = await proxied.sh("", { network }, { argv: get(`127.0.0.1:${port}`) });
    assert.ok(good.out.endsWith("from outside"), good.out);
    assert.deepEqual(good.connected, [`127.0.0.1:${port}`]);
    const bad = await proxied.sh("", { network }, { argv: get("example.com:80") });
    assert.deepEqual([bad.connected, needs(bad.refusals)], [undefined, ["net=example.com:80"]]);
    const straight = await proxied.sh("", { network }, {
      argv: ["/bin/bash", "-c", "exec 3<>/dev/tcp/192.0.2.1/80 && echo connected"],
    });
    assert.ok(!straight.out.includes("connected"));
    await server.shutdown();
    await at.sh("true");
  },
);

onEach(BOTH, "settings of the kernel are no files to write, not even for root", async (at) => {
  const files = ["/proc/sys/kernel/core_pattern", "/proc/sys/vm/drop_caches", "/sys/kernel/mm/ksm/run"];
  const read = await at.sh(`cat ${files[0]}`);
  assert.equal(read.code, 0, read.out);
  // Opened for appending and closed: nothing is written, should it open.
  for (const file of files.filter((file) => file !== "/sys/kernel/mm/ksm/run" || hasFile(file))) {
    const said = await at.sh(`( : >> ${file} ) 2>/dev/null && echo opened`);
    assert.equal(said.out, "", file);
  }
});

onEach(BOTH, "Unix sockets open only when they were granted", async (at) => {
  const python = "import socket; socket.socket(socket.AF_UNIX); print('made')";
  const closed = await at.sh(`python3 -c "${python}"`, {}, { argv: ["python3", "-c", python] });
  assert.ok(!closed.out.includes("made"), closed.out);
  const open = await at.sh("", { unixSockets: true }, { argv: ["python3", "-c", python] });
  assert.ok(open.out.endsWith("made\n"), open.out);
});

Deno.test({
  name: "a bwrap that an agent could have written is never used",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const work = await Deno.realPath(await Deno.makeTempDir());
    try {
      await Deno.writeTextFile(join(work, "bwrap"), "#!/bin/sh\necho planted; exit 0\n", { mode: 0o755 });
      const PATH = `${work}:${Deno.env.get("PATH")}`;
      await using at = await confinedPlace("bubblewrap", { env: { PATH }, scopes: [work] });
      const layer = (await at.sandbox.layers()).find(({ name }) => name === "bubblewrap");
      assert.ok(!layer?.detail.includes(work), layer?.detail);
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  },
});

function hasFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
