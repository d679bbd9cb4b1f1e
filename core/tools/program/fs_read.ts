import { PryxError } from "../../domain/error.ts";
import { contentOf, MAX_BYTES } from "../_bytes.ts";
import { formatSize } from "../_text.ts";
import { defineTool } from "../tool.ts";

/** A whole file. Data: `{text}`, or with `bytes` `{base64}`. Rejects with `not_found`, and with `io` for what is no text or too large. */
export const fsRead = defineTool({
  name: "fs_read",
  description: "Reads a whole file",
  parameters: {
    type: "object",
    properties: {
      path: { type: "string", minLength: 1 },
      bytes: { type: "boolean", description: "As base64, whatever it is" },
    },
    required: ["path"],
  },
  async needs({ path }, ctx) {
    return [{ kind: "read", target: await ctx.resolve(path) }];
  },
  title: ({ path }) => `read ${path}`,
  async run({ path, bytes: asBytes }, ctx) {
    const { bytes, info } = await ctx.files.read(await ctx.resolve(path), { maxBytes: MAX_BYTES });
    if (info.size > MAX_BYTES || (info.size === 0 && bytes.length === MAX_BYTES)) {
      const size = `${formatSize(Math.max(info.size, bytes.length))}, and ${
        formatSize(MAX_BYTES)
      } is the most`;
      throw new PryxError("io", `Cannot read ${path}: it has ${size}`, {
        fix: "Read it in parts with a command",
      });
    }
    const content = contentOf(bytes, asBytes);
    if ("text" in content || asBytes) return { text: `${formatSize(bytes.length)} read`, data: content };
    throw new PryxError("io", `Cannot read ${path} as text: it is not valid UTF-8`, {
      fix: "Read it as bytes",
    });
  },
});
