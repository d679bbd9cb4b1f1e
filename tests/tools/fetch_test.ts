import assert from "node:assert/strict";
import { fetchTool } from "../../core/tools/fetch.ts";
import { nestingDepth, plainText } from "../../core/tools/_plain_text.ts";
import { MAX_RESULT_CHARS } from "../../core/tools/tool.ts";
import type { ProcessResult, ProcessSpec } from "../../core/sandbox/sandbox.ts";
import { createToolContext } from "../support/tool_context.ts";
import { withoutBubblewrap } from "../support/without_bubblewrap.ts";

type Handler = (request: Request) => Response | Promise<Response>;

function serve(handler: Handler): AsyncDisposable & { origin: string; host: string } {
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
    onError: () => new Response(),
  }, handler);
  const host = `127.0.0.1:${server.addr.port}`;
  return { origin: `http://${host}`, host, [Symbol.asyncDispose]: () => server.shutdown() };
}

const html = (body: string, init: ResponseInit = {}) =>
  new Response(body, { ...init, headers: { "content-type": "text/html; charset=utf-8", ...init.headers } });

const ARTICLE =
  `<!doctype html><html><head><title>On  sorting</title><script>alert("script text")</script></head><body>
<nav><a href="/home">Home</a></nav><article><h1>Sorting</h1>${
    "<p>Sorting is the act of putting things in order, which people do, often, and at length.</p>".repeat(12)
  }<p>See <a href="../more?x=1">more</a> and <a href="javascript:alert(1)">this</a>.</p>
<pre><code>sort -u file</code></pre><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td>2</td></tr></tbody></table></article></body></html>`;

Deno.test("fetch turns an article into markdown, with whole links, and taints with where it came from", async () => {
  await using server = serve(() => html(ARTICLE));
  await using at = await createToolContext();
  const url = `${server.origin}/docs/a/page.html#part`;
  const result = await at.call(fetchTool, { url });
  assert.equal(result.failed, undefined);
  assert.equal(result.taints, `${server.origin}/docs/a/page.html`);
  assert.match(result.text, /^HTTP 200 OK · .*page\.html · text\/html\nTitle: On sorting\n\n/);
  assert.ok(result.text.includes(`[more](${server.origin}/docs/more?x=1)`));
  assert.match(result.text, /```\nsort -u file\n```/);
  assert.match(result.text, /\| a +\| b +\|/);
  assert.doesNotMatch(result.text, /script text|javascript:|Home/);
  assert.deepEqual(await at.needs(fetchTool, { url }), [`net=${server.host}`]);
});

