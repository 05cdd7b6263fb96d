/**
 * What the naive readers of all venues share: decimals by BigInt, times by Date, and readings as plain values. Slow and plain on purpose, and
 * nothing of it is the decoders' own code: it is what their readings are compared with.
 *
 * Bounds are the decoders' documented ones, and part of what a frame means: units of a price within 2^53, a size's steps within 2^53 and, where it
 * is not on the grid, of at most 40 digits on either side of its point (core/units/decimal.ts).
 */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import type { Channel } from "../../exchanges/contract.ts";

/** [ticks, lots] */
export type Level = readonly [number, number];

/** A depth message; its numbers are left out where the venue has none. */
export interface DepthSaid {
  readonly kind: "depth";
  readonly symbol: string;
  readonly venueTime: number | null;
  readonly first: number | null;
  readonly last: number | null;
  readonly previous: number | null;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface SnapshotSaid {
  readonly kind: "snapshot";
  readonly symbol: string;
  readonly venueTime: number | null;
  readonly last: number | null;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface TradeSaid {
  readonly kind: "trade";
  readonly symbol: string;
  readonly venueTime: number;
  /** Null for one that the decoder makes up. */
  readonly tradeId: number | null;
  readonly ticks: number;
  readonly lots: number;
  readonly takerSide: string;
}

export interface QuoteSaid {
  readonly kind: "quote";
  readonly symbol: string;
  readonly venueTime: number | null;
  readonly sequence: number | null;
  readonly bid: readonly [number, number | null];
  readonly ask: readonly [number, number | null];
}

/** The venue's own best levels. */
export interface TopLevelsSaid {
  readonly kind: "top-levels";
  readonly symbol: string;
  readonly venueTime: number;
  readonly depth: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

export interface KlineSaid {
  readonly kind: "kline";
  readonly symbol: string;
  readonly numbers: readonly number[];
  readonly isClosed: boolean;
}

export interface InstrumentSaid {
  readonly kind: "instrument";
  readonly symbol: string;
  readonly venueState: string | null;
  readonly hasOtherGrids: boolean;
}

export interface LossSaid {
  readonly kind: "loss";
  readonly symbol: string;
  readonly channel: Channel;
}

export type Said = DepthSaid | SnapshotSaid | TradeSaid | QuoteSaid | TopLevelsSaid | KlineSaid | InstrumentSaid | LossSaid;

export type Reading =
  | { readonly kind: "events"; readonly said: readonly Said[] }
  | { readonly kind: "control"; readonly control: string }
  | { readonly kind: "ignored" }
  | { readonly kind: "malformed" };

/** Reads the frames of one connection, and remembers what they refer back to. */
export interface NaiveReader {
  /** The frame's number on its connection; null where it has none. */
  readonly connectionSequence: number | null;
  read(frame: string): Reading;
  readSnapshot(symbol: string, body: string): Reading;
}

export const IGNORED: Reading = { kind: "ignored" };
export const MALFORMED: Reading = { kind: "malformed" };

export function control(name: string): Reading {
  return { kind: "control", control: name };
}

export function events(said: readonly Said[]): Reading {
  return said.length === 0 ? IGNORED : { kind: "events", said };
}

/** What a naive reader raises for a field that the document doesn't allow. */
export class NotAllowed extends Error {}

export function demand(isAllowed: boolean): void {
  if (!isAllowed) throw new NotAllowed();
}

export type Fields = Readonly<Record<string, unknown>>;

/** @param read raises NotAllowed for what the document doesn't allow. */
export function readJson(text: string, read: (root: unknown) => Reading): Reading {
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return MALFORMED;
  }
  try {
    return read(root);
  } catch (error) {
    if (error instanceof NotAllowed) return MALFORMED;
    throw error;
  }
}

export function fieldsOf(value: unknown): Fields {
  demand(isFields(value));
  return value as Fields;
}

export function isFields(value: unknown): value is Fields {
  return Object.prototype.toString.call(value) === "[object Object]";
}

export function listOf(value: unknown): readonly unknown[] {
  demand(Array.isArray(value));
  return value as readonly unknown[];
}

export function stringOf(value: unknown): string {
  demand(typeof value === "string");
  return value as string;
}

/** A whole number from 0 to 2^53 - 1. */
export function countOf(value: unknown): number {
  demand(typeof value === "number" && Number.isSafeInteger(value) && value >= 0);
  return Math.abs(value as number);
}

const MOST = BigInt(Number.MAX_SAFE_INTEGER);
const MOST_DIGITS = 40;

/** A price above zero on its grid, in ticks; NotAllowed for anything else. */
export function ticksOf(value: unknown, grid: DecimalGrid): number {
  const { exact } = stepsOf(stringOf(value), grid);
  demand(exact !== null && exact > 0);
  return exact as number;
}

/** A size in lots, a part of one counting as one; NotAllowed for anything else. */
export function lotsOf(value: unknown, grid: DecimalGrid): number {
  const { up } = stepsOf(stringOf(value), grid);
  demand(up !== null);
  return up as number;
}

interface Steps {
  readonly exact: number | null;
  readonly up: number | null;
}

const NO_STEPS: Steps = { exact: null, up: null };
/** Sessions use the same prices again and again. Emptied when it is large. */
const seen = new Map<DecimalGrid, Map<string, Steps>>();
const MOST_SEEN = 50_000;

function stepsOf(text: string, grid: DecimalGrid): Steps {
  const known = seen.get(grid) ?? new Map<string, Steps>();
  seen.set(grid, known);
  const found = known.get(text);
  if (found !== undefined) return found;
  const steps = computeSteps(text, grid);
  if (known.size > MOST_SEEN) known.clear();
  known.set(text, steps);
  return steps;
}

function computeSteps(text: string, { decimals, mantissa }: DecimalGrid): Steps {
  const parts = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (parts === null) return NO_STEPS;
  const [, whole = "", fraction = ""] = parts;
  const over = BigInt(whole + fraction) * 10n ** BigInt(decimals);
  const under = BigInt(mantissa) * 10n ** BigInt(fraction.length);
  const isExact = over % under === 0n && (over / under) * BigInt(mantissa) <= MOST;
  const up = (over + under - 1n) / under;
  const isShort = whole.length <= MOST_DIGITS && fraction.length <= MOST_DIGITS;
  const exact = isExact ? Number(over / under) : null;
  return { exact, up: exact ?? (isShort && up <= MOST ? Number(up) : null) };
}

/** A JSON number that is not negative, as the decimal that its double stands for; NotAllowed for anything else. */
export function decimalOf(value: unknown): string {
  demand(typeof value === "number" && Number.isFinite(value) && value >= 0);
  const [digits = "0", exponent] = String(Math.abs(value as number)).split("e");
  if (exponent === undefined) return digits;
  const [whole = "0", fraction = ""] = digits.split(".");
  const power = Number(exponent);
  return power < 0 ? `0.${"0".repeat(-power - 1)}${whole}${fraction}` : `${whole}${fraction}`.padEnd(power + 1, "0");
}

/** Epoch ms of `2021-04-17T16:43:37.075687Z`, cut at the millisecond; NotAllowed for anything else. @param decimals how many may be there. */
export function timeOf(value: unknown, decimals: readonly [least: number, most: number] = [0, 9]): number {
  if (value === lastTime.text && decimals[0] === lastTime.decimals) return lastTime.time;
  const time = computeTime(value, decimals);
  lastTime = { text: value as string, decimals: decimals[0], time };
  return time;
}

/** Rows of one message have the same. */
let lastTime = { text: "", decimals: 0, time: 0 };

function computeTime(value: unknown, decimals: readonly [least: number, most: number]): number {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z$/.exec(stringOf(value));
  demand(parts !== null);
  const [, seconds = "", fraction = ""] = parts ?? [];
  demand(fraction.length >= decimals[0] && fraction.length <= decimals[1] && !String(value).includes(".Z"));
  const time = Date.parse(`${seconds}.${fraction.slice(0, 3).padEnd(3, "0")}Z`);
  // Date rolls the 30th of February on.
  demand(time >= 0 && new Date(time).toISOString().startsWith(seconds));
  return time;
}

/** A step above zero as `<mantissa>e-<decimals>`, without trailing zeros behind its point; null for what is no plain decimal. */
export function stepOf(text: string): string | null {
  const parts = /^(\d+)(?:\.(\d+))?$/.exec(text);
  if (parts === null) return null;
  const fraction = (parts[2] ?? "").replace(/0+$/, "");
  const mantissa = BigInt(`${parts[1]}${fraction}`);
  return mantissa === 0n ? null : `${mantissa}e-${fraction.length}`;
}
