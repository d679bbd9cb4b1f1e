import assert from "node:assert/strict";
import { confinedPlace, whyNot } from "./_confined_place.ts";

const why = await whyNot("bubblewrap");

const SERVER = `python3 -c '
import socket
s = socket.create_server(("127.0.0.1", 0))
open("port", "w").write(str(s.getsockname()[1]))
while True:
    c, _ = s.accept()
    c.send(b"an answer")
    c.close()
' >log 2>&1 & while [ ! -s port ]; do sleep 0.02; done`;
const ASK = `python3 -c '
import socket
print(socket.create_connection(("127.0.0.1", int(open("port").read())), 5).recv(99).decode())'`;

Deno.test({
  name: "a server in the background answers later commands that share the loopback, and nobody else",
  ignore: why !== undefined,
  async fn() {
    await using at = await confinedPlace("bubblewrap");
    const shared = { sharesLoopback: true };
    const served = await at.sh(SERVER, {}, shared);
    assert.equal(served.background, true, served.out);
    assert.equal((await at.sh(ASK, {}, shared)).out, "an answer\n");
    assert.match((await at.sh(ASK)).out, /refused/);
    assert.match((await at.sh("pkill python3; true; " + ASK, {}, shared)).out, /an answer/);
    const port = Number(await Deno.readTextFile(`${at.work}/port`));
    await assert.rejects(Deno.connect({ hostname: "127.0.0.1", port }), Deno.errors.ConnectionRefused);
    // It is ended on request, and its port is free again.
    const ended = await at.sh(`rm port; ${SERVER}; ${ASK}`, {}, { ...shared, endsBackground: true });
    assert.equal(ended.out, "an answer\n");
    await Deno.writeTextFile(`${at.work}/port`, String(port));
    assert.match((await at.sh(ASK, {}, shared)).out, /refused/);
    // One that may go out has a network of its own.
    const network = { hosts: ["example.org"], allows: () => true };
    assert.match((await at.sh(ASK, { network }, shared)).out, /refused/);
  },
});

Deno.test({
  name: "commands that share their loopback reach nothing of this machine's, and own no network",
  ignore: why !== undefined,
  async fn() {
    await using at = await confinedPlace("bubblewrap");
    using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    await Deno.writeTextFile(`${at.work}/port`, String(listener.addr.port));
    assert.match((await at.sh(ASK, {}, { sharesLoopback: true })).out, /refused/);
    const said = await at.sh(
      "grep CapEff /proc/self/status; cut -d: -f1 /proc/net/dev | tail -n +3; unshare --net true; nsenter --net=/proc/1/ns/net true",
      {},
      { sharesLoopback: true },
    );
    assert.match(said.out, /^CapEff:\t0+\n *lo\n/);
    assert.equal(said.out.match(/not permitted/g)?.length, 2, said.out);
  },
});
