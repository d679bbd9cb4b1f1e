import { createSpots, type Module } from "./_module.ts";

/** A JSON file as a module: its text, when it is JSON. */
export async function jsonModule(text: string): Promise<Module> {
  try {
    JSON.parse(text);
    return { code: text, imports: [], findings: [] };
  } catch {
    const spot = createSpots(text)(await firstError(text));
    const message = "This is not JSON";
    const fix = "mend it here: names and texts in double quotes, no comments, no comma at the end";
    return {
      code: "",
      imports: [],
      findings: [{ ...spot, code: "syntax", severity: "error", message, fix }],
    };
  }
}

/** Where the text stops to be JSON. The engine's own message does not always say. */
async function firstError(text: string): Promise<number> {
  const { parse } = await import("jsonc-parser");
  const errors: { offset: number }[] = [];
  try {
    parse(text, errors as Parameters<typeof parse>[1], { disallowComments: true, allowTrailingComma: false });
  } catch {
    // Nested too deeply for it.
  }
  return errors[0]?.offset ?? 0;
}
