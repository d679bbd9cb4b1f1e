import { parse } from "unbash";
import type { AndOr, CaseItem, Command, CommandNode, CompoundList, Function as FunctionNode } from "unbash";
import type { ParsedScript, Pipeline, PipelineNode, Script, Statement, Word } from "unbash";
import { messageOf } from "../domain/error.ts";
import type { Need } from "../domain/need.ts";
import { arithmetic, test } from "./_shell_arithmetic.ts";
import type { Analysis, Frame, Line, Reading, Scope, ShellHost } from "./_shell_context.ts";
import { runLine } from "./_shell_line.ts";
import { newScope, noteSet } from "./_shell_lookup.ts";
import { redirect } from "./_shell_redirects.ts";
import { simple } from "./_shell_simple.ts";
import {
  type After,
  ANY_NUMBER,
  anyShell,
  ANYTHING,
  type Arg,
  argvOf,
  either,
  isKnown,
  isNumber,
  isSame,
  oneOf,
  same,
  type State,
  type Value,
  withVariable,
} from "./_shell_values.ts";
import { isName } from "./_shell_variables.ts";
import { expand, expandText } from "./_shell_words.ts";

/** Texts within texts beyond these are left to a person; the parser holds about as many levels of nesting. */
const MAX_DEPTH = 40;
/** A function is gone through for so many calls of its own, then once for all. */
const MAX_CALLS = 64;
/** Statements in loops and functions that are gone through, in all. */
const MAX_REPEATED = 60_000;
const MAX_FUNCTIONS = 100;
const TOO_MUCH = "its loops and functions are too many to be followed";
const NO_FUNCTIONS: State["functions"] = new Map();
/** Loops within more loops than these are gone through once, with nothing known. */
const MAX_LOOPS = 2;

/** One analysis of a command line. Each kind of node has a function of its own; what is found goes to `needs`. */
export interface Walk extends Analysis {
  script(script: Script, state: State, reading: Reading): Promise<State>;
  /** Bodies that were defined and never called. */
  rest(): Promise<void>;
  needs(source: string): readonly Need[];
}

