/**
 * Sums over scored forecasts. Every score that the ledger shows follows from them, and sums of hours add up to sums of days, so that no forecast is read twice.
 *
 * Kept by what was forecast: the label, the horizon, and of moves the target. Uncovered outcomes are counted, and are in no other sum. As text they are JSON, each
 * group an array of numbers in the order of its names here; doubles come back bit by bit.
 */

import { LABEL_TARGETS, type LabelTarget } from "../labels/moves.ts";
import type { ServedLabel } from "./forecast-answer.ts";

/** `uncovered`: forecasts of which no horizon had a path. `writes`: how often these sums were written, for the bill. */
export const COUNTS = ["forecasts", "uncovered", "writes"] as const;

/** Of one target's moves, in bps: error is what came less what was forecast, move what came; hits of the sign are counted where it moved. */
export const MOVE_SUMS = [
  "scored",
  "uncovered",
  "squaredError",
  "squaredMove",
  "absoluteError",
  "absoluteMove",
  "hits",
  "moved",
  "forecast",
  "move",
  "squaredForecast",
  "product",
] as const;

/** Where the mid came to lie: within what was said, its ends included, or on either side of it. */
export const INTERVAL_SUMS = ["inside", "below", "above"] as const;

/** Brier's score and surprise (-ln of what was given to the class that came), summed; how often each class came. */
export const ODDS_SUMS = ["brier", "surprise", "down", "flat", "up"] as const;

/** Of one class, in one bin of what was said of it: rows, the sum of what was said, how often the class came. */
export const BIN_SUMS = ["rows", "said", "came"] as const;

export type Sums<Names extends readonly string[]> = Record<Names[number], number>;
export type MoveSums = Sums<typeof MOVE_SUMS>;
export type IntervalSums = Sums<typeof INTERVAL_SUMS>;
export type OddsSums = Sums<typeof ODDS_SUMS>;
export type BinSums = Sums<typeof BIN_SUMS>;

export interface ScoreSums {
  readonly counts: Sums<typeof COUNTS>;
  /** By `moveKey`. */
  readonly moves: Map<string, MoveSums>;
  /** By `horizonKey`. */
  readonly intervals: Map<string, IntervalSums>;
  readonly odds: Map<string, OddsSums>;
  /** By `binKey`. */
  readonly bins: Map<string, BinSums>;
}

/** Of probabilities, each a fifth wide: with the ticks of one minute an hour has sixty rows, and ten bins would hold six each. */
export const ODDS_BINS = 5;
export type OddsDirection = "down" | "up";

export function horizonKey(label: ServedLabel, horizonMs: number): string {
  return `${label} ${horizonMs}`;
}

export function moveKey(label: ServedLabel, horizonMs: number, target: LabelTarget): string {
  return `${label} ${horizonMs} ${target}`;
}

/** The last bin holds its upper end, 1. */
export function binKey(horizon: string, direction: OddsDirection, probability: number): string {
  return `${horizon} ${direction} ${Math.min(ODDS_BINS - 1, Math.floor(probability * ODDS_BINS))}`;
}

export function emptySums(): ScoreSums {
  return { counts: zeros(COUNTS), moves: new Map(), intervals: new Map(), odds: new Map(), bins: new Map() };
}

/** The sums of one key, made where there are none. */
export function sumsAt<Names extends readonly string[]>(group: Map<string, Sums<Names>>, key: string, names: Names): Sums<Names> {
  const found = group.get(key);
  if (found !== undefined) return found;
  const made = zeros(names);
  group.set(key, made);
  return made;
}

/** Adds `more` to `sums`, which is changed. */
export function addSums(sums: ScoreSums, more: ScoreSums): void {
  addTo(sums.counts, more.counts);
  for (const { of, names } of GROUPS) {
    const into = sums[of] as Map<string, Sums<readonly string[]>>;
    for (const [key, each] of more[of]) addTo(sumsAt(into, key, names), each);
  }
}

const FORMAT = 1;
const GROUPS = [
  { of: "moves", names: MOVE_SUMS },
  { of: "intervals", names: INTERVAL_SUMS },
  { of: "odds", names: ODDS_SUMS },
  { of: "bins", names: BIN_SUMS },
] as const;

/** Far above any model's horizons: three labels, a hundred horizons, three targets. */
const MAX_KEYS = 2_000;
const HORIZON = "(point|anchored) ([1-9]\\d{0,9})";
const KEYS = {
  moves: new RegExp(`^${HORIZON} (${LABEL_TARGETS.join("|")})$`),
  intervals: new RegExp(`^${HORIZON}$`),
  odds: new RegExp(`^${HORIZON}$`),
  bins: new RegExp(`^${HORIZON} (down|up) [0-${ODDS_BINS - 1}]$`),
} as const;

export function encodeSums(sums: ScoreSums): string {
  const groups = GROUPS.map(({ of, names }) => [of, Object.fromEntries([...sums[of]].map(([key, each]) => [key, valuesOf(each, names)]))]);
  return JSON.stringify({ format: FORMAT, counts: valuesOf(sums.counts, COUNTS), ...Object.fromEntries(groups) });
}

/** @returns why the text is no sums, where it is none. */
export function decodeSums(text: string): ScoreSums | { malformed: string } {
  const value = parseJson(text);
  if (!isRecord(value) || value.format !== FORMAT) return { malformed: `no sums of scores: ${text.slice(0, 60)}` };
  const counts = namedValues(value.counts, COUNTS);
  if (counts === null) return { malformed: "sums of scores without their counts" };
  const sums = { ...emptySums(), counts };
  for (const { of, names } of GROUPS) {
    const group = value[of];
    if (!isRecord(group) || Object.keys(group).length > MAX_KEYS) return { malformed: `sums of scores without ${of}` };
    const into = sums[of] as Map<string, Sums<readonly string[]>>;
    for (const [key, numbers] of Object.entries(group)) {
      const each = namedValues(numbers, names);
      if (each === null || !KEYS[of].test(key)) return { malformed: `no sums of ${of}: ${key.slice(0, 60)}` };
      into.set(key, each);
    }
  }
  return sums;
}

/** What a key of `moves` or of `intervals` says. */
export function readKey(key: string): { label: ServedLabel; horizonMs: number; rest: string } {
  const [label, horizonMs, ...rest] = key.split(" ");
  return { label: label as ServedLabel, horizonMs: Number(horizonMs), rest: rest.join(" ") };
}

function zeros<Names extends readonly string[]>(names: Names): Sums<Names> {
  return Object.fromEntries(names.map((name) => [name, 0])) as Sums<Names>;
}

function addTo(sums: Record<string, number>, more: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(more)) sums[name] = (sums[name] ?? 0) + value;
}

function valuesOf(sums: Readonly<Record<string, number>>, names: readonly string[]): number[] {
  return names.map((name) => sums[name] as number);
}

function namedValues<Names extends readonly string[]>(value: unknown, names: Names): Sums<Names> | null {
  if (!Array.isArray(value) || value.length !== names.length || !value.every(Number.isFinite)) return null;
  return Object.fromEntries(names.map((name, at) => [name, value[at] as number])) as Sums<Names>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
