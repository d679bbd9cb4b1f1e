import type { Need, NeedKind } from "../domain/need.ts";
import { compileGlob, globMatches, isLiteral, unescapeGlob } from "./_glob.ts";
import { compileNet, type Host, type NetPattern, parseHost } from "./_net_pattern.ts";
import { compilePath, foldCase, namesOf, normalPath, type PathPattern, type Place } from "./_path_pattern.ts";
import { compileRun, type RunPattern, type RunSubject } from "./_run_pattern.ts";
import { splitWords } from "./_words.ts";

/** A need, taken apart for matching. */
export interface Subject {
  readonly need: Need;
  /** Why no pattern can allow it; undefined when patterns can. */
  readonly opaque: string | undefined;
  readonly path?: PathSubject;
  readonly run?: RunSubject;
  readonly host?: Host;
  readonly name?: string;
}

interface PathSubject {
  readonly path: string;
  readonly names: readonly string[];
  /** The same in the spelling that broad patterns compare. */
  readonly foldedPath: string;
  readonly foldedNames: readonly string[];
}

/** The pattern of a rule or a grant, compiled. */
export interface Pattern {
  matches(subject: Subject): boolean;
  /** True when it spells out what the subject is about, without a wildcard. */
  names(subject: Subject): boolean;
  readonly path?: PathPattern;
  readonly run?: RunPattern;
  readonly net?: NetPattern;
  /** The one name, for `env` and `use`. */
  readonly name?: string;
}

/** Takes a need apart. Total: what cannot be understood is opaque. */
export function subjectOf(need: Need, place: Place): Subject {
  const { kind, opaque } = need;
  switch (kind) {
    case "read":
    case "write": {
      const path = normalPath(need.target);
      if (path === undefined) return { need, opaque: opaque ?? "it is not an absolute path" };
      const names = namesOf(path);
      const foldedPath = place.ignoreCase ? foldCase(path) : path;
      const foldedNames = place.ignoreCase ? namesOf(foldedPath) : names;
      return { need, opaque, path: { path, names, foldedPath, foldedNames } };
    }
    case "run":
      return runSubject(need);
    case "net": {
      const host = parseHost(need.target);
      return host ? { need, opaque, host } : { need, opaque: opaque ?? "it is not a host" };
    }
    default:
      return namedSubject(need);
  }
}

function namedSubject(need: Need): Subject {
  const name = namesOf(need.target).join("/");
  return { need, opaque: need.opaque ?? (name === "" ? "it has no name" : undefined), name };
}

function runSubject(need: Need): Subject {
  const { executable, inWritableFolder = false } = need;
  if (need.argv?.length) {
    return { need, opaque: need.opaque, run: { argv: need.argv, executable, inWritableFolder } };
  }
  const words = splitWords(need.target);
  if (typeof words === "string" || words.length === 0) {
    return { need, opaque: need.opaque ?? (typeof words === "string" ? words : "it names no command") };
  }
  const argv = words.map((word) => word.pieces.join("*"));
  return { need, opaque: need.opaque, run: { argv, executable, inWritableFolder } };
}

/**
 * Compiles the target of a rule. `broad`: deny and ask, which would rather match too much than too little. Returns
 * what is wrong, as text.
 */
export function compilePattern(
  kind: NeedKind,
  text: string,
  place: Place,
  broad: boolean,
): Pattern | string {
  if (text.trim() === "") return "it is empty";
  switch (kind) {
    case "read":
    case "write": {
      const path = compilePath(text, place, broad);
      if (typeof path === "string") return path;
      return {
        path,
        matches: ({ path: subject }) =>
          subject !== undefined &&
          (broad
            ? path.matches(subject.foldedPath, subject.foldedNames)
            : path.matches(subject.path, subject.names)),
        names: ({ path: subject }) => path.literal !== undefined && path.literal === subject?.path,
      };
    }
    case "run": {
      const run = compileRun(text, place, broad);
      if (typeof run === "string") return run;
      return {
        run,
        matches: ({ run: subject }) => subject !== undefined && run.matches(subject),
        names: () => false,
      };
    }
    case "net": {
      const net = compileNet(text, broad);
      if (typeof net === "string") return net;
      return {
        net,
        matches: ({ host }) => host !== undefined && net.matches(host),
        names: ({ host }) => net.name !== undefined && net.name === host?.name,
      };
    }
    default:
      return compileName(text);
  }
}

/** `AWS_*`, `mcp/github` (every tool of it), `mcp/github/list_*`, `*`. */
function compileName(text: string): Pattern | string {
  if (text === "*") return { matches: ({ name }) => name !== undefined, names: () => false };
  const glob = compileGlob(text);
  if (typeof glob === "string") return glob;
  const plain = isLiteral(text) ? namesOf(unescapeGlob(text)).join("/") : undefined;
  return {
    ...(plain === undefined ? {} : { name: plain }),
    matches: ({ name }) => name !== undefined && globMatches(glob, namesOf(name)),
    names: ({ name }) => plain !== undefined && plain === name,
  };
}
