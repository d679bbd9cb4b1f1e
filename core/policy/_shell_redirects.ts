import { dirname, isAbsolute, join } from "node:path";
import type { HereDoc, Redirect, Redirection } from "unbash";
import type { Scope } from "./_shell_context.ts";
import { noteSet } from "./_shell_lookup.ts";
import { ANY_NUMBER, isKnownText, isNumber, NUMBER, type Text, withVariable } from "./_shell_values.ts";
import { isName } from "./_shell_variables.ts";
import { expand, expandBody, expandText } from "./_shell_words.ts";

/** Devices that keep nothing and tell nothing, and what is open already. */
const NEEDLESS = new RegExp(`^/dev/(?:null|stdin|stdout|stderr|zero|full|fd/(?:[0-9]+|${NUMBER}))$`, "u");

/** What `>&` may name: bash expands it, and what came of it once more. */
const TWICE = /^[\p{L}\p{N}_./@%+=:,-]+$/u;

/**
 * States what a redirect reads or writes. Returns the text that a command gets on its standard input by it; undefined
 * when it gives none, null when the text is not known.
 */
export async function redirect(node: Redirection, scope: Scope): Promise<string | null | undefined> {
  const { descriptor } = node;
  if (descriptor?.type === "FileDescriptorVariable") {
    if (isName(descriptor.name)) noteSet(descriptor.name, scope);
    else scope.problems.push(`it sets ${descriptor.name}`);
    scope.state = withVariable(scope.state, descriptor.name, ANY_NUMBER);
  }
  const isInput = descriptor === undefined ||
    (descriptor.type === "FileDescriptor" && descriptor.value === 0);
  if (node.type === "Redirect") {
    await file(node, scope);
    return isInput && node.operator.startsWith("<") ? null : undefined;
  }
  const texts = node.type === "HereDoc"
    ? await hereDocument(node, scope)
    : await hereString(node.target, scope);
  if (!isInput) return undefined;
  const [text] = texts;
  return texts.length === 1 && text !== undefined && isKnownText(text) ? text : null;
}

async function hereString(target: Redirect["target"], scope: Scope): Promise<readonly Text[]> {
  if (!target) scope.problems.push("a redirect has no target");
  return target ? await expandText(target, scope) : [];
}

async function hereDocument({ body, closing, delimiter }: HereDoc, scope: Scope): Promise<readonly Text[]> {
  if (!closing || !delimiter) {
    scope.problems.push("a here-document is never closed");
    return [];
  }
  if (delimiter.quoted) return [body.text];
  // Without parts the text may still have backslashes that a shell takes away.
  if (!body.parts) return body.text.includes("\\") ? [] : [body.text];
  return await expandBody(body.parts, scope);
}

async function file({ operator, target, descriptor }: Redirect, scope: Scope): Promise<void> {
  if (!target || target.text === "") return void scope.problems.push("a redirect has no target");
  if (scope.reading.posix && (operator.startsWith("&") || descriptor?.type === "FileDescriptorVariable")) {
    scope.problems.push(`shells read ${operator} differently`);
  }
  const copies = operator === ">&" || operator === "<&";
  for (const words of await expand(target, scope)) {
    const [arg] = words;
    if (!arg || words.length > 1 || arg.many || arg.text === "") {
      scope.problems.push(`which file ${operator} ${target.text} means is not known before it runs`);
      continue;
    }
    const { text } = arg;
    if (copies && text.startsWith("-") && text !== "-") {
      // `>&-5` closes, and 5 is a word of its own.
      scope.problems.push(`${operator}${target.text} is read in more than one way`);
      continue;
    }
    if (copies && (text === "-" || isNumber(text) || /^[0-9]+-$/u.test(text))) continue;
    if (copies && !TWICE.test(text)) {
      scope.problems.push(`a shell expands ${operator}${target.text} twice`);
      continue;
    }
    if (NEEDLESS.test(text)) continue;
    const socket = /^\/dev\/(?:tcp|udp)\/([^/]+)\/([^/]+)$/u.exec(text);
    if (!isKnownText(text)) {
      scope.problems.push(`which file ${operator} ${target.text} means is not known before it runs`);
    } else if (socket) {
      scope.analysis.add({ kind: "net", target: `${socket[1]?.toLowerCase()}:${socket[2]}` });
    } else await opened(text, operator, target.text, scope);
  }
}

async function opened(text: string, operator: string, source: string, scope: Scope): Promise<void> {
  for (const path of await pathsOf(text, source, scope)) {
    if (path === undefined) {
      scope.problems.push(`the folder of ${operator} ${source} is not known`);
      continue;
    }
    if (NEEDLESS.test(path)) continue;
    if (operator !== "<" && operator !== "<&") scope.analysis.add({ kind: "write", target: path });
    if (operator === "<" || operator === "<&" || operator === "<>") {
      scope.analysis.add({ kind: "read", target: path });
    }
  }
}

/** The files that a path may mean, after links; undefined among them when it starts from a folder that is not known. */
async function pathsOf(text: string, source: string, scope: Scope): Promise<readonly (string | undefined)[]> {
  const { state, analysis: { host } } = scope;
  const isHome = /^~(?:\/|$)/u.test(source) && text.startsWith("~");
  if (isHome || isAbsolute(text)) return [await followed(text, host.resolve)];
  const paths: (string | undefined)[] = [];
  for (const folder of state.folders ?? [undefined]) {
    paths.push(folder === undefined ? undefined : await followed(`${folder}/./${text}`, host.resolve));
  }
  return paths;
}

/** The system goes up from where links lead to, so each part before a `..` is resolved by itself. */
async function followed(path: string, resolve: (path: string) => Promise<string>): Promise<string> {
  const [first = "", ...rest] = path.split(/\/\.\.(?=\/|$)/u);
  let at = await resolve(first === "" ? "/" : clean(first));
  for (const part of rest) {
    at = dirname(at);
    if (part !== "" && part !== "/") at = await resolve(join(at, part));
  }
  return at;
}

function clean(path: string): string {
  return isAbsolute(path) ? join(path) : path;
}
