/** Where the search starts and what it matches there: leading folders without wildcards belong to the place. */
export function splitPattern(
  { pattern, path }: { pattern: string; path?: string },
): { folder: string; pattern: string } {
  const base = path ?? ".";
  if (!/^(\/|~\/|\.\.?\/)/.test(pattern)) return { folder: base, pattern };
  const parts = pattern.split("/");
  const wild = parts.findIndex((part) => /[*?[{]/.test(part));
  const place = parts.slice(0, wild < 0 ? parts.length - 1 : wild).join("/");
  const rest = parts.slice(wild < 0 ? parts.length - 1 : wild).join("/");
  const absolute = /^(\/|~)/.test(pattern);
  return {
    folder: absolute ? place || "/" : `${base}/${place}`,
    // In the place that was spelled out: `./*.ts` is not `**/*.ts`.
    pattern: rest.includes("/") ? rest : `./${rest}`,
  };
}
