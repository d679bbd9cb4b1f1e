import { dirname, resolve } from "node:path";
import type { Envelope, PathAccess, Refusal } from "../domain/envelope.ts";
import type { Need } from "../domain/need.ts";
import { type Complaint, complaintIn } from "./_refusal_lines.ts";
import { isInside } from "./_paths.ts";

/** The host's files, as the user of pryx sees them. */
export interface HostFiles {
  /** The real path; undefined when there is nothing. */
  real(path: string): string | undefined;
  /** True when this user may read it, outside of any sandbox. */
  mayRead(path: string): boolean;
  /** True when its mode says that it is a program. */
  isProgram(path: string): boolean;
  /** Real path of the program of that name on PATH, whether the child could see it or not. */
  program(name: string): string | undefined;
  /** True when something on this machine listens on that port. */
  listens(port: number): boolean;
}

export interface RefusalParts {
  /** What it printed. */
  readonly text: string;
  readonly code: number | null;
  readonly cwd: string;
  readonly envelope: Envelope;
  readonly baseline: { readonly read: readonly string[]; readonly temp: string };
  /** What is not open is not there at all (bubblewrap). */
  readonly hidden: boolean;
  /** What is closed to writing inside the roots. */
  readonly closed: readonly string[];
  readonly files: HostFiles;
}

export const MAX_REFUSALS = 5;
/** Lines looked at, from the start and from the end: an error stands at either. */
const MAX_LINES = 300;
const MAX_EVIDENCE = 300;
/** Lines of a traceback before its error. */
const CONTEXT_LINES = 4;

/**
 * Finds in the output of a command what the kernel refused it: each complaint is checked against the host, so a file that
 * is missing or closed there too is nobody's refusal. A command that succeeded is believed about files, not about
 * hosts. At most five, in the order they were printed, those that name nothing last.
 */
export function findRefusals(parts: RefusalParts): readonly Refusal[] {
  const found = new Map<string, Refusal>();
  const lines = linesOf(parts.text);
  for (const [index, line] of lines.entries()) {
    const complaint = complaintIn(line);
    if (complaint === undefined) continue;
    if (parts.code === 0 && ON_NETWORK.has(complaint.kind)) continue;
    const around = lines.slice(Math.max(0, index - CONTEXT_LINES), index).join("\n");
    const wanted = needOf(complaint, parts) ?? socketNeed(complaint, line, around, parts);
    if (wanted === undefined) continue;
    const need = makesFolder(`${around}\n${line}`) ? folderNeed(wanted, parts) : wanted;
    const key = `${need.kind}=${need.target}`;
    if (!found.has(key)) found.set(key, { need, evidence: line.trim().slice(0, MAX_EVIDENCE) });
  }
  const all = [...found.values()];
  const hosts = all.some(({ need }) => need.kind === "net" && !isVague(need.target));
  const specific = all.filter(({ need }) => !isVague(need.target));
  const vague = hosts ? [] : all.filter(({ need }) => isVague(need.target));
  return [...specific, ...vague].slice(0, MAX_REFUSALS);
}

const ON_NETWORK: ReadonlySet<Complaint["kind"]> = new Set(["network", "socket", "refused"]);

function isVague(target: string): boolean {
  return target === "*" || target === "**";
}

