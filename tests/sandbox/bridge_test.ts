import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { selfArgv } from "../../core/domain/self_argv.ts";
import { hostReach } from "../../core/sandbox/_proxy_grants.ts";
import { bridgeArgv } from "../../core/sandbox/bridge.ts";
import { createProxy } from "../../core/sandbox/proxy.ts";
import { kernelLayers } from "../support/kernel_layers.ts";

const SELF = selfArgv({
  standalone: false,
  execPath: Deno.execPath(),
  main: fileURLToPath(new URL("../../main.ts", import.meta.url)),
});

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly notices: readonly string[];
}

/** Runs a script behind the bridge, in a network namespace of its own, with these hosts granted. */
async function behindBridge(hosts: readonly string[], script: string, server: number): Promise<Ran> {
  const folder = await Deno.makeTempDir({ prefix: "pryx bridge " });
  const notices: string[] = [];
  try {
    await using proxy = await createProxy({
      socketPath: join(folder, "s"),
      reach: hostReach(hosts),
      env: {},
      onNotice: ({ kind, host, port }) => notices.push(`${kind} ${host}:${port}`),
      resolve: () => Promise.resolve(["93.184.216.34"]),
      connect: (address, port) =>
        Deno.connect({ hostname: "127.0.0.1", port: address === "93.184.216.34" ? server : port }),
    });
    const args = ["--unshare-user", "--unshare-net", "--dev-bind", "/", "/", "--"];
    const { code, stdout } = await new Deno.Command("bwrap", {
      args: [...args, ...bridgeArgv(SELF, proxy.socketPath, hosts, ["/bin/sh", "-c", script])],
      stderr: "null",
    }).output();
    return { code, stdout: new TextDecoder().decode(stdout), notices };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function server(text: string): AsyncDisposable & { port: number } {
  const served = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => new Response(text));
  return { port: served.addr.port, [Symbol.asyncDispose]: () => served.shutdown() };
}

const ignore = !kernelLayers.bubblewrap;

Deno.test({
  name: "behind the bridge a granted host is reached, and nothing else is",
  ignore,
  async fn() {
    await using granted = server("granted ");
    await using other = server("other ");
    const curl = "curl -s -m 10 -o - -w '%{http_code}\\n'";
    const { stdout, code, notices } = await behindBridge(
      [`127.0.0.1:${granted.port}`, "public.test"],
      [
        `${curl} http://public.test/`,
        `${curl} -p http://public.test/`,
        `${curl} http://127.0.0.1:${granted.port}/`,
        `${curl} http://127.0.0.1:${other.port}/`,
        `${curl} --noproxy '' http://127.0.0.1:${other.port}/ | tail -n 1`,
        `${curl} --noproxy '*' http://93.184.216.34/`,
        `${curl} --noproxy '*' http://public.test/`,
        `${curl} http://other.test/ | tail -n 1`,
        "exit 7",
      ].join("\n"),
      granted.port,
    );
    assert.deepEqual(stdout.trim().split("\n"), [
      "granted 200",
      "granted 200",
      "granted 200",
      "000",
      "403",
      "000",
      "000",
      "403",
    ]);
    assert.equal(code, 7);
    assert.deepEqual(notices, [
      "connected public.test:80",
      "connected public.test:80",
      `connected 127.0.0.1:${granted.port}`,
      `refused 127.0.0.1:${other.port}`,
      "refused other.test:80",
    ]);
  },
});

Deno.test({
  name: "the bridge ends as its program does",
  ignore,
  async fn() {
    assert.equal((await behindBridge([], "kill -TERM $$", 1)).code, 128 + 15);
    assert.equal((await behindBridge([], "exit 0", 1)).code, 0);
    const { code } = await new Deno.Command(SELF[0], {
      args: [...SELF.slice(1), "__bridge", "/nowhere", "--", "/no/such/program"],
      stdout: "null",
      stderr: "null",
    }).output();
    assert.equal(code, 125);
  },
});

Deno.test("bridgeArgv() offers granted places of this machine that name a port, and nothing else", () => {
  const hosts = [
    "127.0.0.1:5432",
    "localhost:3000",
    "[::1]:6379",
    "127.0.0.1",
    "*",
    "example.org:443",
    "10.0.0.1:80",
  ];
  assert.deepEqual(bridgeArgv(["pryx"], "/s", hosts, ["curl", "--", "x"]), [
    "pryx",
    "__bridge",
    "/s",
    "--forward=127.0.0.1:5432",
    "--forward=localhost:3000",
    "--forward=[::1]:6379",
    "--",
    "curl",
    "--",
    "x",
  ]);
});