export function createWalk(host: ShellHost): Walk {
  const found = new Map<string, Need>();
  const order: string[] = [];
  const defined = new Map<FunctionNode, { readonly state: State; readonly reading: Reading }>();
  /** Bodies per name, over the whole script. */
  const functions = new Map<string, (FunctionNode | undefined)[]>();
  const called = new Map<FunctionNode, number>();
  const running = new Set<FunctionNode>();
  let frames: Frame[] = [];
  let loops = 0;
  let repeated = 0;
  let gaveUp: string | undefined;
  let splits = false;

  /** A shell of which nothing is known, but that words may come apart in their own way. */
  function blank(): State {
    const any = anyShell(functions);
    return splits ? withVariable(any, "IFS", ANYTHING) : any;
  }

  const analysis: Walk = {
    host: cached(host),
    frozen: new Set(),
    locals: new Set(),
    arrays: new Set(),
    inFunction: false,
    add(need) {
      const key = JSON.stringify(need);
      if (found.has(key)) return;
      found.set(key, need);
      order.push(key);
    },
    opaque(text, reason, args = []) {
      const argv = argvOf(args);
      analysis.add({ kind: "run", target: text, ...(argv.length > 0 ? { argv } : {}), opaque: reason });
    },
    async substitution(script, text, scope) {
      if (script === undefined) return void scope.problems.push(`it runs what cannot be read: ${text}`);
      await apart(async () => void await analysis.script(script, scope.state, scope.reading));
    },
    async text(source, state, reading) {
      const problem = unreadable(source);
      if (problem !== undefined) return analysis.opaque(source, problem);
      if (reading.depth >= MAX_DEPTH) return analysis.opaque(source, "it is nested too deeply");
      let script: ParsedScript;
      try {
        script = parse(source);
      } catch (error) {
        const why = messageOf(error);
        return analysis.opaque(source, `it cannot be parsed: ${why}`);
      }
      const around = analysis.inFunction;
      analysis.inFunction = false;
      await apart(async () => void await analysis.script(script, state, { ...reading, source }));
      analysis.inFunction = around;
    },
    script: async (script, state, reading) => {
      const error = script.type === "Script" ? (script as ParsedScript).errors?.[0] : undefined;
      const own = script.source === undefined ? reading : { ...reading, source: script.source };
      if (error) {
        const text = own === reading ? reading.source.slice(script.pos, script.end) : own.source;
        analysis.opaque(text.trim() || reading.source, `it cannot be parsed: ${error.message}`);
        return blank();
      }
      return await list(script.commands, state, own);
    },
    line: (line, state) => callOr(line, state),
    leave: (state) => frames.forEach((frame) => frame.exits.push(state)),
    needs(source) {
      if (gaveUp !== undefined) analysis.opaque(source, gaveUp);
      return [...found.values()];
    },
    async rest() {
      for (const [body, { state, reading }] of defined) {
        if (!called.has(body)) await enter(body, { ...state, positional: undefined }, reading);
      }
    },
  };

  /** What happens in a shell of its own leaves nothing here, loops and functions neither. */
  async function apart(work: () => Promise<void>): Promise<void> {
    const around = frames;
    frames = [];
    await work();
    frames = around;
  }

  async function list(statements: readonly Statement[], start: State, reading: Reading): Promise<State> {
    let state = start;
    for (const { command, background } of statements) {
      if ((running.size > 0 || loops > 0) && ++repeated > MAX_REPEATED) {
        giveUp(TOO_MUCH);
        return anyShell(NO_FUNCTIONS);
      }
      if (background) await apart(async () => void await node(command, state, reading));
      else {
        const after = await node(command, state, reading);
        state = either(after.done, after.failed);
        splits ||= state.variables.has("IFS");
      }
    }
    return state;
  }

  async function node(command: PipelineNode | AndOr, state: State, reading: Reading): Promise<After> {
    switch (command.type) {
      case "AndOr":
        return await andOr(command, state, reading);
      case "Pipeline":
        return await pipeline(command, state, reading);
      case "Command":
        return await simple(command, state, reading, analysis);
      case "Function":
        return define(command, state, reading);
      case "Coproc": {
        const { body } = command;
        await apart(async () => {
          if (body.type === "CompoundList") await list(body.commands, state, reading);
          else await node(body, state, reading);
        });
        const name = command.name?.text ?? "COPROC";
        return same(withVariable(state, isName(name) ? name : "COPROC", ANYTHING));
      }
      case "Redirected": {
        const scope = newScope(state, reading, analysis);
        for (const one of command.redirects) await redirect(one, scope);
        report(scope, command);
        const { done, failed } = await node(command.command, scope.state, reading);
        // A redirect that fails leaves out what it stands behind.
        return { done, failed: either(failed, scope.state) };
      }
      default:
        return await compound(command, state, reading);
    }
  }

  async function andOr({ commands, operators }: AndOr, start: State, reading: Reading): Promise<After> {
    let after: After = same(start);
    for (const [index, command] of commands.entries()) {
      const operator = index === 0 ? undefined : operators[index - 1];
      if (operator === undefined) after = await node(command, start, reading);
      else if (operator === "&&") {
        const next = await node(command, after.done, reading);
        after = { done: next.done, failed: either(after.failed, next.failed) };
      } else {
        const next = await node(command, after.failed, reading);
        after = { done: either(after.done, next.done), failed: next.failed };
      }
    }
    return after;
  }

  /** Each part of a pipeline is a shell of its own. One alone is not. */
  async function pipeline({ commands, prefixes }: Pipeline, state: State, reading: Reading): Promise<After> {
    const [only] = commands;
    if (only && commands.length === 1) {
      const { done, failed } = await node(only, state, reading);
      const negated = prefixes.filter((prefix) => prefix.type === "Negation").length % 2 === 1;
      return negated ? { done: failed, failed: done } : { done, failed };
    }
    for (const part of commands) await apart(async () => void await node(part, state, reading));
    return same(state);
  }

  async function compound(
    command: Exclude<CommandNode, Command | FunctionNode | { type: "Coproc" | "Redirected" }>,
    state: State,
    reading: Reading,
  ): Promise<After> {
    const bodyOf = (body: CompoundList, from: State) => list(body.commands, from, reading);
    switch (command.type) {
      case "Subshell":
        await apart(async () => void await bodyOf(command.body, state));
        return same(state);
      case "BraceGroup":
        return await lastOf(command.body, state, reading);
      case "If": {
        const branches = [{ clause: command.clause, then: command.then }, ...command.elif];
        let after: State | undefined;
        let rest = state;
        for (const { clause, then } of branches) {
          const tested = await lastOf(clause, rest, reading);
          const end = await bodyOf(then, tested.done);
          after = after ? either(after, end) : end;
          rest = tested.failed;
        }
        const end = command.else ? await bodyOf(command.else, rest) : rest;
        return same(after ? either(after, end) : end);
      }
      case "While":
        return same(
          await loop(state, async (from) => {
            const { done, failed } = await lastOf(command.clause, from, reading);
            const [enters, ends] = command.kind === "while" ? [done, failed] : [failed, done];
            return either(await bodyOf(command.body, enters), ends);
          }),
        );
      case "For":
      case "Select": {
        const scope = newScope(state, reading, analysis);
        const value = await listed(command.wordlist, scope);
        const name = command.name.text;
        if (!isName(name)) scope.problems.push(`it sets ${name}`);
        noteSet(name, scope);
        if (reading.posix && command.type === "Select") scope.problems.push("shells read select differently");
        report(scope, command);
        const set = command.type === "For" ? value : ANYTHING;
        const start = command.type === "For" ? scope.state : withVariable(scope.state, "REPLY", ANYTHING);
        return same(await loop(start, (from) => bodyOf(command.body, withVariable(from, name, set))));
      }
      case "ArithmeticFor": {
        const begin = newScope(state, reading, analysis);
        if (reading.posix) begin.problems.push("shells read for ((…)) differently");
        if (command.initialize) await arithmetic(command.initialize, begin);
        report(begin, command);
        return same(
          await loop(begin.state, async (from) => {
            const scope = newScope(from, reading, analysis);
            if (command.test) await arithmetic(command.test, scope);
            const inside = newScope(await bodyOf(command.body, scope.state), reading, analysis);
            if (command.update) await arithmetic(command.update, inside);
            report(scope, command);
            report(inside, command);
            return inside.state;
          }),
        );
      }
      case "Case":
        return same(await cases(command, state, reading));
      case "TestCommand": {
        const scope = newScope(state, reading, analysis);
        if (reading.posix) scope.problems.push("shells read [[ differently");
        await test(command.expression, scope);
        report(scope, command);
        return same(scope.state);
      }
      case "ArithmeticCommand": {
        const scope = newScope(state, reading, analysis);
        if (reading.posix) scope.problems.push("shells read (( differently");
        if (command.expression) await arithmetic(command.expression, scope);
        else if (command.body.trim() !== "") scope.problems.push(`it computes ${command.body.trim()}`);
        report(scope, command);
        return same(scope.state);
      }
    }
  }

  /** A list by how its last command ends. */
  async function lastOf({ commands }: CompoundList, start: State, reading: Reading): Promise<After> {
    const last = commands.at(-1);
    if (last === undefined || last.background) return same(await list(commands, start, reading));
    return await node(last.command, await list(commands.slice(0, -1), start, reading), reading);
  }

  /** The values that a loop gives its variable. */
  async function listed(words: readonly Word[] | undefined, scope: Scope): Promise<Value> {
    const args: Arg[] = [];
    if (words === undefined) {
      if (scope.state.positional === undefined) return ANYTHING;
      args.push(...scope.state.positional);
    }
    for (const word of words ?? []) args.push(...(await expand(word, scope)).flat());
    return args.length === 0 ? ANYTHING : oneOf(args.map(({ text }) => text));
  }

  /** Goes through a body until nothing new can come of it: what it changes may hold when it begins again. */
  async function loop(start: State, body: (from: State) => Promise<State>): Promise<State> {
    const frame: Frame = { exits: [] };
    frames.push(frame);
    loops++;
    const mark = { needs: order.length, bodies: through.length };
    const starts = [(state: State) => state, (state: State) => settled(start, state), blank];
    let from = start;
    for (const [pass, begin] of starts.entries()) {
      if (loops > MAX_LOOPS && pass < 2) continue;
      // What is found in the last pass holds for those before it.
      forget(mark);
      from = begin(from);
      const known = defined.size;
      const noted = analysis.frozen.size + analysis.locals.size + analysis.arrays.size;
      const end = await body(from);
      // A function that the body defines may be called when it begins again.
      if (pass === 2 && defined.size > known) await body(blank());
      const next = frame.exits.reduce(either, either(from, end));
      const isNew = noted < analysis.frozen.size + analysis.locals.size + analysis.arrays.size;
      if (pass === 2 || (!isNew && isSame(next, from))) break;
      from = next;
    }
    loops--;
    frames.pop();
    return start.dead ? { ...from, dead: true } : from;
  }

  async function cases(
    { word, items }: { word: Word; items: readonly CaseItem[] },
    start: State,
    reading: Reading,
  ): Promise<State> {
    const scope = newScope(start, reading, analysis);
    await expandText(word, scope);
    let out: State | undefined;
    let falling: State | undefined;
    for (const { pattern, body, terminator } of items) {
      for (const one of pattern) await expandText(one, scope);
      if (reading.posix && terminator && terminator !== ";;") {
        scope.problems.push(`shells read ${terminator} differently`);
      }
      const end = await list(body.commands, falling ? either(scope.state, falling) : scope.state, reading);
      out = out ? either(out, end) : end;
      falling = terminator === ";;" ? undefined : end;
    }
    report(scope, word);
    return out ? either(out, scope.state) : scope.state;
  }

  /** Said once, and for good: loops may not take it back. */
  function giveUp(reason: string): void {
    gaveUp ??= reason;
  }

  function define(command: FunctionNode, state: State, reading: Reading): After {
    const name = command.name.value;
    if (defined.size >= MAX_FUNCTIONS && !defined.has(command)) {
      giveUp("its functions are too many to be followed");
      return same(state);
    }
    if (reading.posix && /^function\b/u.test(reading.source.slice(command.pos, command.end))) {
      analysis.opaque(reading.source.slice(command.pos, command.end), "shells read function differently");
    }
    if (!defined.has(command)) {
      defined.set(command, { state, reading });
      functions.set(name, [...functions.get(name) ?? [], command]);
    }
    return same({ ...state, functions: new Map(state.functions).set(name, [command]) });
  }

  /** A line whose first word is the name of a function is that function. */
  async function callOr(line: Line, state: State): Promise<After> {
    const [first, ...args] = line.args;
    const bodies = first && !line.external && !line.bare && isKnown(first)
      ? state.functions.get(first.text) ??
        (state.lost ? [...functions.get(first.text) ?? [], undefined] : undefined)
      : undefined;
    if (bodies === undefined) return await runLine(line, state, analysis);
    let out: State | undefined;
    for (const body of bodies) {
      const end = body === undefined
        ? join(await runLine(line, state, analysis))
        : await enter(body, { ...state, positional: args }, defined.get(body)?.reading ?? line.reading);
      const back = { ...end, positional: state.positional };
      out = out ? either(out, back) : back;
    }
    return same(out ?? state);
  }

  /** Goes through the body of a function as it is called. When that repeats, once for all calls. */
  async function enter(body: FunctionNode, state: State, reading: Reading): Promise<State> {
    repeated += 1 + defined.size;
    if (repeated > MAX_REPEATED) {
      giveUp(TOO_MUCH);
      return anyShell(NO_FUNCTIONS);
    }
    const calls = called.get(body) ?? 0;
    called.set(body, calls + 1);
    const known = calls < MAX_CALLS && !running.has(body);
    if (!known) {
      // Its calls have no end that can be seen from here.
      if (running.has(body)) analysis.opaque(body.name.text, "it calls itself");
      const changes = finished.get(key(body));
      if (changes !== undefined) return changes ? blank() : state;
      finish(body, true);
    }
    const wasRunning = running.has(body);
    running.add(body);
    const frame: Frame = { exits: [] };
    frames.push(frame);
    const from = known ? state : blank();
    const around = analysis.inFunction;
    analysis.inFunction = true;
    const end = body.body.type === "CompoundList"
      ? await list(body.body.commands, from, reading)
      : join(await node(body.body, from, reading));
    analysis.inFunction = around;
    frames.pop();
    if (!wasRunning) running.delete(body);
    const out = frame.exits.reduce(either, end);
    if (known) return locals(out, state);
    const changes = wasRunning || !isSame(out, from);
    finish(body, changes);
    return changes ? blank() : state;
  }

  /** Whether a body that was gone through once for all changes anything. */
  const finished = new Map<string, boolean>();
  const through: string[] = [];

  /** Takes back what was found since, so that a loop may be gone through again. */
  function forget(mark: { readonly needs: number; readonly bodies: number }): void {
    for (const key of order.splice(mark.needs)) found.delete(key);
    for (const key of through.splice(mark.bodies)) finished.delete(key);
  }

  function finish(body: FunctionNode, changes: boolean): void {
    if (!finished.has(key(body))) through.push(key(body));
    finished.set(key(body), changes);
  }

  const ids = new Map<FunctionNode, number>();
  /** A body once more when there are functions it did not know of. */
  function key(body: FunctionNode): string {
    const id = ids.get(body) ?? ids.size;
    ids.set(body, id);
    return `${id} ${defined.size}`;
  }

  /** A variable that is set in a function may be local to it. */
  function locals(end: State, before: State): State {
    if (end.variables === before.variables) return end;
    const out = new Map(end.variables);
    for (const name of end.variables.keys()) {
      if (!analysis.locals.has(name)) continue;
      if (end.variables.get(name) !== before.variables.get(name)) out.set(name, ANYTHING);
    }
    return { ...end, variables: out };
  }

  function report(scope: Scope, { pos, end }: { readonly pos: number; readonly end: number }): void {
    const text = scope.reading.source.slice(pos, end);
    for (const problem of scope.problems) {
      analysis.opaque(text.includes("<<") ? scope.reading.source.trim() : text, problem);
    }
  }

  return analysis;
}

