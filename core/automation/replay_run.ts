import { API_VERSION } from "../domain/automation.ts";
import type { Cassette, Recording } from "../domain/cassette.ts";
import { ERROR_CODES, type ErrorCode, PryxError, toPryxError } from "../domain/error.ts";
import { NO_USAGE } from "../domain/message.ts";
import { hidePlaces, showPlaces } from "../domain/places.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { linkCell } from "./_cell_link.ts";
import { describeFailure } from "./_failure.ts";
import { type Portable, REPLAY_PLACES, replayPortable, shownInReplay } from "./_portable.ts";
import { diffOf } from "./_replay_diff.ts";
import { showReplay } from "./_replay_show.ts";
import type { AutomationReplay, ReplayedChange, ReplayEnd } from "./automation.ts";
import { type AutomationError, fromWireError, toWireError } from "./conversation.ts";
import { createOverlay, type RealFile } from "./overlay.ts";
import { createPlayer, type Cue, type Difference } from "./play.ts";
import { fromCell, toCell } from "./record_run.ts";
import { type EndEntry, readTape, type StartEntry, type Tape, type TapeEntry } from "./tape.ts";
import type { ToCell } from "./wire.ts";

export interface ReplayParts {
  sandbox(): Promise<Sandbox>;
  readonly redact: (text: string) => string;
  /** Absolute path of the person's home. */
  readonly home: string;
  readCassette(file: string): Promise<Cassette>;
  /** A cassette to write, in the place of `file`. */
  record(file: string): Promise<Recording>;
  /** What really stands at a path below the project's root, for the comparison at the end. */
  real(path: string): Promise<RealFile>;
}

/** How it ended, and what it said until then, as a tape keeps it. */
interface Played {
  readonly exitCode: number;
  readonly error?: PryxError;
  readonly said: readonly TapeEntry[];
}

/** {@link Automations.replay}. */
export async function replayRun(run: AutomationReplay, parts: ReplayParts): Promise<ReplayEnd> {
  const { graph, cassette, signal } = run;
  signal.throwIfAborted();
  const whole = await parts.readCassette(cassette);
  const tape = readTape(whole, cassette);
  const portable = replayPortable(parts.redact);
  checkArgs(run, tape.start, portable);
  const overlay = createOverlay(
    parts.real,
    (text) => showPlaces(hidePlaces(text, REPLAY_PLACES), { workspace: graph.root, home: parts.home }),
  );
  const started = Date.parse(tape.start.now);
  const screen = showReplay({ show: run.show, redact: parts.redact, started });
  const { tell, printed } = screen;

  tell("turn.started", {
    model: "",
    preset: "",
    recorded: true,
    automation: { file: graph.entry, graph: graph.hash, permissions: graph.permissions ?? {} },
  });
  const { error, exitCode, said } = await play(run, tape, { parts, portable, overlay, screen });
  const json = error && await describeFailure(error, graph);
  const changes: ReplayedChange[] = [];
  for (const change of await overlay.changes()) changes.push(await diffOf(change));
  for (const change of changes) tell("replay.changed", { ...change });
  const status = error === undefined ? "done" : error.code === "cancelled" ? "cancelled" : "failed";
  tell("turn.ended", {
    status,
    text: printed.stdout,
    ...(json ? { error: json } : {}),
    usage: NO_USAGE,
    cost: 0,
    steps: 0,
    ms: screen.now() - started,
    unapproved: [],
  });
  const shown = portable({ ...printed });
  const recorded = recordedOutput(tape);
  const changed = graph.hash !== tape.start.graph;
  const other = changed || shown.stdout !== recorded.stdout || shown.stderr !== recorded.stderr;
  if (run.update && other && error?.code !== "replay_differs") {
    // In its place only once it is whole.
    const fresh = `${cassette}.new`;
    await rewrite(await parts.record(fresh), run, tape.start, whole, said);
    await Deno.rename(fresh, cassette);
  }
  return {
    status,
    exitCode,
    ...(json ? { error: json } : {}),
    changes,
    printed: shown,
    recorded,
    changed,
  };
}

interface Playing {
  readonly parts: ReplayParts;
  readonly portable: Portable;
  readonly overlay: ReturnType<typeof createOverlay>;
  readonly screen: ReturnType<typeof showReplay>;
}

