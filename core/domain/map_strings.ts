/** A JSON value with every string in it, names of members too, put through `change`. */
export function mapStrings<T>(value: T, change: (text: string) => string): T {
  const walk = (one: unknown): unknown => {
    if (typeof one === "string") return change(one);
    if (Array.isArray(one)) return one.map(walk);
    if (typeof one !== "object" || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, item]) => [change(key), walk(item)]));
  };
  return walk(value) as T;
}
