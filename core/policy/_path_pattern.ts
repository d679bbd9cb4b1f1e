import {
  compileGlob,
  escapeGlob,
  type Glob,
  globMatches,
  isLiteral,
  literalProblem,
  staticBase,
  unescapeGlob,
} from "./_glob.ts";

/** Where relative patterns begin, and how names compare. */
export interface Place {
  /** Absolute and resolved. */
  readonly workspace: string;
  readonly home: string;
  /** True where two spellings of a name are one file (macOS, Windows). */
  readonly ignoreCase: boolean;
}

/** A `read` or `write` pattern with its place. */
export interface PathPattern {
  /** The one path it names (it covers what is below as well); absent when it has wildcards. */
  readonly literal?: string;
  /** That path as it is compared. */
  readonly key?: string;
  /** Folder below which all its matches are. */
  readonly base: string;
  /** The names it covers at any depth, when it is `**` followed by one plain name. */
  readonly anywhere?: string;
  matches(path: string, names: readonly string[]): boolean;
  /** The pattern as absolute globs, for what lies in `folder`. Empty when nothing can. */
  within(folder: string): readonly string[];
}

/**
 * An absolute path in one spelling: `/` between names, no `.`, `..`, empty names or trailing `/`. Undefined when the
 * text is no absolute path.
 */
export function normalPath(text: string): string | undefined {
  const drive = /^[A-Za-z]:[\\/]/.test(text);
  if (!drive && !text.startsWith("/") || text.includes("\0")) return undefined;
  if (!drive && !text.includes("//") && !text.includes("/.") && (text === "/" || !text.endsWith("/"))) {
    return text;
  }
  const names: string[] = [];
  for (const name of (drive ? text.replaceAll("\\", "/") : text).split("/")) {
    if (name === "..") {
      if (names.length > (drive ? 1 : 0)) names.pop();
    } else if (name !== "" && name !== ".") names.push(name);
  }
  return drive ? names.join("/") + (names.length === 1 ? "/" : "") : `/${names.join("/")}`;
}