function join({ done, failed }: After): State {
  return either(done, failed);
}

/** What a second pass of a loop begins with: numbers that count go on counting. */
function settled(start: State, next: State): State {
  const variables = new Map<string, Value>();
  for (const [name, value] of next.variables) {
    const before = start.variables.get(name);
    const numbers = "texts" in value && value.texts.every(isNumber);
    variables.set(name, value === before ? value : numbers ? ANY_NUMBER : value);
  }
  return { ...next, variables };
}

/** Programs are looked for once: a script may name one often. */
function cached(host: ShellHost): ShellHost {
  const executables = new Map<string, Promise<string | undefined>>();
  const paths = new Map<string, Promise<string>>();
  const once = <T>(kept: Map<string, Promise<T>>, key: string, look: () => Promise<T>): Promise<T> => {
    const known = kept.get(key);
    if (known) return known;
    const looked = look();
    kept.set(key, looked);
    return looked;
  };
  return {
    resolve: (path) => once(paths, path, () => host.resolve(path)),
    findExecutable: (name, cwd) =>
      once(executables, name.includes("/") ? `${cwd}\n${name}` : name, () => host.findExecutable(name, cwd)),
    isWritable: (path) => host.isWritable(path),
    env: (name) => host.env?.(name),
  };
}

/** What a shell, and a person, cannot be trusted to read as it stands. */
export function unreadable(command: string): string | undefined {
  if (command.trim() === "") return "there is no command";
  // Shells disagree about these, and a terminal does not show them.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/u.test(command)) return "it holds control characters";
  return undefined;
}
