import assert from "node:assert/strict";
import { join } from "node:path";
import { findBaseline } from "../../core/sandbox/baseline.ts";

async function place() {
  const root = await Deno.realPath(await Deno.makeTempDir());
  const home = join(root, "home");
  const make = (...paths: string[]) =>
    Promise.all(paths.map((path) => Deno.mkdir(join(home, path), { recursive: true })));
  await make(".");
  return {
    home,
    root,
    make,
    find: (path: string[], more: { env?: Record<string, string>; own?: string[] } = {}) =>
      findBaseline({
        home,
        env: { PATH: path.join(":"), ...more.env },
        own: more.own ?? [],
        temp: "/t",
      }, "linux"),
    [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }),
  };
}

Deno.test("findBaseline() opens the toolchains of a home, never the home or what else is in it", async () => {
  await using at = await place();
  await at.make(
    ".cargo/bin",
    ".rustup",
    ".pyenv/shims",
    ".ssh",
    ".aws",
    "Documents",
    ".local/share/mise",
    ".local/share/app",
  );
  const { read } = at.find([join(at.home, ".cargo/bin"), join(at.home, ".pyenv/shims"), at.home, "/usr/bin"]);
  const inHome = read.filter((path) => path.startsWith(at.home)).map((path) => path.slice(at.home.length));
  assert.deepEqual(inHome, ["/.cargo", "/.local/share/mise", "/.pyenv", "/.rustup"]);
  assert.ok(read.includes("/usr") && !read.includes("/") && !read.includes("/run"));
});

Deno.test("findBaseline() opens no folder that holds pryx's own, and nothing inside them", async () => {
  await using at = await place();
  await at.make(".local/share/pryx/bin", ".nvm/pryx");
  const own = [join(at.home, ".local/share/pryx"), join(at.home, ".nvm/pryx")];
  const { read } = at.find([join(at.home, ".local/share/pryx/bin"), join(at.home, ".local/share")], { own });
  assert.deepEqual(read.filter((path) => path.startsWith(at.home)), []);
});

Deno.test("findBaseline() opens what lies beside a folder of programs, and where toolchains say they live", async () => {
  await using at = await place();
  await at.make("tools/x/bin", "tools/x/lib", "tools/x/secrets", "gopath/pkg", "gopath/src", "jdk");
  const env = { GOPATH: join(at.home, "gopath"), JAVA_HOME: join(at.home, "jdk"), CARGO_HOME: "relative" };
  const { read } = at.find([join(at.home, "tools/x/bin")], { env });
  const inHome = read.filter((path) => path.startsWith(at.home)).map((path) => path.slice(at.home.length));
  assert.deepEqual(inHome, ["/gopath/pkg", "/jdk", "/tools/x/bin", "/tools/x/lib"]);
});

Deno.test("findBaseline() gives links that programs are named through", async () => {
  await using at = await place();
  await at.make("real/bin");
  await Deno.symlink(join(at.home, "real"), join(at.home, "named"));
  const { read, links } = at.find([join(at.home, "named/bin")]);
  assert.ok(read.includes(join(at.home, "real/bin")));
  assert.ok(
    links.some(({ path, target }) => path === join(at.home, "named") && target === join(at.home, "real")),
  );
});
