/**
 * What may happen to a text on its way: three families, each a function of a text and a few draws.
 *
 * - characters: flipped, put in, taken out, repeated, cut off, spliced with another text. Mostly no JSON any more.
 * - values: the JSON tree with one or two nodes changed, taken out, doubled, moved. JSON still, and perhaps another message.
 * - same: spaces between tokens, keys in another order, characters written as escapes. Another text of the same meaning.
 *
 * Everything is bounded: the longest array put in has a few hundred entries, the deepest nest a few hundred levels.
 */

import type { Draws } from "./draws.ts";

export type MutationKind = "characters" | "values" | "same";

export interface MutationMaterial {
  /** Other texts of the same venue, for splices. */
  readonly others: readonly string[];
  /** Names that a wrong symbol may be. */
  readonly symbols: readonly string[];
}

export function mutate(kind: MutationKind, text: string, { draws, material }: { draws: Draws; material: MutationMaterial }): string {
  if (kind === "characters") return mutateCharacters(text, draws, material);
  return kind === "same" ? rewritten(text, draws) : mutateValues(text, draws, material);
}

const PIECES = [
  "0",
  "9",
  ".",
  '"',
  ",",
  "[",
  "]",
  "{",
  "}",
  "-",
  "e",
  "E5",
  " ",
  "\\",
  "\n",
  "\u0000",
  "é",
  "\ud800",
  "\u2028",
  "00",
  "null",
];
const PIECES_OF_JSON = ['"u":1,', '"b":[', '"__proto__":{"polluted":1},', '"constructor":1,', "[]", "{}", "0.000001", "-1", "1e3", "true,"];

function mutateCharacters(text: string, draws: Draws, { others }: MutationMaterial): string {
  const at = draws.below(text.length + 1);
  const length = draws.between(1, 30);
  switch (draws.below(8)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode((text.charCodeAt(at) || 0) ^ (1 << draws.below(7))) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + draws.pick(PIECES) + text.slice(at);
    case 2:
      return text.slice(0, at) + draws.pick(PIECES_OF_JSON) + text.slice(at);
    case 3:
      return text.slice(0, at) + text.slice(at + (draws.oneIn(2) ? 1 : length));
    case 4:
      return text.slice(0, at) + text.slice(at, at + length).repeat(2) + text.slice(at + length);
    case 5:
      return text.slice(0, at);
    case 6: {
      const other = draws.pick(others);
      return text.slice(0, at) + other.slice(draws.below(other.length + 1));
    }
    default:
      // A digit for another keeps most texts JSON: these reach deep into the readers.
      return text.slice(0, at) + text.slice(at).replace(/\d/, () => String(draws.below(10)));
  }
}

type Path = readonly (string | number)[];
type Branch = Record<string | number, unknown>;

function mutateValues(text: string, draws: Draws, material: MutationMaterial): string {
  if (draws.oneIn(12)) return withDoubledKey(text, draws);
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return `${text}${draws.pick(PIECES)}`;
  }
  const holder: Branch = { root };
  for (let count = draws.between(1, 2); count > 0; count--) changeNode(holder, draws, material);
  return JSON.stringify(holder.root) ?? "";
}

