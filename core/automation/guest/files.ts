import type * as Api from "../api.d.ts";
import type { Calls } from "./asking.ts";
import type { Guest } from "./guest.ts";

/** Files and folders. */
export function filesApi(guest: Guest, { _calls: calls }: { readonly _calls: Calls }) {
  const pathOf = (path: unknown, what: string): string => {
    const text = calls.text(path, `The path of ${what}`);
    if (text === "") throw new TypeError(`The path of ${what} is empty`);
    if (text.includes("\0")) throw new TypeError(`The path of ${what} has a NUL character in it`);
    return text;
  };

  const modeOf = (mode: number | undefined) => {
    if (mode === undefined || (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) return mode;
    throw new TypeError(`A mode is permission bits, like 0o644, not ${guest.inspect(mode)}`);
  };

  async function read(path: string): Promise<string> {
    const { text } = await calls.data<{ text?: string }>("fs_read", { path: pathOf(path, "fs.read()") });
    if (text !== undefined) return text;
    throw new guest.PryxError(`Cannot read ${path} as text: it is not valid UTF-8`, {
      code: "input_invalid",
      fix: "Read it with fs.readBytes()",
    });
  }

  async function write(path: string, content: string | Uint8Array, options: { mode?: number } = {}) {
    const target = pathOf(path, "fs.write()");
    const mode = modeOf(options.mode);
    if (typeof content === "string") {
      await calls.tool("fs_write", { path: target, text: content, mode });
      return;
    }
    const bytes = calls.bytesOf(content);
    if (bytes === undefined) {
      throw new TypeError(
        `fs.write() takes text or bytes, not ${guest.inspect(content)}: see fs.writeJson()`,
      );
    }
    await calls.tool("fs_write", { path: target, base64: guest.toBase64(bytes), mode });
  }

  const fs: typeof Api.fs = {
    read,
    async readBytes(path) {
      const answer = await calls.data<{ base64?: string; text?: string }>("fs_read", {
        path: pathOf(path, "fs.readBytes()"),
        bytes: true,
      });
      return answer.base64 === undefined
        ? new TextEncoder().encode(answer.text ?? "")
        : guest.fromBase64(answer.base64);
    },
    async readJson(path) {
      const text = await read(path);
      try {
        return JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
      } catch (error) {
        throw new guest.PryxError(`Cannot read ${path} as JSON: ${calls.message(error)}`, {
          code: "input_invalid",
        });
      }
    },
    write,
    async writeJson(path, value) {
      const text = JSON.stringify(value, null, 2);
      if (text === undefined) {
        throw new TypeError(`fs.writeJson() cannot write ${guest.inspect(value)}: it is no JSON`);
      }
      await write(path, `${text}\n`);
    },
    async append(path, text) {
      await calls.tool("fs_write", {
        path: pathOf(path, "fs.append()"),
        text: calls.text(text, "What fs.append() adds"),
        append: true,
      });
    },
    async edit(path, replace, by, options = {}) {
      await calls.tool("edit_file", {
        path: pathOf(path, "fs.edit()"),
        old_text: calls.text(replace, "What fs.edit() replaces"),
        new_text: calls.text(by, "What fs.edit() writes instead"),
        replace_all: options.all,
      });
    },
    async list(path = ".", options = {}) {
      const { entries } = await calls.data<{ entries: Api.FolderEntry[] }>("fs_list", {
        path: pathOf(path, "fs.list()"),
        recursive: options.recursive,
      });
      return entries;
    },
    async glob(pattern, options = {}) {
      const { paths } = await calls.data<{ paths: string[] }>("fs_glob", {
        pattern: calls.text(pattern, "The pattern of fs.glob()"),
        cwd: options.cwd,
        limit: options.limit,
      });
      return paths;
    },
    async grep(pattern, options = {}) {
      if (Object.prototype.toString.call(pattern) === "[object RegExp]") {
        throw new TypeError(
          "fs.grep() takes a regular expression as text, in Rust's syntax: its source, and ignoreCase",
        );
      }
      const { matches } = await calls.data<{ matches: Api.GrepMatch[] }>("fs_grep", {
        pattern: calls.text(pattern, "The pattern of fs.grep()"),
        path: options.path,
        glob: options.glob,
        ignoreCase: options.ignoreCase,
        limit: options.limit,
      });
      return matches;
    },
    stat: (path) => stat(path, "fs.stat()"),
    async exists(path) {
      return await stat(path, "fs.exists()") !== null;
    },
    async copy(from, to) {
      await calls.tool("fs_copy", { from: pathOf(from, "fs.copy()"), to: pathOf(to, "fs.copy()") });
    },
    async move(from, to) {
      await calls.tool("fs_move", { from: pathOf(from, "fs.move()"), to: pathOf(to, "fs.move()") });
    },
    async remove(path, options = {}) {
      await calls.tool("fs_remove", { path: pathOf(path, "fs.remove()"), recursive: options.recursive });
    },
    async mkdir(path) {
      await calls.tool("fs_mkdir", { path: pathOf(path, "fs.mkdir()") });
    },
    async temp(prefix = "") {
      if (!/^[A-Za-z0-9_.-]{0,64}$/.test(calls.text(prefix, "The prefix of fs.temp()"))) {
        throw new TypeError("The prefix of fs.temp() is letters, digits, dots and dashes, 64 at most");
      }
      return await calls.call("temp", { prefix });
    },
    watch(path) {
      const target = pathOf(path, "fs.watch()");
      return calls.pieces<Api.FileChange>(async (push, left) => {
        const signal = AbortSignal.any([left, guest.signal]);
        try {
          await calls.call("watch", { path: target }, { on: push, signal });
        } catch (error) {
          if (!guest.signal.aborted) throw error;
        }
      });
    },
  };

  // Null where there is nothing. The host may say so by having no data.
  async function stat(path: string, what: string): Promise<Api.FileInfo | null> {
    return await calls.data<Api.FileInfo | null | undefined>("fs_stat", { path: pathOf(path, what) }) ?? null;
  }

  return { fs } satisfies Pick<typeof Api, "fs">;
}
