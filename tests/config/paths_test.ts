import assert from "node:assert/strict";
import { findPaths } from "../../core/config/paths.ts";
import { PryxError } from "../../core/domain/error.ts";

Deno.test("findPaths() uses the XDG defaults on Linux", () => {
  assert.deepEqual(findPaths({ env: { HOME: "/home/ann" }, platform: "linux" }), {
    home: "/home/ann",
    config: "/home/ann/.config/pryx",
    data: "/home/ann/.local/share/pryx",
    state: "/home/ann/.local/state/pryx",
    cache: "/home/ann/.cache/pryx",
    configFile: "/home/ann/.config/pryx/config.jsonc",
    database: "/home/ann/.local/share/pryx/pryx.db",
    managed: "/etc/pryx",
  });
});

Deno.test("findPaths() follows absolute XDG variables and ignores relative and empty ones", () => {
  const env = {
    HOME: "/home/ann",
    XDG_CONFIG_HOME: "/c",
    XDG_DATA_HOME: "data",
    XDG_STATE_HOME: "",
    XDG_CACHE_HOME: "/k",
  };
  const paths = findPaths({ env, platform: "linux" });
  assert.equal(paths.config, "/c/pryx");
  assert.equal(paths.data, "/home/ann/.local/share/pryx");
  assert.equal(paths.state, "/home/ann/.local/state/pryx");
  assert.equal(paths.cache, "/k/pryx");
});

Deno.test("findPaths() puts everything but the managed folder below PRYX_HOME", () => {
  for (const platform of ["linux", "darwin"] as const) {
    const env = { HOME: "/home/ann", PRYX_HOME: "/p q", XDG_CONFIG_HOME: "/c" };
    const paths = findPaths({ env, platform });
    for (const path of [paths.configFile, paths.database, paths.data, paths.state, paths.cache]) {
      assert.ok(path.startsWith("/p q/"), path);
    }
    assert.equal(paths.config, "/p q");
    assert.equal(paths.home, "/home/ann");
    assert.equal(paths.managed, "/etc/pryx");
  }
});

Deno.test("findPaths() makes a relative PRYX_HOME absolute, and needs no HOME beside it", () => {
  const paths = findPaths({ env: { PRYX_HOME: "here" }, platform: "linux" });
  assert.equal(paths.config, `${Deno.cwd()}/here`);
});

Deno.test("findPaths() uses the platform's places on macOS and Windows", () => {
  const mac = findPaths({ env: { HOME: "/Users/ann", XDG_CONFIG_HOME: "/c" }, platform: "darwin" });
  assert.equal(mac.configFile, "/Users/ann/Library/Application Support/pryx/config.jsonc");
  assert.equal(mac.cache, "/Users/ann/Library/Caches/pryx");
  const env = { USERPROFILE: "C:\\Users\\ann", PROGRAMDATA: "D:\\mine" };
  const windows = findPaths({ env, platform: "windows" });
  assert.equal(windows.configFile, "C:\\Users\\ann\\AppData\\Roaming\\pryx\\config.jsonc");
  assert.equal(windows.database, "C:\\Users\\ann\\AppData\\Local\\pryx\\data\\pryx.db");
  assert.equal(windows.managed, "C:\\ProgramData\\pryx");
});

Deno.test("findPaths() no variable moves the managed folder", () => {
  const env = { HOME: "/h", PRYX_HOME: "/p", PRYX_MANAGED: "/x", XDG_CONFIG_DIRS: "/y" };
  assert.equal(findPaths({ env, platform: "linux" }).managed, "/etc/pryx");
});

Deno.test("findPaths() says what to set when there is no home folder", () => {
  assert.throws(
    () => findPaths({ env: {}, platform: "linux" }),
    (error) =>
      error instanceof PryxError && error.code === "usage" && /HOME or PRYX_HOME/.test(error.fix ?? ""),
  );
  assert.equal(findPaths({ env: {}, platform: "linux", home: "/root" }).home, "/root");
});
