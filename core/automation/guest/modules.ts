import type { LoadMessage } from "../wire.ts";
import type { Guest } from "./guest.ts";
import type { GuestEntry, Kit, ModuleBody, PartMaker } from "./kit.ts";

interface Module {
  readonly id: string;
  readonly body: ModuleBody | undefined;
  readonly text: string;
  readonly links: Record<string, string>;
  readonly module: { exports: Record<string, unknown> };
}

/** Runs modules in the order they were linked in, and says when the automation is at its end. */
export function modules(kit: Kit): GuestEntry {
  const { uncurry, bridge } = kit;
  const { parse, stringify } = JSON;
  const { create, freeze, defineProperty, getOwnPropertyNames } = Object;
  const get = uncurry(Map.prototype.get) as <K, V>(map: Map<K, V>, key: K) => V | undefined;
  const set = uncurry(Map.prototype.set) as <K, V>(map: Map<K, V>, key: K, value: V) => unknown;
  const then = uncurry(Promise.prototype.then) as (
    promise: Promise<unknown>,
    done: () => void,
    failed: (error: unknown) => void,
  ) => unknown;
  const known: Map<string, Module> = new Map();
  const order: Module[] = [];
  const makers: PartMaker[] = [];
  const api: Record<string, unknown> = create(null);
  const registered: Guest["registered"] = { triggers: [], tests: [] };
  let abort = kit.createAbort();
  const LOOK = 0;
  let ran = false;
  let told = false;
  let looking = false;
  let shell = false;

  function requireFor(module: Module): (specifier: string) => unknown {
    return (specifier) => {
      if (specifier === "pryx") return api;
      const id = module.links[specifier];
      const found = id === undefined ? undefined : get(known, id);
      if (!found) {
        throw new kit.PryxError(`Cannot import ${stringify(specifier)} in ${module.id}: it was not linked`, {
          code: "input_invalid",
          fix: 'import with a literal: import x from "./file.ts"',
        });
      }
      return found.module.exports;
    };
  }

  async function runAll(): Promise<void> {
    for (let index = 0; index < order.length; index++) {
      const module = order[index];
      if (!module) break;
      if (module.body) {
        const body = module.body;
        await body(module.module.exports, requireFor(module), module.module);
      } else if (module.text !== "") {
        throw new kit.PryxError(`Cannot compile ${module.id}: ${module.text}`, { code: "input_invalid" });
      }
    }
  }

  /** Nothing is left that could call the user's code: told after all that is pending now has run. */
  function isOver(): boolean {
    if (registered.triggers.length > 0 || registered.tests.length > 0) return true;
    return kit.waiting() === 0 && kit.pending() === 0;
  }

  /** Modules wait for something, and there is nothing left that it could come from. */
  function isStuck(): boolean {
    return !ran && registered.triggers.length === 0 && kit.pending() === 0 && !kit.isTimed();
  }

  function look(): void {
    looking = false;
    if (told) return;
    if (ran && isOver()) {
      told = true;
      return bridge.send(`{"t":"done","registered":${stringify(registered)}}`);
    }
    if (isStuck()) {
      kit.fail(
        new kit.PryxError("The automation waits for something that never comes", {
          code: "tool_failed",
          fix: "an `await` at the top of a file waits for a promise that nobody settles",
        }),
      );
    }
  }

  kit.settled = () => {
    if (looking || told || shell || !(ran ? isOver() : isStuck())) return;
    looking = true;
    bridge.timer(LOOK, 0);
  };
  kit.onAbort = (reason) => {
    const error = new kit.PryxError(reason, { code: "cancelled" });
    const before = abort;
    // A shell goes on: what is evaluated next has a signal of its own.
    if (shell) abort = kit.createAbort();
    before.abort(error);
    if (shell) kit.interrupt(error);
  };

  function guestOf(load: Guest["load"]): Guest {
    return {
      load,
      call: kit.call,
      handle: kit.handle,
      say: kit.say,
      encode: kit.encode,
      decode: kit.decode,
      inspect: (value) => kit.inspect(value),
      toBase64: kit.toBase64,
      fromBase64: kit.fromBase64,
      registered,
      get signal() {
        return abort.signal;
      },
      PryxError: kit.PryxError,
    };
  }

  function makeApi(load: Guest["load"]): void {
    const guest = guestOf(load);
    for (let index = 0; index < makers.length; index++) {
      const members = makers[index]?.(guest) ?? {};
      const names = getOwnPropertyNames(members);
      for (let at = 0; at < names.length; at++) {
        const name = names[at] ?? "";
        const member = members[name];
        // A bundle may have made it shorter.
        if (typeof member === "function") defineProperty(member, "name", { value: name, configurable: true });
        if (load.entry === "" && name === "signal") {
          defineProperty(api, name, { get: () => abort.signal, enumerable: true });
        } else defineProperty(api, name, { value: member, enumerable: true });
      }
    }
    defineProperty(api, "__esModule", { value: true });
    freeze(api);
  }

  /** Nothing ends a shell but the host: what fails with nobody to catch it is said. */
  function openShell(): void {
    shell = true;
    kit.fail = (thrown) => kit.say("stderr", `Uncaught ${kit.inspect(thrown)}\n`);
    kit.openShell();
  }

  const fromShell: Module = {
    id: "shell",
    body: undefined,
    text: "",
    links: create(null),
    module: { exports: {} },
  };
  kit.api = api;
  kit.shellRequire = requireFor(fromShell);

  return {
    part: (make) => void (makers[makers.length] = make),
    define(id, body, text, links) {
      const module: Module = { id, body, text, links: parse(links), module: { exports: {} } };
      if (!body && text !== "" && links === "null") {
        const exports = create(null);
        exports.default = parse(text);
        defineProperty(exports, "__esModule", { value: true });
        set(known, id, { ...module, text: "", module: { exports } });
        return;
      }
      set(known, id, module);
      order[order.length] = module;
    },
    start(text) {
      try {
        const load = parse(text) as Omit<LoadMessage, "t" | "modules">;
        kit.setClock(load.fixed);
        makeApi(load);
        if (load.entry === "") return openShell();
        then(runAll(), () => {
          ran = true;
          kit.settled();
        }, (error) => kit.fail(error));
        kit.settled();
      } catch (error) {
        kit.fail(error);
      }
    },
    receive(line) {
      try {
        kit.receive(line);
      } catch (error) {
        kit.fail(error);
      }
    },
    fire(id) {
      try {
        if (id === LOOK) look();
        else kit.fire(id);
      } catch (error) {
        kit.fail(error);
      }
    },
    rejected(reason) {
      try {
        kit.fail(reason);
      } catch {
        // There is no stack left to say it with.
      }
    },
  };
}