function linesOf(text: string): readonly string[] {
  // deno-lint-ignore no-control-regex -- the escape character begins a colour
  const lines = text.replace(/\x1b\[[0-9;?]*[A-Za-z]/g, "").split(/[\r\n]+/);
  return lines.length <= 2 * MAX_LINES ? lines : [...lines.slice(0, MAX_LINES), ...lines.slice(-MAX_LINES)];
}

function needOf(complaint: Complaint, parts: RefusalParts): Need | undefined {
  const { envelope, files, hidden } = parts;
  switch (complaint.kind) {
    case "socket":
      return envelope.unixSockets ? undefined : { kind: "net", target: "unix" };
    case "network":
      return networkNeed(complaint.host, parts);
    case "refused":
      return ownNetworkNeed(complaint, parts);
    case "program": {
      const real = hidden ? files.program(complaint.name) : undefined;
      return real === undefined || accessOf(real, parts) !== "none"
        ? undefined
        : { kind: "read", target: real };
    }
    case "denied":
      return firstOf(complaint.paths, parts.cwd, (path) => deniedNeed(path, complaint, parts));
    case "missing":
      return hidden
        ? firstOf(complaint.paths, parts.cwd, (path) => missingNeed(path, complaint.writing, parts))
        : undefined;
  }
}

/** The error names no file, and what stands before it speaks of sockets. */
function socketNeed(
  complaint: Complaint,
  line: string,
  around: string,
  parts: RefusalParts,
): Need | undefined {
  const { envelope, hidden, code } = parts;
  if (code === 0 || complaint.kind !== "denied" || !/not permitted|EPERM/i.test(line)) return undefined;
  if (!/socket|connect/i.test(around)) return undefined;
  // With a network namespace of its own a child may make every socket but those of this machine.
  const local = hidden || /AF_UNIX|\bunix\b|\.sock\b/i.test(around);
  if (local) return envelope.unixSockets ? undefined : { kind: "net", target: "unix" };
  return networkNeed(undefined, parts);
}

function networkNeed(
  host: string | undefined,
  { envelope: { network }, hidden }: RefusalParts,
): Need | undefined {
  if (network === "all") return undefined;
  // Through the proxy, names are resolved outside: what it refused it says itself. Without a namespace even a server of
  // its own on loopback takes the whole network.
  if (host === undefined) {
    return network === "none" ? { kind: "net", target: hidden ? "*" : "**" } : undefined;
  }
  if (/^(?:localhost|127\.|0\.0\.0\.0)/.test(host)) return undefined;
  if (network !== "none" && network.hosts.includes(host)) return undefined;
  return { kind: "net", target: host };
}

/** Nobody answers on the loopback of the child, and somebody does on that of this machine. */
function ownNetworkNeed(
  { host, port }: { readonly host: string; readonly port: number },
  { envelope: { network }, hidden, files }: RefusalParts,
): Need | undefined {
  // Without a namespace nothing at all can be reached, a server of its own included.
  if (!hidden) return network === "none" ? { kind: "net", target: "**" } : undefined;
  if (network === "all" || !files.listens(port)) return undefined;
  const target = `${host}:${port}`;
  return network !== "none" && network.hosts.includes(target) ? undefined : { kind: "net", target };
}

/** A folder is made with the rights to the one around it: a new one cannot be put in its place beforehand, as a file can. */
function folderNeed(need: Need, { files }: RefusalParts): Need {
  const around = dirname(need.target);
  return need.kind !== "write" || around === "/" || files.real(need.target) !== undefined
    ? need
    : { ...need, target: around };
}

function makesFolder(text: string): boolean {
  return /\bmkdir|makedirs|create_?dir|creat(?:e|ing) (?:\w+ )?director|\/\.git:/i.test(text);
}

function deniedNeed(
  path: string,
  { writing, busy, named }: Extract<Complaint, { kind: "denied" }>,
  parts: RefusalParts,
): Need | undefined {
  const { files, code } = parts;
  const real = files.real(path);
  if (real === undefined) {
    // To be made anew: its folder is there, and closed to it.
    const folder = files.real(dirname(path));
    if (folder === undefined || accessOf(path, parts) === "write") return undefined;
    const sure = writing && named.some((name) => resolve(parts.cwd, name) === path);
    return sure || looksLikePath(path, parts) ? { kind: "write", target: path } : undefined;
  }
  const access = accessOf(real, parts);
  if (access === "write") return busy ? busyNeed(real, parts) : undefined;
  if (access === "none") {
    if (!files.mayRead(real)) return undefined;
    return { kind: writing ? "write" : "read", target: real };
  }
  if (writing) return { kind: "write", target: real };
  // It may be read here, so if the host lets it be read this was about writing, or about running what is no program.
  if (!files.mayRead(real) || (code === 126 && !files.isProgram(real))) return undefined;
  return { kind: "write", target: real };
}

/** A mount point cannot be moved or replaced: it is a root by itself, or holds something that is closed to writing. */
function busyNeed(path: string, parts: RefusalParts): Need | undefined {
  const inside = parts.closed.find((closed) => isInside(closed, path));
  if (inside !== undefined) return { kind: "write", target: inside };
  const folder = dirname(path);
  return accessOf(folder, parts) === "write" ? undefined : { kind: "write", target: folder };
}

function missingNeed(path: string, writing: boolean, parts: RefusalParts): Need | undefined {
  const { files } = parts;
  const real = files.real(path);
  if (real !== undefined) {
    if (accessOf(real, parts) !== "none" || isAround(real, parts) || !files.mayRead(real)) return undefined;
    return { kind: writing ? "write" : "read", target: real };
  }
  const folder = files.real(dirname(path));
  if (folder === undefined || isAround(folder, parts) || accessOf(folder, parts) !== "none") return undefined;
  return writing ? { kind: "write", target: path } : undefined;
}

/** A word of a sentence names a new file only when it has a slash, or an ending, and no space. */
function looksLikePath(path: string, { cwd }: RefusalParts): boolean {
  const name = path.slice(dirname(path).length);
  return !/\s/.test(name) && (dirname(path) !== cwd || /\.\w+$/.test(name));
}

/** How far it was open to the child, everything counted. */
function accessOf(path: string, { envelope, baseline }: RefusalParts): PathAccess {
  if (isInside(path, baseline.temp) || /^\/(?:dev|proc)(?:\/|$)/.test(path)) return "write";
  return envelope.access(path);
}

/** A folder on the way to something open, which is there although nothing else of it is. */
function isAround(folder: string, { envelope, baseline }: RefusalParts): boolean {
  return [...envelope.read, ...envelope.write, ...baseline.read].some((root) => isInside(root, folder));
}

/** Relative paths are of the folder the command ran in. A path to the root is no path to anything. */
function firstOf(
  paths: readonly string[],
  cwd: string,
  need: (path: string) => Need | undefined,
): Need | undefined {
  for (const path of paths) {
    const absolute = resolve(cwd, path);
    const found = absolute === "/" || path.includes("\0") ? undefined : need(absolute);
    if (found !== undefined) return found;
  }
  return undefined;
}
