import { PryxError } from "../../domain/error.ts";
import { bytesOf } from "../_bytes.ts";
import { recordBounded } from "../_record.ts";
import { formatSize } from "../_text.ts";
import { defineTool } from "../tool.ts";

/** Writes a whole file, at once, or adds to the end of one. Data: `{bytes}`, how many. */
export const fsWrite = defineTool({
  name: "fs_write",
  description: "Writes a whole file, or adds to the end of one; missing folders are made",
  parameters: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1 },
      text: { type: "string", description: "What it will hold" },
      base64: { type: "string", description: "The same, as bytes" },
      mode: { type: "integer", minimum: 0, maximum: 0o7777, description: "Permission bits" },
      append: { type: "boolean", description: "Adds it to the end; mode is that of a new file" },
    },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "write", target: await ctx.resolve(path) }];
  },
  title: ({ path, append }) => `${append ? "append to" : "write"} ${path}`,
  record: recordBounded,
  async run({ path, mode, append, ...content }, ctx) {
    const bytes = bytesOf(content, "The content");
    if (bytes === undefined) {
      throw new PryxError("input_invalid", `Cannot write ${path}: no content is given`);
    }
    if (/[/\\]$/u.test(path)) throw new PryxError("io", `Cannot write ${path}: it is a folder`);
    const options = mode === undefined ? {} : { mode };
    await ctx.files[append ? "append" : "write"](await ctx.resolve(path), bytes, options);
    return {
      text: `${formatSize(bytes.length)} ${append ? "added" : "written"}`,
      data: { bytes: bytes.length },
    };
  },
});
