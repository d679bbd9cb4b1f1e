/** Both texts cut to what surrounds their first difference. What stands before the first `: ` is kept: it says what they are. */
export function aroundDifference(a: string, b: string): [string, string] {
  let i = 0;
  while (i < a.length && a[i] === b[i]) i++;
  const role = a.indexOf(": ") + 2;
  const from = i - role > 60 ? i - 40 : 0;
  const show = (text: string) => {
    const part = (from > 0 ? `${text.slice(0, role)}…` : "") + text.slice(from, from + 240);
    return text.length > from + 240 ? `${part}…` : part;
  };
  return [show(a), show(b)];
}
