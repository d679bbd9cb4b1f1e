import type { Kit } from "./kit.ts";

/** console: log, info and debug to standard output, warn, error, trace and assert to standard error. */
export function consoleGlobal(kit: Kit): void {
  const { uncurry, bridge } = kit;
  const { keys, getOwnPropertyDescriptor } = Object;
  const isArray = Array.isArray;
  const repeat = uncurry(String.prototype.repeat);
  const replaceAll = uncurry(
    String.prototype.replaceAll as (this: string, from: string, to: string) => string,
  );
  const padEnd = uncurry(String.prototype.padEnd);
  const GuestError = Error;
  const counts: Record<string, number> = { __proto__: null as never };
  const times: Record<string, number> = { __proto__: null as never };
  let indent = 0;

  function write(to: "stdout" | "stderr", text: string): void {
    const before = repeat("  ", indent);
    kit.say(to, `${before}${indent === 0 ? text : replaceAll(text, "\n", `\n${before}`)}\n`);
  }

  function grid(columns: readonly string[], rows: readonly (readonly string[])[]): string {
    const widths: number[] = [];
    for (let at = 0; at < columns.length; at++) {
      widths[at] = (columns[at] ?? "").length;
      for (let row = 0; row < rows.length; row++) {
        const length = (rows[row]?.[at] ?? "").length;
        if (length > (widths[at] ?? 0)) widths[at] = length;
      }
    }
    const rule = (left: string, middle: string, right: string) => {
      let text = left;
      for (let at = 0; at < widths.length; at++) {
        text += `${at === 0 ? "" : middle}${repeat("─", (widths[at] ?? 0) + 2)}`;
      }
      return text + right;
    };
    const line = (cells: readonly string[]) => {
      let text = "│";
      for (let at = 0; at < widths.length; at++) text += ` ${padEnd(cells[at] ?? "", widths[at] ?? 0)} │`;
      return text;
    };
    let text = `${rule("┌", "┬", "┐")}\n${line(columns)}\n${rule("├", "┼", "┤")}\n`;
    for (let row = 0; row < rows.length; row++) text += `${line(rows[row] ?? [])}\n`;
    return text + rule("└", "┴", "┘");
  }

  function cell(value: unknown): string {
    return kit.inspect(value, { depth: 0 });
  }

  function table(data: unknown, only?: readonly string[]): string | undefined {
    if (typeof data !== "object" || data === null) return undefined;
    const names = keys(data);
    const columns: string[] = ["(index)"];
    const seen: Record<string, number> = { __proto__: null as never };
    let values = false;
    const column = (name: string) => seen[name] ??= (columns[columns.length] = name, columns.length - 1);
    if (only) { for (let at = 0; at < only.length; at++) column(only[at] ?? ""); }
    const rows: string[][] = [];
    const singles: (string | undefined)[] = [];
    for (let index = 0; index < names.length && index < 1_000; index++) {
      const name = names[index] ?? "";
      const item = getOwnPropertyDescriptor(data, name)?.value;
      const row: string[] = [name];
      if (typeof item === "object" && item !== null) {
        const inner = keys(item);
        for (let at = 0; at < inner.length && at < 100; at++) {
          const key = inner[at] ?? "";
          if (only && seen[key] === undefined) continue;
          row[column(key)] = cell(getOwnPropertyDescriptor(item, key)?.value);
        }
      } else {
        singles[index] = cell(item);
        values = true;
      }
      rows[index] = row;
    }
    if (values) {
      const at = columns.length;
      columns[at] = "Values";
      for (let index = 0; index < rows.length; index++) {
        const row = rows[index];
        const single = singles[index];
        if (row && single !== undefined) row[at] = single;
      }
    }
    return grid(columns, rows);
  }

  function label(value: unknown): string {
    return value === undefined ? "default" : `${value}`;
  }

  function elapsed(name: string): string {
    const started = times[name];
    if (started === undefined) return `${name}: there is no such timer`;
    const ms = (kit.fixed() ? kit.now() : bridge.elapsed()) - started;
    return `${name}: ${ms >= 1000 ? `${Math.round(ms) / 1000}s` : `${Math.round(ms * 1000) / 1000}ms`}`;
  }

  const out = (...values: unknown[]) => write("stdout", kit.format(values));
  const err = (...values: unknown[]) => write("stderr", kit.format(values));
  const group = (...values: unknown[]) => {
    if (values.length > 0) out(...values);
    if (indent < 100) indent++;
  };
  const members = {
    log: (...values: unknown[]) => out(...values),
    info: (...values: unknown[]) => out(...values),
    debug: (...values: unknown[]) => out(...values),
    error: (...values: unknown[]) => err(...values),
    warn: (...values: unknown[]) => err(...values),
    trace(...values: unknown[]) {
      const { stack } = new GuestError();
      err(`Trace${values.length === 0 ? "" : ": "}${kit.format(values)}${kit.ownFrames(`${stack}`)}`);
    },
    assert(condition?: unknown, ...values: unknown[]) {
      if (condition) return;
      err(values.length === 0 ? "Assertion failed" : `Assertion failed: ${kit.format(values)}`);
    },
    dir: (value?: unknown, options?: { depth?: number }) =>
      write("stdout", kit.inspect(value, typeof options?.depth === "number" ? { depth: options.depth } : {})),
    dirxml: (...values: unknown[]) => out(...values),
    table(data?: unknown, columns?: unknown) {
      const only = isArray(columns) ? columns.map((name) => `${name}`) : undefined;
      const text = table(data, only);
      if (text === undefined) out(data);
      else write("stdout", text);
    },
    group,
    groupCollapsed: group,
    groupEnd() {
      if (indent > 0) indent--;
    },
    count(name?: unknown) {
      const key = label(name);
      counts[key] = (counts[key] ?? 0) + 1;
      out(`${key}: ${counts[key]}`);
    },
    countReset(name?: unknown) {
      counts[label(name)] = 0;
    },
    time(name?: unknown) {
      times[label(name)] = kit.fixed() ? kit.now() : bridge.elapsed();
    },
    timeLog: (name?: unknown, ...values: unknown[]) => out(elapsed(label(name)), ...values),
    timeEnd(name?: unknown) {
      out(elapsed(label(name)));
      delete times[label(name)];
    },
    clear() {},
  };
  kit.expose({ console: members });
}
