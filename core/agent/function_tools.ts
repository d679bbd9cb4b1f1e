import type { FunctionTool } from "../api.ts";
import { messageOf, PryxError } from "../domain/error.ts";
import type { Json } from "../domain/schema.ts";
import type { Tool } from "../tools/tool.ts";
import { checkOutput } from "./check_output.ts";

/** Functions of the caller as tools of the agent. They state no needs: what they do is the caller's own doing. */
export function functionTools(functions: readonly FunctionTool[]): readonly Tool[] {
  return functions.map(({ name, description, parameters, call, taints }): Tool => ({
    name,
    description,
    // Closed to nothing here: what its author wrote is checked below.
    parameters: { type: "object", properties: {}, additionalProperties: true },
    inputSchema: parameters,
    needs: () => [],
    title: () => name,
    async run(args, { run, signal }) {
      const checked = await checkOutput(parameters, JSON.stringify(args), { run, signal });
      if ("problems" in checked) return { text: `${name} was not called: ${checked.problems}`, failed: true };
      const result = await call(args as Json, signal).then((text) => ({ text }), (error) => {
        if (error instanceof PryxError && error.code === "cancelled") throw error;
        return { text: messageOf(error), failed: true };
      });
      const sources = taints?.() ?? [];
      return sources.length === 0 ? result : { ...result, taints: sources.join(", ") };
    },
  }));
}
