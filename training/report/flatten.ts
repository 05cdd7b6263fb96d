/** Nested settings as pairs of path and text, for tables. */

/** Longer lists are counted, not shown. */
const LONGEST_LIST = 12;

/** Nested settings as "optimiser.weightDecay": "0.01". */
export function flatten(value: unknown, prefix = ""): [string, string][] {
  if (Array.isArray(value)) return [[prefix, value.length > LONGEST_LIST ? `${value.length} entries` : value.map(textOf).join(", ")]];
  if (typeof value !== "object" || value === null) return [[prefix, textOf(value)]];
  return Object.entries(value).flatMap(([key, nested]) => flatten(nested, prefix === "" ? key : `${prefix}.${key}`));
}

function textOf(value: unknown): string {
  if (value === null) return "none";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