Deno.test("fetch keeps the links of a page that is no article", async () => {
  await using server = serve(() => html("<h1>Index</h1><ul><li><a href=/a>A</a><li><a href=/b>B</a></ul>"));
  await using at = await createToolContext();
  const { text } = await at.call(fetchTool, { url: server.origin });
  assert.match(text, /# Index/);
  assert.ok(text.includes(`[A](${server.origin}/a)`) && text.includes(`[B](${server.origin}/b)`), text);
});

Deno.test("fetch names hosts as rules do", async () => {
  await using at = await createToolContext();
  const cases: [string, string][] = [
    ["https://EXAMPLE.org./x", "net=example.org:443"],
    ["http://example.org", "net=example.org:80"],
    ["http://[::1]:8080/", "net=[::1]:8080"],
    ["http://0x7f.1/", "net=127.0.0.1:80"],
  ];
  for (const [url, need] of cases) assert.deepEqual(await at.needs(fetchTool, { url }), [need]);
  for (
    const url of [
      "ftp://example.org",
      "file:///etc/passwd",
      "example.org",
      "http://user:pw@example.org",
      "nonsense",
    ]
  ) {
    await assert.rejects(async () => await at.needs(fetchTool, { url }), { code: "input_invalid" });
  }
});

Deno.test("fetch follows a redirect on the same host without asking, and asks for another", async () => {
  await using other = serve(() => new Response("moved here", { headers: { "content-type": "text/plain" } }));
  await using server = serve(({ url }) =>
    new URL(url).pathname === "/near"
      ? new Response("near", { headers: { "content-type": "text/plain" } })
      : Response.redirect(
        new URL(url).pathname === "/far" ? `${other.origin}/x` : `${new URL(url).origin}/near`,
        302,
      )
  );
  await using at = await createToolContext({ grant: [other.host] });
  assert.match((await at.call(fetchTool, { url: `${server.origin}/start` })).text, /near$/);
  assert.deepEqual(at.required, []);
  const far = await at.call(fetchTool, { url: `${server.origin}/far` });
  assert.match(far.text, /moved here$/);
  assert.equal(far.taints, `${other.origin}/x`);
  assert.deepEqual(at.required, [{ kind: "net", target: other.host }]);
});

Deno.test("fetch is denied, and sends nothing, when a redirect goes where it may not", async () => {
  let reached = 0;
  await using other = serve(() => {
    reached++;
    return new Response("secret");
  });
  await using server = serve(() => Response.redirect(other.origin, 307));
  await using at = await createToolContext();
  await assert.rejects(at.call(fetchTool, { url: server.origin }), { code: "denied" });
  assert.equal(reached, 0);
});

Deno.test("fetch gives up on redirects that never end or lead out of the web", async () => {
  let target = "";
  await using server = serve(({ url }) =>
    new Response(null, { status: 302, headers: { location: target || url } })
  );
  await using at = await createToolContext();
  const endless = await at.call(fetchTool, { url: server.origin });
  assert.ok(endless.failed);
  assert.match(endless.text, /more than 10 redirects/);
  for (const bad of ["file:///etc/passwd", "http://user:pw@127.0.0.1/"]) {
    target = bad;
    await assert.rejects(at.call(fetchTool, { url: server.origin }), { code: "input_invalid" });
  }
});

Deno.test("fetch refuses to go from https to http", async () => {
  await using at = await createToolContext({ grant: ["plain.test:80"] });
  const context = {
    ...at.ctx,
    fetch: () =>
      Promise.resolve(new Response(null, { status: 301, headers: { location: "http://plain.test/" } })),
  };
  const result = await fetchTool.run({ url: "https://safe.test/" }, context);
  assert.ok(result.failed);
  assert.match(result.text, /from https to http/);
  assert.deepEqual(at.required, []);
});

Deno.test("fetch stops reading an endless body, and one that unpacks to more than the limit", async () => {
  const cancelled = Promise.withResolvers<void>();
  await using server = serve(({ url }) => {
    if (new URL(url).pathname === "/endless") {
      const chunk = new TextEncoder().encode("x".repeat(65_535) + "\n");
      const body = new ReadableStream({
        pull: (controller) => controller.enqueue(chunk),
        cancel: () => cancelled.resolve(),
      });
      return new Response(body, { headers: { "content-type": "text/plain" } });
    }
    const zeros = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 40; i++) controller.enqueue(new Uint8Array(1024 * 1024).fill(0x61));
        controller.close();
      },
    });
    return new Response(zeros.pipeThrough(new CompressionStream("gzip")), {
      headers: { "content-type": "text/plain", "content-encoding": "gzip" },
    });
  });
  await using at = await createToolContext();
  const endless = await at.call(fetchTool, { url: `${server.origin}/endless` });
  await cancelled.promise;
  assert.match(endless.text, /only the first 5\.0 MB were read/);
  assert.ok(endless.text.length <= MAX_RESULT_CHARS);
  const bomb = await at.call(fetchTool, { url: `${server.origin}/bomb` });
  assert.match(bomb.text, /only the first 5\.0 MB were read/);
  assert.equal((await Deno.stat(bomb.outputFile ?? "")).size > 5 * 1024 * 1024, true);
});

Deno.test("fetch shows JSON as it is, and refuses what is no text with type and size", async () => {
  await using server = serve(({ url }) =>
    new URL(url).pathname === "/json"
      ? Response.json({ a: [1, 2] })
      : new Response(new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]), {
        headers: { "content-type": "image/png" },
      })
  );
  await using at = await createToolContext();
  assert.match((await at.call(fetchTool, { url: `${server.origin}/json` })).text, /\n\n\{"a":\[1,2\]\}$/);
  const image = await at.call(fetchTool, { url: `${server.origin}/png` });
  assert.ok(image.failed);
  assert.match(image.text, /image\/png \(PNG image\), 8 bytes, cannot be shown/);
});

