// @ts-types="npm:/sucrase@3.35.1/dist/types/index.d.ts"
import { type Options, transform } from "sucrase/dist/index.js";
import { readImports } from "./_imports.ts";
import { createSpots, type Finding, type ImportSite, type Module, type ModuleKind } from "./_module.ts";
import { syntaxFinding, tokenize, type Tokens, TokenType } from "./_tokens.ts";
import { manifestSpot, type PatternProblem, readManifest } from "./manifest.ts";

/** Reorders what is seen (Trojan Source, CVE-2021-42574). */
const BIDI = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;

/**
 * Reads one module: what it imports, what is wrong with it, and its text as a function body, lines kept. Of an entry
 * also the manifest. Total: what cannot be read is a finding.
 */
export function analyse(
  text: string,
  kind: Exclude<ModuleKind, "json">,
  manifest: PatternProblem | undefined,
): Module {
  const body = bodyOf(text);
  const tokens = tokenize(body, kind === "ts");
  if (!("list" in tokens)) return { code: "", imports: [], findings: [tokens] };
  const { sites, findings: refused } = readImports(tokens);
  const { at, permissions, findings: declared } = manifest
    ? readManifest(tokens, manifest)
    : { at: manifestSpot(tokens), permissions: undefined, findings: [] };
  const findings: Finding[] = [...refused, ...declared, ...bidiFindings(body)];
  let code = "";
  try {
    code = transform(body, optionsFor(kind)).code;
  } catch (error) {
    // What was refused above may well be what it stumbles over.
    if (refused.length === 0) findings.push(syntaxFinding(error, createSpots(body)));
  }
  return {
    code,
    imports: kept(sites, body, code),
    ...(at ? { manifestAt: at } : {}),
    ...(permissions ? { permissions } : {}),
    findings: findings.sort((a, b) => a.line - b.line || a.column - b.column),
  };
}

/** A function body has no such first line as a program; as a comment it has the same length. */
function bodyOf(text: string): string {
  return text.startsWith("#!") ? `//${text.slice(2)}` : text;
}

function optionsFor(kind: Exclude<ModuleKind, "json">): Options {
  return {
    transforms: kind === "ts" ? ["typescript", "imports"] : ["imports"],
    disableESTransforms: true,
  };
}

/** The code that {@link analyse} makes of a text, and where its pieces come from (a source map's `mappings`). */
export function stripTypes(
  text: string,
  kind: Exclude<ModuleKind, "json">,
  id: string,
): { code: string; mappings: string } {
  const { code, sourceMap } = transform(bodyOf(text), {
    ...optionsFor(kind),
    filePath: id,
    sourceMapOptions: { compiledFilename: id },
  });
  return { code, mappings: sourceMap?.mappings ?? "" };
}

/** Those of `sites` that are still there in the code: what is used as a type alone is not. One for each specifier. */
function kept(sites: readonly ImportSite[], text: string, code: string): ImportSite[] {
  const first = new Map(sites.toReversed().map((site) => [site.specifier, site]));
  const sure = (specifier: string) => {
    const call = `require('${specifier}')`;
    // More of them than in the text before: the transformer wrote one. It writes none but calls.
    return code.split(call).length > text.split(call).length;
  };
  const doubtful = [...first.keys()].some((specifier) => !sure(specifier) && code.includes(specifier));
  const tokens = doubtful ? tokenize(code, false) : undefined;
  // What the transformer wrote and nobody can read: nothing may slip through.
  const required = tokens && ("list" in tokens ? requiredBy(tokens) : new Set(first.keys()));
  return [...first.values()].toSorted((a, b) => a.line - b.line || a.column - b.column)
    .filter(({ specifier }) => sure(specifier) || required?.has(specifier));
}

function requiredBy({ list, at }: Tokens): Set<string> {
  const found = new Set<string>();
  for (const [index, { type, text }] of list.entries()) {
    const [open, specifier] = [at(index + 1), at(index + 2)];
    if (type !== TokenType.name || text !== "require" || open.type !== TokenType.parenL) continue;
    if (specifier.type === TokenType.string) found.add(specifier.text.slice(1, -1));
  }
  return found;
}

function bidiFindings(text: string): Finding[] {
  const index = text.search(BIDI);
  if (index < 0) return [];
  const fix = "write it as an escape, `\\u202e`, or remove it";
  const message = "A character here reorders the text around it: what runs is not what is seen";
  return [{ ...createSpots(text)(index), code: "syntax", severity: "warning", message, fix }];
}