/** A key twice, its second value another: JSON's readers take the last. */
function withDoubledKey(text: string, draws: Draws): string {
  const keys = [...text.matchAll(/"(\w+)":("[^"]*"|-?\d[\d.]*|true|false|null)(?=[,}])/g)];
  if (keys.length === 0) return `${text},`;
  const { 0: whole, 1: key = "", 2: value = "", index } = draws.pick(keys);
  const other = draws.oneIn(2) ? draws.pick(keys)[2] : JSON.stringify(oddValue(value, draws));
  return `${text.slice(0, index)}"${key}":${other},${whole}${text.slice(index + whole.length)}`;
}

function changeNode(holder: Branch, draws: Draws, material: MutationMaterial): void {
  const paths: Path[] = [];
  walk(holder.root, ["root"], paths);
  const path = draws.pick(paths);
  const key = path.at(-1) as string | number;
  const parent = path.slice(0, -1).reduce((node: unknown, step) => (node as Branch)[step], holder) as Branch;
  const value = parent[key];
  if (Array.isArray(value) && value.length > 0 && draws.oneIn(2)) {
    changeList(value as unknown[], draws);
  } else if (draws.oneIn(4)) {
    removeOrDouble(parent, key, draws);
  } else if (draws.oneIn(10)) {
    // The value of another place, often of the right type and the wrong meaning.
    parent[key] = structuredClone(draws.pick(paths).reduce((node: unknown, step) => (node as Branch | undefined)?.[step], holder));
  } else {
    parent[key] = draws.oneIn(12) ? draws.pick(material.symbols) : oddValue(value, draws);
  }
}

const MOST_PATHS = 400;

function walk(node: unknown, path: Path, paths: Path[]): void {
  if (paths.length >= MOST_PATHS) return;
  paths.push(path);
  if (typeof node !== "object" || node === null) return;
  for (const key of Object.keys(node)) walk((node as Branch)[key], [...path, key], paths);
}

function changeList(list: unknown[], draws: Draws): void {
  const at = draws.below(list.length);
  const to = draws.below(list.length);
  switch (draws.below(5)) {
    case 0:
      list.push(structuredClone(list[at]));
      break;
    case 1:
      [list[at], list[to]] = [list[to], list[at]];
      break;
    case 2:
      list.reverse();
      break;
    case 3:
      list.splice(at, 1);
      break;
    default:
      for (let count = draws.between(2, 200); count > 0; count--) list.push(list[at]);
  }
}

function removeOrDouble(parent: Branch, key: string | number, draws: Draws): void {
  if (Array.isArray(parent)) {
    if (draws.oneIn(2)) parent.splice(Number(key), 1);
    else parent.splice(Number(key), 0, structuredClone(parent[Number(key)]));
    return;
  }
  const value = parent[key];
  if (key !== "root") delete parent[key];
  if (draws.oneIn(2)) return;
  // Another name in its place, among them those that an object has by birth. A plain assignment would set a prototype.
  const name = draws.pick(["__proto__", "constructor", "toString", "hasOwnProperty", "x", String(key).toUpperCase(), `${key} `]);
  Object.defineProperty(parent, name, { value, enumerable: true, configurable: true, writable: true });
}

const NUMBERS = [0, -0, -1, 1, 0.5, 1.5, 1e-7, 1e21, 1e308, 2 ** 31, 2 ** 32, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, -(2 ** 53), 1_000_000_007];
const TEXTS = [
  "",
  "0",
  "0.00",
  "-1",
  "+1",
  "1e3",
  "1E-3",
  "NaN",
  "Infinity",
  " 1",
  "1 ",
  "0x10",
  "1,5",
  ".5",
  "5.",
  "00012.50",
  "1_0",
  "٣",
  "100.005",
  "100.000000000000000000000000000000000000000000001",
  "9007199254740992",
  "90071992547409.91",
  "99999999999999999999999999",
  "999999999.99999999",
  "__proto__",
  "buy",
  "Buy",
  "sell",
  "bid",
  "offer",
  "2023-02-29T00:00:00.000Z",
  "2023-11-14T24:00:00.000Z",
  "2023-11-14T22:13:20Z",
  "2023-11-14T22:13:20.1234567890Z",
  "1969-12-31T23:59:59.999Z",
];

/** Another value in place of this one: near it, or of another kind altogether. */
function oddValue(value: unknown, draws: Draws): unknown {
  const roll = draws.below(10);
  if (roll < 6 && typeof value === "number") return nearNumber(value, draws);
  if (roll < 6 && typeof value === "string") return nearText(value, draws);
  if (roll < 8) return draws.oneIn(2) ? draws.pick(TEXTS) : draws.pick(NUMBERS);
  return draws.pick([
    null,
    true,
    false,
    [],
    {},
    [null],
    { __proto__: null, x: 1 },
    nest(draws),
    JSON.stringify(value),
    typeof value === "string" ? Number(value) : 7,
  ]);
}

function nearNumber(value: number, draws: Draws): number {
  return draws.pick([value + 1, value - 1, -value, value * 10, value / 10, value + 0.5, Math.floor(value / 2), value + 1_000, value * 1e6]);
}

function nearText(value: string, draws: Draws): string {
  const at = draws.below(value.length + 1);
  switch (draws.below(7)) {
    case 0:
      return value + draws.pick(["0", "5", ".", " ", "\u0000", "Z"]);
    case 1:
      return `${draws.pick(["0", "1", "-", "+", " "])}${value}`;
    case 2:
      return value.slice(0, at) + value.slice(at + 1);
    case 3:
      return value.slice(0, at) + draws.below(10) + value.slice(at + 1);
    case 4:
      return value.toLowerCase() === value ? value.toUpperCase() : value.toLowerCase();
    case 5:
      return value.replace(".", "");
    default:
      return value.replace(/\.?0+$/, "");
  }
}

function nest(draws: Draws): unknown {
  let nested: unknown = 1;
  for (let depth = draws.between(1, 300); depth > 0; depth--) nested = depth % 2 === 0 ? [nested] : { a: nested };
  return nested;
}

/** A text of the same meaning. */
function rewritten(text: string, draws: Draws): string {
  const shuffled = draws.oneIn(2) ? JSON.stringify(withShuffledKeys(JSON.parse(text), draws)) : text;
  const spread = draws.oneIn(2) ? spaced(shuffled, draws) : shuffled;
  return draws.oneIn(2) || spread === text ? escaped(spread, draws) : spread;
}

function withShuffledKeys(node: unknown, draws: Draws): unknown {
  if (Array.isArray(node)) return node.map((item) => withShuffledKeys(item, draws));
  if (typeof node !== "object" || node === null) return node;
  const entries = Object.entries(node).map(([key, value]) => [key, withShuffledKeys(value, draws)] as const);
  for (let at = entries.length - 1; at > 0; at--) {
    const to = draws.below(at + 1);
    [entries[at], entries[to]] = [entries[to] as (typeof entries)[0], entries[at] as (typeof entries)[0]];
  }
  return Object.fromEntries(entries);
}

const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^"{}[\],:\s]+/g;

function spaced(text: string, draws: Draws): string {
  return text.replace(TOKEN, (token) => (draws.oneIn(6) ? `${draws.pick([" ", "\n", "\t", "\r\n", "  "])}${token}` : token));
}

/** Some characters of some strings as `\uXXXX`, which spells the same. */
function escaped(text: string, draws: Draws): string {
  return text.replace(TOKEN, (token) => {
    if (!token.startsWith('"') || token.length < 3 || token.includes("\\") || !draws.oneIn(4)) return token;
    const at = draws.between(1, token.length - 2);
    return `${token.slice(0, at)}\\u${token.charCodeAt(at).toString(16).padStart(4, "0")}${token.slice(at + 1)}`;
  });
}