Deno.test("fetch shows an error page as failed, with its text", async () => {
  await using server = serve(() => html("<h1>No such page</h1>", { status: 404, statusText: "Not Found" }));
  await using at = await createToolContext();
  const result = await at.call(fetchTool, { url: server.origin });
  assert.ok(result.failed);
  assert.match(result.text, /^HTTP 404 Not Found[\s\S]*# No such page$/);
  assert.ok(result.taints);
});

Deno.test("fetch decodes by header, by what the page says, and by its mark", async () => {
  const bodies: Record<string, [string, number[] | Uint8Array]> = {
    "/header": ["text/plain; charset=iso-8859-1", [0x63, 0x61, 0x66, 0xe9]],
    "/meta": [
      "text/html",
      new Uint8Array([...new TextEncoder().encode('<meta charset="windows-1252">caf'), 0xe9]),
    ],
    "/mark": ["text/plain", [0xff, 0xfe, 0x63, 0, 0x61, 0, 0x66, 0, 0xe9, 0]],
    "/unknown": ["text/plain; charset=klingon", new TextEncoder().encode("café")],
  };
  await using server = serve(({ url }) => {
    const [type, bytes] = bodies[new URL(url).pathname] ?? ["", []];
    return new Response(new Uint8Array(bytes), { headers: { "content-type": type } });
  });
  await using at = await createToolContext();
  for (const path of Object.keys(bodies)) {
    assert.match((await at.call(fetchTool, { url: server.origin + path })).text, /\n\ncafé$/, path);
  }
});

Deno.test("fetch shows bare text of pages that would be too much for a parser", async () => {
  let page = "";
  await using server = serve(() => html(page));
  await using at = await createToolContext();
  page = `${"<div>".repeat(50_000)}deep &amp; down`;
  assert.match(
    (await at.call(fetchTool, { url: server.origin })).text,
    /too deeply nested[^]*deep & down$/,
  );
  page = `<table>${"<tr><td>a<td>b".repeat(30_000)}`;
  assert.match((await at.call(fetchTool, { url: server.origin })).text, /too many elements/);
  page = `<table>${"<tr><td>a<td>b".repeat(3_000)}`;
  assert.match((await at.call(fetchTool, { url: server.origin })).text, /too many elements/);
  page = `<p>start</p><!-- ${"x".repeat(3_000_000)} --><script>var hidden</script><p>end &#233;</p>`;
  const large = await at.call(fetchTool, { url: server.origin });
  assert.match(large.text, /too large to be converted[^]*start\nend é$/);
});

Deno.test("fetch ends when it is cancelled, and says when nothing answers", async () => {
  const asked = Promise.withResolvers<void>();
  const never = Promise.withResolvers<Response>();
  const abort = new AbortController();
  {
    await using server = serve(() => {
      asked.resolve();
      return never.promise;
    });
    await using at = await createToolContext({ signal: abort.signal });
    const call = at.call(fetchTool, { url: server.origin });
    await asked.promise;
    abort.abort(new Error("stopped by the person"));
    await assert.rejects(call, /stopped by the person/);
    never.resolve(new Response());
  }
  await using at = await createToolContext();
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr as Deno.NetAddr;
  closed.close();
  const result = await at.call(fetchTool, { url: `http://127.0.0.1:${port}/` });
  assert.ok(result.failed);
  assert.match(result.text, /refused/i);
});

Deno.test("plainText() and nestingDepth() read broken pages in one pass", () => {
  assert.equal(plainText("a < b <b>c</b><br>d<script>x</scr"), "a < b c\nd");
  assert.equal(plainText("<!-- never closed"), "");
  assert.equal(plainText("x &#0; &#x110000; &bogus; &lt;"), "x &#0; &#x110000; &bogus; <");
  assert.equal(nestingDepth("<div><p>a<p>b<br><span>c</span></div><div></div>"), 2);
});

Deno.test("fetch shows bare text when the process that converts a page is stopped, and says why", async () => {
  await using server = serve(() => html("<h1>Index</h1><p>text"));
  const stopped: [Partial<ProcessResult>, RegExp][] = [
    [{ timedOut: true, code: null, signal: "SIGKILL" }, /took longer than 10 s/],
    [{ code: null, signal: "SIGABRT" }, /more memory than it may/],
  ];
  for (const [ending, why] of stopped) {
    const specs: ProcessSpec[] = [];
    await using at = await createToolContext({
      async run(spec, run) {
        specs.push(spec);
        return { ...await run(spec), ...ending };
      },
    });
    const { text } = await at.call(fetchTool, { url: server.origin });
    assert.match(text, why);
    assert.match(text, /Index\ntext$/);
    assert.deepEqual(specs.map(({ argv, self }) => [...argv, self]), [["__page", true]]);
  }
});

Deno.test("fetch converts pages where bubblewrap is not installed, too", async () => {
  await using search = await withoutBubblewrap();
  await using server = serve(() => html("<h1>Index</h1><p>text"));
  await using at = await createToolContext({ env: { PATH: search.path } });
  assert.match((await at.call(fetchTool, { url: server.origin })).text, /# Index\n\ntext$/);
});

Deno.test("fetch is not led by a page from outside to this machine, whoever allows the redirect", async () => {
  let reached = 0;
  await using inner = serve(() => {
    reached++;
    return new Response("inner", { headers: { "content-type": "text/plain" } });
  });
  await using at = await createToolContext({ grant: [inner.host] });
  const outside = {
    ...at.ctx,
    // The first answer stands for a page on the web.
    fetch: (url: string, init: Parameters<typeof at.ctx.fetch>[1]) =>
      url.startsWith("http://public.test")
        ? Promise.resolve(new Response(null, { status: 302, headers: { location: inner.origin } }))
        : at.ctx.fetch(url, init),
  };
  await assert.rejects(async () => await fetchTool.run({ url: "http://public.test/" }, outside), {
    code: "denied",
  });
  assert.deepEqual([reached, at.required.length], [0, 1]);
  assert.match((await at.call(fetchTool, { url: inner.origin })).text, /inner$/);
});
