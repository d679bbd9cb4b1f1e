import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** What stood behind the file's name on the command line. */
export function argsApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  type Specs = Readonly<Record<string, Api.FlagSpec>>;
  interface Flag {
    /** As the automation calls it. */
    readonly name: string;
    /** As it is typed, without the dashes. */
    readonly typed: string;
    readonly spec: Api.FlagSpec;
  }
  interface Place {
    readonly name: string;
    readonly optional: boolean;
    readonly rest: boolean;
  }

  /** Flags of `pryx run` itself, which stand before the file. */
  const OWN = new Set(
    ("frozen allow deny json preset record replay model max-cost timeout cwd answer allow-locked lock replay-model trigger trigger-header ts lock")
      .split(" "),
  );
  const raw: readonly string[] = Object.freeze([...guest.load.args]);

  const isFlag = (word: string) => /^-./.test(word) && !/^-\.?\d/.test(word);

  /** As the words stand there, for automations that declare nothing. */
  const plain = () => {
    const flags = new Map<string, string | boolean>();
    const positional: string[] = [];
    for (let at = 0; at < raw.length; at++) {
      const word = raw[at] ?? "";
      if (word === "--") {
        positional.push(...raw.slice(at + 1));
        break;
      }
      if (!isFlag(word)) {
        positional.push(word);
        continue;
      }
      const equals = word.indexOf("=");
      const next = raw[at + 1];
      const name = (equals < 0 ? word : word.slice(0, equals)).replace(/^--?/, "");
      if (equals >= 0) flags.set(name, word.slice(equals + 1));
      else if (next !== undefined && next !== "--" && !isFlag(next)) {
        flags.set(name, next);
        at++;
      } else flags.set(name, true);
    }
    return { flags: Object.freeze(Object.fromEntries(flags)), positional: Object.freeze(positional) };
  };

  const flagsOf = (specs: Specs): readonly Flag[] => {
    const seen = new Set(["help", "no-help"]);
    const shorts = new Set<string>();
    return Object.entries(specs).map(([name, spec]) => {
      if (!/^[a-zA-Z][a-zA-Z0-9-]*$/.test(name) || name === "positional") {
        throw new TypeError(`A flag cannot be named ${guest.inspect(name)}`);
      }
      if (!["string", "number", "boolean", "strings"].includes(spec.type)) {
        throw new TypeError(`The flag ${name} has the type ${guest.inspect(spec.type)}, which there is not`);
      }
      const typed = name.replace(/[A-Z]/g, (letter, at) => `${at === 0 ? "" : "-"}${letter.toLowerCase()}`);
      if (seen.has(typed)) throw new TypeError(`The flag --${typed} is there twice`);
      seen.add(typed);
      if (spec.short !== undefined) {
        if (!/^[a-zA-Z]$/.test(spec.short) || shorts.has(spec.short)) {
          throw new TypeError(
            `The flag ${name} cannot have ${guest.inspect(spec.short)} for short: one letter, once`,
          );
        }
        shorts.add(spec.short);
      }
      return { name, typed, spec };
    });
  };

  const placesOf = (names: readonly string[]): readonly Place[] => {
    let optional = false;
    return names.map((text, i) => {
      const match = /^(\[?)([A-Za-z][\w-]*)(\.\.\.)?(\]?)$/.exec(text);
      if (match === null || (match[1] === "[") !== (match[4] === "]")) {
        throw new TypeError(
          `${guest.inspect(text)} is no positional word: "name", "[name]", "names..." or "[names...]"`,
        );
      }
      const place = { name: match[2] ?? "", optional: match[1] === "[", rest: match[3] !== undefined };
      if (place.rest && i < names.length - 1) {
        throw new TypeError(`Nothing can follow ${text}, which takes all there is`);
      }
      if (optional && !place.optional) {
        throw new TypeError(`${text} has to be there, and follows one that may be missing`);
      }
      optional = place.optional;
      return place;
    });
  };

  const usageOf = (flags: readonly Flag[], places: readonly Place[]) => {
    const words = places.map(({ name, optional, rest }) => {
      const text = `<${name}>${rest ? "..." : ""}`;
      return optional ? `[${text}]` : text;
    });
    const needed = flags.filter(({ spec }) => "required" in spec && spec.required)
      .map(({ typed }) => `--${typed} <${typed}>`);
    const rest = flags.length > needed.length ? ["[flags]"] : [];
    return ["Usage: pryx run", guest.load.entry || "FILE", ...needed, ...rest, ...words].join(" ");
  };

  const helpOf = (description: string | undefined, flags: readonly Flag[], places: readonly Place[]) => {
    const rows = flags.map(({ typed, spec }) => {
      const short = spec.short === undefined ? "    " : `-${spec.short}, `;
      const kind = { string: " <text>", number: " <number>", boolean: "", strings: " <text>..." }[spec.type];
      const off = spec.type === "boolean" && spec.default === true;
      const notes = [
        ...("choices" in spec && spec.choices ? [`one of: ${spec.choices.join(", ")}`] : []),
        ...("required" in spec && spec.required ? ["required"] : []),
        ...("default" in spec && spec.default !== undefined && spec.type !== "boolean"
          ? [`default: ${spec.default}`]
          : []),
        ...(off ? ["on unless it is switched off"] : []),
      ];
      const note = notes.length === 0 ? "" : `(${notes.join("; ")})`;
      return [
        `  ${short}--${off ? "no-" : ""}${typed}${kind}`,
        `${spec.description ?? ""} ${note}`.trim(),
      ] as const;
    });
    rows.push(["  -h, --help", "Shows this"]);
    const width = Math.max(...rows.map(([left]) => left.length));
    const table = rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`.trimEnd());
    return [
      usageOf(flags, places),
      ...(description === undefined ? [] : ["", description.trim()]),
      "",
      "Flags:",
      ...table,
    ].join("\n") + "\n";
  };

  /** How many letters differ, as typing mistakes are counted: 3 stands for more than 2. */
  const distance = (a: string, b: string): number => {
    if (Math.abs(a.length - b.length) > 2) return 3;
    let line = Array.from({ length: b.length + 1 }, (_, i) => i);
    for (let i = 1; i <= a.length; i++) {
      const next = [i];
      for (let j = 1; j <= b.length; j++) {
        const same = a[i - 1] === b[j - 1] ? 0 : 1;
        next.push(Math.min((line[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (line[j - 1] ?? 0) + same));
      }
      line = next;
    }
    return line[b.length] ?? 3;
  };

  /** Says it and ends the automation. The host kills the process; what is thrown keeps the next line from running until then. */
  const leave = (to: "stdout" | "stderr", text: string, code: number): never => {
    guest.say(to, text);
    calls.tell("exit", { code });
    throw new guest.PryxError("The automation has ended", { code: "cancelled" });
  };

  const declare: typeof Api.args.declare = (spec) => {
    const flags = flagsOf(spec.flags ?? {});
    const places = placesOf(spec.positional ?? []);
    const problems: string[] = [];
    const given = new Map<string, string | number | boolean | readonly string[]>();
    const positional: string[] = [];

    const byName = (typed: string) => flags.find((flag) => flag.typed === typed || flag.name === typed);
    const unknown = (typed: string) => {
      if (OWN.has(typed)) {
        problems.push(
          `--${typed} is a flag of pryx: it stands before the file, as in pryx run --${typed} … ${guest.load.entry}`,
        );
        return;
      }
      const near =
        [...flags.map((flag) => flag.typed), "help"].map((name) => [distance(typed, name), name] as const)
          .filter(([letters, name]) => letters <= 2 && letters < name.length).sort((a, b) => a[0] - b[0])[0];
      problems.push(`There is no flag --${typed}${near === undefined ? "" : `: did you mean --${near[1]}?`}`);
    };

    const take = ({ name, typed, spec }: Flag, value: string) => {
      if (spec.type === "boolean") {
        if (value !== "true" && value !== "false") {
          problems.push(`--${typed} is true or false, not "${value}"`);
        }
        given.set(name, value === "true");
      } else if (spec.type === "number") {
        const number = value.trim() === "" ? NaN : Number(value);
        if (!Number.isFinite(number)) problems.push(`--${typed} is a number, not "${value}"`);
        given.set(name, number);
      } else if (spec.type === "strings") {
        given.set(name, [...(given.get(name) as readonly string[] | undefined ?? []), value]);
      } else {
        if (spec.choices !== undefined && !spec.choices.includes(value)) {
          problems.push(`--${typed} is one of ${spec.choices.join(", ")}, not "${value}"`);
        }
        given.set(name, value);
      }
    };
    /** Whether the next word was its value. */
    const takeNext = (flag: Flag, next: string | undefined): boolean => {
      if (next !== undefined && next !== "--" && !isFlag(next)) return take(flag, next), true;
      problems.push(`--${flag.typed} needs a value`);
      given.set(flag.name, flag.spec.type === "strings" ? [] : "");
      return false;
    };

    const takeShort = (letters: string, next: string | undefined): boolean => {
      for (let at = 0; at < letters.length; at++) {
        const flag = flags.find(({ spec }) => spec.short === letters[at]);
        const rest = letters.slice(at + 1);
        if (flag === undefined) {
          problems.push(`There is no flag -${letters[at]}`);
          return false;
        }
        if (flag.spec.type === "boolean" && !rest.startsWith("=")) given.set(flag.name, true);
        else if (rest !== "") return take(flag, rest.replace(/^=/, "")), false;
        else return takeNext(flag, next);
      }
      return false;
    };

    const takeLong = (word: string, next: string | undefined): boolean => {
      const equals = word.indexOf("=");
      const typed = equals < 0 ? word : word.slice(0, equals);
      const flag = byName(typed);
      if (flag !== undefined) {
        if (equals >= 0) take(flag, word.slice(equals + 1));
        else if (flag.spec.type === "boolean") given.set(flag.name, true);
        else return takeNext(flag, next);
        return false;
      }
      const negated = typed.startsWith("no-") ? byName(typed.slice(3)) : undefined;
      if (negated?.spec.type === "boolean" && equals < 0) given.set(negated.name, false);
      else unknown(typed);
      return false;
    };

    for (let at = 0; at < raw.length; at++) {
      const word = raw[at] ?? "";
      if (word === "--") {
        positional.push(...raw.slice(at + 1));
        break;
      }
      const helps = word === "--help" || (word === "-h" && !flags.some(({ spec }) => spec.short === "h"));
      if (helps) leave("stdout", helpOf(spec.description, flags, places), 0);
      if (!isFlag(word)) positional.push(word);
      else if (
        word.startsWith("--") ? takeLong(word.slice(2), raw[at + 1]) : takeShort(word.slice(1), raw[at + 1])
      ) at++;
    }

    for (const { name, typed, spec } of flags) {
      if (given.has(name)) continue;
      if ("required" in spec && spec.required) problems.push(`--${typed} is missing`);
      if (spec.type === "strings") given.set(name, []);
      else if (spec.type === "boolean") given.set(name, spec.default ?? false);
      else if (spec.default !== undefined) given.set(name, spec.default);
    }
    const missing = places.filter(({ optional }) => !optional).slice(positional.length);
    for (const { name } of missing) problems.push(`<${name}> is missing`);
    if (positional.length > places.length && places.at(-1)?.rest !== true) {
      problems.push(`There is a word too many: "${positional[places.length]}"`);
    }
    if (problems.length > 0) {
      leave("stderr", `${problems.join("\n")}\n\n${usageOf(flags, places)}\n--help says more\n`, 2);
    }
    const values = Object.fromEntries(flags.map(({ name }) => [name, given.get(name)]));
    return { ...values, positional } as never;
  };

  // The folder of a path is the root or what stands before its last slash; a word is joined as shells do.
  const path = (word: string): string => {
    const text = calls.text(word, "A path");
    if (/^(?:[/~]|[A-Za-z]:[\\/])/.test(text)) return text;
    return `${guest.load.cwd.replace(/\/$/, "")}/${text.replace(/^(?:\.\/+)+/, "")}`;
  };

  return { args: { raw, path, ...plain(), declare } } satisfies Pick<typeof Api, "args">;
}