/** The names in a path: `/a//b/` has `a` and `b`. */
export function namesOf(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** True when `path` is `folder` or in it. Both normal. */
export function isWithin(path: string, folder: string): boolean {
  return path === folder || folder === "/" || path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

/** Without what another covers; in the same order. */
export function outermost(paths: readonly string[]): string[] {
  return paths.filter((path) => !paths.some((other) => other !== path && isWithin(path, other)));
}

/** One spelling for names that a file system without case holds for one. */
export function foldCase(text: string): string {
  return text.normalize("NFC").toLowerCase();
}

/**
 * Compiles a pattern. `broad` is for deny and ask, which would rather match too much: as in a gitignore file, one
 * without a slash, or that begins with `**`, then holds at any depth, anywhere. For an allow the same pattern stays in
 * the workspace, and a plain name is that one path in it. Returns what is wrong, as text.
 */
export function compilePath(pattern: string, place: Place, broad: boolean): PathPattern | string {
  const text = pattern.replace(/(?<=.)\/+$/u, "");
  if (text.includes("\0")) return "it holds a NUL character";
  if (/^~[^/]/u.test(text)) return "only ~ and ~/… are understood, not ~USER";
  const anchored = anchor(text, place, broad);
  if (typeof anchored === "string") return anchored;
  const fold = place.ignoreCase && broad;
  return anchored.float === undefined
    ? anchoredPattern(anchored.absolute, fold)
    : floatingPattern(anchored.float, fold);
}

/** The folder below which all matches of a pattern are; undefined when they may be anywhere, or it cannot be read. */
export function baseOf(pattern: string, place: Place, broad: boolean): string | undefined {
  const anchored = anchor(pattern.replace(/(?<=.)\/+$/u, ""), place, broad);
  if (typeof anchored === "string" || anchored.float !== undefined) return undefined;
  const base = staticBase(anchored.absolute.replace(/(?:\/\*\*)+$/u, "") || "/");
  return base === "/" ? undefined : normalPath(base) ?? base;
}

type Anchored = { readonly absolute: string; readonly float?: undefined } | { readonly float: string };

function anchor(text: string, place: Place, broad: boolean): Anchored | string {
  const workspace = escapeGlob(place.workspace);
  if (text === "." || text === "./") return { absolute: workspace };
  if (text === "~") return { absolute: escapeGlob(place.home) };
  if (text.startsWith("~/")) return absolute(`${escapeGlob(place.home)}/${text.slice(2)}`);
  if (text.startsWith("/") || /^[A-Za-z]:[\\/]/u.test(text)) return absolute(text);
  const dotted = /^\.\.?\//u.test(text) || text === "..";
  if (dotted) return absolute(`${workspace}/${text}`);
  const floating = text === "**" || text.startsWith("**/") || !text.includes("/");
  if (!floating || (!broad && isLiteral(text))) return absolute(`${workspace}/${text}`);
  const tail = text.replace(/^(?:\*\*\/)+/u, "");
  if (broad) return { float: tail };
  return absolute(tail === "**" ? workspace : `${workspace}/**/${tail}`);
}

/** Takes `.` and `..` out of a pattern. */
function absolute(pattern: string): Anchored | string {
  const out: string[] = [];
  for (const name of pattern.split("/")) {
    if (name === "..") {
      const gone = out.pop();
      if (gone !== undefined && !isLiteral(gone)) return "it has .. after a wildcard";
    } else if (name !== "." && name !== "") out.push(name);
  }
  const joined = out.join("/");
  return { absolute: /^[A-Za-z]:/u.test(joined) ? joined : `/${joined}` };
}

function anchoredPattern(pattern: string, fold: boolean): PathPattern | string {
  // `/a/**` and `/a` cover the same.
  const trimmed = pattern.replace(/(?:\/\*\*)+$/u, "") || "/";
  // Most rules name one path, and are compiled at every start.
  const plain = isLiteral(trimmed);
  const glob = plain ? [] : compile(trimmed, fold);
  if (typeof glob === "string") return glob;
  if (plain) {
    const problem = literalProblem(trimmed);
    if (problem !== undefined) return problem;
    const literal = normalPath(unescapeGlob(trimmed)) ?? unescapeGlob(trimmed);
    const key = fold ? foldCase(literal) : literal;
    return {
      literal,
      key,
      base: literal,
      matches: (path) => isWithin(path, key),
      within: (folder) => overlaps(literal, folder) ? [literal] : [],
    };
  }
  const base = staticBase(trimmed);
  const prefix = fold ? foldCase(base) : base;
  return {
    base,
    matches: (path, names) => isWithin(path, prefix) && globMatches(glob, names),
    within: (folder) => overlaps(base, folder) ? globsOf(trimmed) : [],
  };
}

function floatingPattern(tail: string, fold: boolean): PathPattern | string {
  const trimmed = tail.replace(/(?:\/\*\*)+$/u, "");
  const glob = compile(`**/${trimmed}`, fold);
  if (typeof glob === "string") return glob;
  const plain = isLiteral(trimmed) && !trimmed.includes("/");
  return {
    base: "/",
    ...(plain ? { anywhere: fold ? foldCase(unescapeGlob(trimmed)) : unescapeGlob(trimmed) } : {}),
    matches: (_path, names) => globMatches(glob, names),
    within: (folder) => globsOf(`${folder === "/" ? "" : escapeGlob(folder)}/**/${trimmed}`),
  };
}

function compile(pattern: string, fold: boolean): Glob | string {
  return compileGlob(fold ? foldCase(pattern) : pattern);
}

/** The glob itself and what is below: picomatch takes `a*` and `a*` + `/**` for two things. */
function globsOf(pattern: string): string[] {
  const plain = pattern.replaceAll("[!", "[^");
  return plain.endsWith("/**") ? [plain] : [plain, `${plain}/**`];
}

function overlaps(base: string, folder: string): boolean {
  return isWithin(base, folder) || isWithin(folder, base);
}