async function play(run: AutomationReplay, tape: Tape, playing: Playing): Promise<Played> {
  const { graph, signal, cassette } = run;
  const { portable, overlay, screen } = playing;
  const started = Date.parse(tape.start.now);
  const player = createPlayer(tape, portable);
  const said: TapeEntry[] = [];
  const keep = (entry: TapeEntry | undefined) => {
    if (entry) said.push(portable(entry));
  };
  let failed: AutomationError | undefined;

  await using cell = await (await playing.parts.sandbox()).cell({ fixed: true });
  const stop = () => cell.kill();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  const link = linkCell(cell, graph.entry);

  function send(message: ToCell): void {
    if (message.now !== undefined) screen.setNow(message.now);
    keep(toCell(message, (message.now ?? started) - started));
    link.send(message);
  }

  /** What the recording says comes next. Gives the end, when it says so. */
  async function follow(cues: readonly Cue[]): Promise<Played | undefined> {
    for (const cue of cues) {
      if (cue.to === "cell") send(cue.message);
      else if (cue.to === "files") await overlay.apply(cue.tool, cue.args);
      else if (cue.to === "people") {
        if (cue.message.t === "print") keep({ kind: "print", to: cue.message.to, text: cue.message.text });
        screen.show(cue.message);
      } else return { ...endOf(cue.end, failed, run), said: cue.end ? [...said, portable(cue.end)] : said };
    }
    return undefined;
  }

  /** The error that says so, with the place of the call where the automation tells it. */
  async function differs(difference: Difference): Promise<PryxError> {
    const { recorded, now, number, call } = difference;
    const error = new PryxError(
      "replay_differs",
      `${
        call === undefined ? `After ${number} calls ${graph.entry}` : `Call ${number} of ${graph.entry}`
      } is not as it was recorded (${cassette})\n  - recorded: ${recorded}\n  + now:      ${now}`,
      { fix: "if the change is meant, record again: pryx run --record FILE …" },
    );
    if (failed) return withPlace(error, failed);
    if (call === undefined) return error;
    // Whoever waits for it is told, and what nobody catches comes back with its place.
    link.send({ t: "reply", id: call, ok: false, error: toWireError(error), now: screen.now() });
    for await (const message of link.messages(() => error)) {
      if (message.t === "failed") return withPlace(error, fromWireError(message.error));
    }
    return error;
  }

  async function listen(): Promise<Played> {
    send({
      t: "load",
      modules: graph.modules,
      entry: graph.entry,
      args: shownInReplay(tape.start.args),
      cwd: shownInReplay(tape.start.cwd ?? "${workspace}"),
      workspace: REPLAY_PLACES.workspace,
      fixed: { now: started, seed: tape.start.seed },
      test: graph.test,
    });
    const early = await follow(player.begin());
    if (early) return early;
    for await (const message of link.messages(() => stalled(run, player.waitsFor() ?? "nothing"))) {
      if (message.t === "failed") failed = fromWireError(message.error);
      const cues = player.receive(message);
      if ("recorded" in cues) throw await differs(cues).catch((error) => error);
      keep(fromCell(message));
      const end = await follow(cues);
      if (end) return end;
    }
    signal.throwIfAborted();
    const { code, signal: by } = await cell.ended;
    throw new PryxError("tool_failed", `The process of ${graph.entry} ended (${by ?? `exit code ${code}`})`);
  }

  try {
    return await listen();
  } catch (thrown) {
    const error = toPryxError(signal.aborted ? signal.reason : thrown);
    return { error, exitCode: error.exitCode, said };
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

function withPlace(error: PryxError, { frames }: AutomationError): PryxError {
  const place = frames[0]?.trim();
  if (place === undefined) return error;
  const { code, message, fix } = error;
  return new PryxError(code, `${message}\n  ${place}`, fix === undefined ? {} : { fix });
}

/** An end that was recorded is the end; where the automation itself failed, it has just said how. */
function endOf(
  end: EndEntry | undefined,
  failed: AutomationError | undefined,
  { cassette }: AutomationReplay,
): Omit<Played, "said"> {
  if (failed && !end?.error) return { error: failed, exitCode: end?.exitCode ?? failed.exitCode };
  if (!end) {
    const error = new PryxError(
      "replay_differs",
      `The recording ends before the automation does: it was cut off (${cassette})`,
      { fix: "record it again: pryx run --record FILE …" },
    );
    return { error, exitCode: error.exitCode };
  }
  if (!end.error) return { exitCode: end.exitCode };
  const { code, message, fix } = end.error;
  const known: ErrorCode = Object.hasOwn(ERROR_CODES, code) ? code : "tool_failed";
  return {
    exitCode: end.exitCode,
    error: new PryxError(known, shownInReplay(message), fix === undefined ? {} : { fix: shownInReplay(fix) }),
  };
}

function stalled({ graph, cassette }: AutomationReplay, recorded: string): PryxError {
  return new PryxError(
    "replay_differs",
    `${graph.entry} asks for nothing more, and the recording goes on (${cassette})\n  - recorded: ${recorded}\n  + now:      nothing`,
    { fix: "if the change is meant, record again: pryx run --record FILE …" },
  );
}

function checkArgs({ args, cassette }: AutomationReplay, start: StartEntry, portable: Portable): void {
  if (args === undefined || JSON.stringify(portable(args)) === JSON.stringify(start.args)) return;
  const shown = (words: readonly string[]) => words.length === 0 ? "none" : words.join(" ");
  throw new PryxError(
    "usage",
    `The arguments are not those of the recording (${cassette})\n  - recorded: ${
      shown(start.args)
    }\n  + now:      ${shown(args)}`,
    { fix: "leave them out: a replay has those of its recording; or record again with these" },
  );
}

/** What is to be seen of a run, from its tape. */
function recordedOutput({ entries }: Tape): ReplayEnd["recorded"] {
  const output = { stdout: "", stderr: "" };
  let exitCode: number | undefined;
  for (const entry of entries) {
    if (entry.kind === "say" || entry.kind === "print") output[entry.to] += entry.text;
    if (entry.kind === "call" && "method" in entry && entry.method === "markdown") {
      output.stdout += markdownText(entry.params);
    }
    if (entry.kind === "end") exitCode = entry.exitCode;
  }
  return { ...output, exitCode };
}

export function markdownText(params: unknown): string {
  const text = typeof params === "object" && params !== null && "text" in params ? String(params.text) : "";
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** The same recording with what the automation said this time. */
async function rewrite(
  recording: Recording,
  { graph }: AutomationReplay,
  start: StartEntry,
  { header, entries }: Cassette,
  said: readonly TapeEntry[],
): Promise<void> {
  await recording.begin(header.provider);
  const { permissions: _, ...rest } = start;
  const own = {
    ...rest,
    graph: graph.hash,
    api: API_VERSION,
    ...(graph.permissions === undefined ? {} : { permissions: graph.permissions }),
  };
  for (const entry of [own, ...entries.filter(({ kind }) => kind === "model"), ...said]) {
    await recording.append(entry);
  }
}
