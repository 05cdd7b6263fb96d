/**
 * FI-2010 as rows (Ntakaris, Magris, Kanniainen, Gabbouj, Iosifidis 2018, "Benchmark dataset for mid-price forecasting of limit order book data with machine
 * learning methods", J. Forecasting 37): five stocks of Nasdaq Nordic, ten days of June 2010, normalised by its makers. A row is every tenth event, with
 * the ten best levels and what was computed of them, and says for five horizons in which direction the mid's mean over the next events lies.
 *
 * There are no times. An event counts as a second: a row's interval is 10 s, and the horizons 10, 20, 30, 50 and 100 s are as many events.
 */

import { basename } from "node:path";
import { defineLayout } from "../../models/define-layout.ts";

/** Of a file: features, and below them the labels. */
export const FI2010_LINES = 149;
export const FI2010_FEATURES = 144;
export const EVENTS_A_ROW = 10;
/** What an event counts as. */
export const EVENT_MS = 1_000;
export const FI2010_INTERVAL_MS = EVENTS_A_ROW * EVENT_MS;
/** In the order of the last lines. */
export const FI2010_HORIZONS_MS: readonly number[] = [10, 20, 30, 50, 100].map((events) => events * EVENT_MS);

const LEVEL_COLUMNS = Array.from({ length: 10 }, (_, index) =>
  ["ask_price", "ask_size", "bid_price", "bid_size"].map((name) => `${name}_${index + 1}`),
).flat();
const OTHER_COLUMNS = Array.from(
  { length: FI2010_FEATURES - LEVEL_COLUMNS.length },
  (_, index) => `feature_${LEVEL_COLUMNS.length + index + 1}`,
);

/** The first 40 lines, or all 144. */
export const FI2010_LAYOUTS = [
  defineLayout("fi2010-40", 1, { columns: LEVEL_COLUMNS, intervalMs: FI2010_INTERVAL_MS }),
  defineLayout("fi2010-144", 1, { columns: [...LEVEL_COLUMNS, ...OTHER_COLUMNS], intervalMs: FI2010_INTERVAL_MS }),
] as const;

/** Feature sets whose columns mean the same in the same order, in other units: a family made for the one can learn from the other. */
export const STANDS_FOR: ReadonlyMap<string, string> = new Map([["fi2010-40", "levels-10"]]);

export interface Fi2010File {
  readonly part: "train" | "test";
  /** The cross-validation fold n: days 1 to n train, and day n + 1 tests. */
  readonly fold: number;
  /** "NoAuction_ZScore"; "ALL" where the name doesn't say. */
  readonly variant: string;
}

/** @returns null where the name isn't one of the benchmark's, as Train_Dst_NoAuction_ZScore_CF_7.txt. */
export function fi2010File(path: string): Fi2010File | null {
  const match = /^(train|test)_(?:dst_)?(?:([a-z]+_[a-z]+)_)?cf_(\d{1,2})\.txt(\.gz)?$/i.exec(basename(path));
  if (match === null) return null;
  return { part: match[1]?.toLowerCase() === "train" ? "train" : "test", fold: Number(match[3]), variant: match[2] ?? "ALL" };
}

/** The days that a source of that name holds; null where it isn't of FI-2010. */
export function fi2010Days(source: string): { readonly first: number; readonly last: number } | null {
  const file = fi2010File(source);
  if (file === null) return null;
  return file.part === "train" ? { first: 1, last: file.fold } : { first: file.fold + 1, last: file.fold + 1 };
}
