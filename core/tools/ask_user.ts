import { defineTool } from "./tool.ts";

export const askUser = defineTool({
  name: "ask_user",
  description:
    "Asks the person one question and waits for the answer. Only for what you cannot find out yourself and must not " +
    "decide for them. Offer options when the answers are few; the person may also answer in their own words.",
  parameters: {
    type: "object",
    properties: {
      question: { type: "string", minLength: 1, description: "One question, understandable without context" },
      options: {
        type: "array",
        items: { type: "string", minLength: 1 },
        description: "Short answers to choose from",
      },
    },
    required: ["question"],
  },
  parallel: false,
  needs: () => [],
  title: ({ question }) => `ask: ${question.replace(/\s+/g, " ").trim()}`,
  async run({ question, options }, ctx) {
    const choices = [...new Set(options ?? [])];
    const answer = await ctx.ask(question, choices.length > 0 ? choices : undefined);
    return { text: answer.trim() === "" ? "The person gave an empty answer" : answer, data: { answer } };
  },
});
