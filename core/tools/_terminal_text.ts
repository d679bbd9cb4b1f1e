const ESC = "\u001b";

/** Colours and cursor movements (CSI), titles and links (OSC), device strings, and the rest of ECMA-48's sequences. */
const SEQUENCES = new RegExp(
  [
    `${ESC}\\[[0-?]*[ -/]*[@-~]`,
    `${ESC}\\][^\\u0007${ESC}]*(?:\\u0007|${ESC}\\\\)?`,
    `${ESC}[PX^_][^${ESC}]*(?:${ESC}\\\\)?`,
    `${ESC}[ -/]*[0-~]?`,
  ].join("|"),
  "g",
);
const CONTROLS = /(?![\n\t])\p{Cc}/gu;

/** What a terminal would show in the end: no escape sequences, and of a line that was overwritten its last state. */
export function plainText(output: string): string {
  const text = output.includes(ESC) ? output.replace(SEQUENCES, "") : output;
  const lines = text.includes("\r") ? text.split("\n").map(lastState).join("\n") : text;
  return lines.replace(CONTROLS, "");
}

function lastState(line: string): string {
  const states = line.replace(/\r+$/, "").split("\r");
  return states.at(-1) ?? "";
}
