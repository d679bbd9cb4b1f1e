import { parseNeed } from "../../domain/need.ts";
import { PryxError } from "../../domain/error.ts";
import { defineTool } from "../tool.ts";

/**
 * A program's need for something that is no tool: the agent, a secret, a variable. Doing it is the caller's; here it is
 * decided and written down.
 */
export const require = defineTool({
  name: "require",
  description: "Asks for one need, as kind=target. Does nothing but have it decided.",
  parameters: {
    type: "object",
    properties: { need: { type: "string", minLength: 1, description: "kind=target, as in use=agent" } },
    required: ["need"],
  },
  needs({ need }) {
    const parsed = parseNeed(need);
    if (typeof parsed === "string") throw new PryxError("input_invalid", parsed);
    return [parsed];
  },
  title: ({ need }) => need,
  run: ({ need }) => Promise.resolve({ text: `allowed: ${need}` }),
});
