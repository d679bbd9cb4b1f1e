/** The two folders that differ between machines. Absolute; trailing slashes do not matter. */
export interface Places {
  readonly workspace: string;
  readonly home: string;
}

const NAMES = ["workspace", "home"] as const;

/** Stands for the folders in recorded text. A text that has such a mark of its own gets one more `$` in front. */
const MARK = /(\$+)\{(workspace|home)\}/g;

interface Region {
  readonly start: number;
  readonly end: number;
  readonly put: string;
}

/** Replaces the folders in `text` by `${workspace}` and `${home}`. */
export function hidePlaces(text: string, places: Places): string {
  return cutHidden(text, places, []).join("");
}

/**
 * The same for a text in pieces: `cuts` are the places where it is cut, ascending. A cut inside a folder's name moves
 * behind it, so that every piece can be shown by itself.
 */
export function cutHidden(text: string, places: Places, cuts: readonly number[]): string[] {
  const found = regions(text, places);
  const pieces: string[] = [];
  let at = 0;
  let next = 0;
  for (const cut of [...cuts, text.length]) {
    let piece = "";
    while (next < found.length) {
      const region = found[next];
      if (region === undefined || region.start >= cut) break;
      piece += text.slice(at, region.start) + region.put;
      at = region.end;
      next++;
    }
    if (cut > at) {
      piece += text.slice(at, cut);
      at = cut;
    }
    pieces.push(piece);
  }
  return pieces;
}

/** The inverse of {@link hidePlaces}, with the folders of this machine. In JSON text, paths are escaped as JSON. */
export function showPlaces(text: string, places: Places, as: "text" | "json" = "text"): string {
  if (!text.includes("${")) return text;
  return text.replace(MARK, (mark, dollars: string, name: "workspace" | "home") => {
    if (dollars.length > 1) return mark.slice(1);
    const path = trimmed(places[name]);
    return as === "json" ? JSON.stringify(path).slice(1, -1) : path;
  });
}

function trimmed(path: string): string {
  return path.length > 1 ? path.replace(/[/\\]+$/, "") : path;
}

function regions(text: string, places: Places): Region[] {
  const found: Region[] = [];
  for (const match of text.matchAll(MARK)) {
    found.push({ start: match.index, end: match.index + match[0].length, put: `$${match[0]}` });
  }
  for (const name of NAMES) {
    const path = trimmed(places[name]);
    if (path.length < 2) continue;
    // Windows paths stand in JSON with doubled backslashes.
    for (const form of new Set([path, JSON.stringify(path).slice(1, -1)])) {
      for (let start = text.indexOf(form); start >= 0; start = text.indexOf(form, start + 1)) {
        const end = start + form.length;
        if (isWhole(text, start, end)) found.push({ start, end, put: `\${${name}}` });
      }
    }
  }
  found.sort((a, b) => a.start - b.start || b.end - a.end);
  let end = 0;
  return found.filter((region) => {
    if (region.start < end) return false;
    end = region.end;
    return true;
  });
}

/**
 * False when the path is only part of a longer name: `/tmp/a` in `/tmp/ab` or in `/private/tmp/a`. Behind a `$` its mark
 * would be taken for an escaped one.
 */
function isWhole(text: string, start: number, end: number): boolean {
  return !/[\w.$-]$/.test(text.slice(Math.max(0, start - 1), start)) &&
    !/^([\w-]|\.\w)/.test(text.slice(end, end + 2));
}
