/** What a model's answer is worth against a JSON Schema: the JSON alone, or what is wrong with it. */
type CheckedOutput = { readonly json: string } | { readonly problems: string };

/** Checks an answer. JSON in a code fence, or with prose around it, counts: people want the JSON. */
export async function checkOutput(
  schema: Readonly<Record<string, unknown>>,
  answer: string,
): Promise<CheckedOutput> {
  const found = findJson(answer);
  if (found === undefined) return { problems: "it is not JSON" };
  const { z } = await import("zod");
  const result = z.fromJSONSchema(schema).safeParse(found.value);
  if (result.success) return { json: found.text };
  const problems = result.error.issues.map((issue) =>
    `${issue.path.join(".") || "the value"}: ${issue.message}`
  );
  return { problems: problems.slice(0, 10).join("; ") };
}

function findJson(answer: string): { value: unknown; text: string } | undefined {
  const trimmed = answer.trim();
  const fenced = /^```(?:json)?\s*\n([\s\S]*?)\n```/m.exec(trimmed)?.[1];
  const outer = /[[{][\s\S]*[\]}]/.exec(trimmed)?.[0];
  for (const text of [trimmed, fenced, outer]) {
    if (text === undefined) continue;
    try {
      return { value: JSON.parse(text), text: text.trim() };
    } catch {
      // The next form may be the one.
    }
  }
  return undefined;
}
