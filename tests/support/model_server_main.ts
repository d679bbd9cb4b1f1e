import { type ModelAnswer, type ModelServerOptions, startModelServer } from "./model_server.ts";

/**
 * The model server as a process of its own: `deno run -A model_server_main.ts SCRIPT.json`. The file holds a list of
 * answers, or `{"answers": [...], "options": {...}}`. Prints its URL as the first line of stdout, then one line of JSON
 * per request for an answer (`{path, body}`). Ends on SIGTERM, or when its standard input closes.
 */
if (import.meta.main) {
  const [file] = Deno.args;
  if (file === undefined) throw new Error("Usage: model_server_main.ts SCRIPT.json");
  const parsed = JSON.parse(await Deno.readTextFile(file)) as
    | ModelAnswer[]
    | { answers: ModelAnswer[]; options?: ModelServerOptions };
  const { answers, options } = Array.isArray(parsed) ? { answers: parsed, options: {} } : parsed;
  const encoder = new TextEncoder();
  const print = (line: string) => Deno.stdout.writeSync(encoder.encode(`${line}\n`));

  await using server = await startModelServer((request, index) => {
    print(JSON.stringify({ path: request.path, body: request.body }));
    const answer = answers[options?.repeat && answers.length > 0 ? index % answers.length : index];
    return answer ?? {
      status: 400,
      body: { error: { message: `The script has ${answers.length} answers; this is request ${index + 1}` } },
    };
  }, options);
  print(server.url);
  for await (const _ of Deno.stdin.readable) { /* until whoever started it goes */ }
}
