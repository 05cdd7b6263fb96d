/**
 * Minute bars: Binance's REST answers, plain CSV, and BitMEX's `trade/bucketed` rows.
 *
 * None of these has a receive time: a bar's is its end, before which it can't have been known. Bars that are missing between two are a gap. What
 * BitMEX's rows say beyond (vwap, lastSize, homeNotional, foreignNotional) is not carried: it follows from turnover and volume.
 */

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { gunzipSync } from "node:zlib";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { ArchiveError } from "../archive-error.ts";
import type { RefusedLine } from "../events-file.ts";
import { decimalText, millis } from "./decimal-text.ts";
import type { ForeignBar, ForeignItem, ForeignRecord, Importer, ImportOptions } from "./foreign.ts";
import { type CsvRow, csvRows, type JsonRow, jsonRows } from "./rows.ts";

/** A REST answer holds 1,000 rows, some 200 kB; a file of more than this is none. */
const LARGEST_ANSWER_BYTES = 64_000_000;

export const binanceKlines: Importer = {
  format: "binance-klines",
  what: "answers of Binance's GET /api/v3/klines, a JSON array each, named SYMBOL.json",
  fileName: /\.json(\.gz)?$/,
  async open(files, options) {
    return source(files, (file, onBytes) => readAnswer(file, marketByName(file, options), onBytes));
  },
};

export const klinesCsv: Importer = {
  format: "klines-csv",
  what: "CSV open_time_ms,open,high,low,close,volume, named SYMBOL.csv",
  fileName: /\.csv(\.gz)?$/,
  async open(files, options) {
    const lengthMs = options.intervalMs ?? MS_PER_MINUTE;
    return source(files, (file, onBytes) => {
      const columns = ["open_time_ms", "open", "high", "low", "close", "volume"];
      return readRows(csvRows(file, columns, onBytes), (row) => csvBar(row, lengthMs), { file, market: marketByName(file, options) });
    });
  },
};

export const bitmexBars: Importer = {
  format: "bitmex-bars",
  what: "rows of BitMEX's GET /trade/bucketed as JSON lines",
  fileName: /\.(ndjson|jsonl)(\.gz)?$/,
  async open(files, options) {
    const lengthMs = options.intervalMs ?? MS_PER_MINUTE;
    const state = new Map<string, number>();
    return source(
      files,
      (file, onBytes) =>
        readRows(jsonRows(file, onBytes), (row) => bitmexBar(row, lengthMs), {
          file,
          market: (row) => bitmexMarket(row, options),
          lastClose: state,
        }),
      state,
    );
  },
};

type ReadFileItems = (file: string, onBytes: (bytes: number) => void) => AsyncIterable<ForeignItem[]>;

function source(
  files: readonly { path: string }[],
  read: ReadFileItems,
  state?: Map<string, number>,
): { name: string; items: (onBytes: (bytes: number) => void) => AsyncGenerator<ForeignItem[]> } {
  const names = files.map(({ path }) => basename(path));
  return {
    name: names.length <= 3 ? names.join(" + ") : `${names[0]} … ${names.at(-1)} (${names.length} files)`,
    async *items(onBytes) {
      state?.clear();
      for (const { path } of files) yield* read(path, onBytes);
    },
  };
}

interface RowOptions<Row> {
  readonly file: string;
  readonly market: string | ((row: Row) => string);
  /** End of the last bar by market: given where the files of one market are joined. */
  readonly lastClose?: Map<string, number>;
}

async function* readRows<Row extends { readonly line: number }>(
  rows: AsyncIterable<(Row | RefusedLine)[]>,
  barOf: (row: Row) => ForeignBar | null,
  { file, market: named, lastClose = new Map() }: RowOptions<Row>,
): AsyncGenerator<ForeignItem[]> {
  for await (const block of rows) {
    const items: ForeignItem[] = [];
    for (const row of block) {
      if ("refused" in row) {
        items.push(row);
        continue;
      }
      const bar = barOf(row);
      const market = typeof named === "string" ? named : named(row);
      if (bar === null) items.push({ refused: "no bar", file, line: row.line });
      else items.push(...withGap(bar, { market, file, line: row.line, lastClose }));
    }
    yield items;
  }
}

/** The bar, and before it the gap of the bars that are missing. */
function withGap(
  record: ForeignBar,
  { market, file, line, lastClose }: { market: string; file: string; line: number; lastClose: Map<string, number> },
): ForeignItem[] {
  const from = lastClose.get(market);
  const { openTime, closeTime, receivedAt } = record;
  lastClose.set(market, closeTime);
  if (from === undefined || openTime <= from) return [{ market, record, file, line }];
  const detail = `${Math.round((openTime - from) / (closeTime - openTime))} bars missing`;
  const gap: ForeignRecord = { kind: "gap", receivedAt, from, to: openTime, reason: "missing-bars", detail };
  return [
    { market, record: gap, file, line },
    { market, record, file, line },
  ];
}

async function* readAnswer(file: string, market: string, onBytes: (bytes: number) => void): AsyncGenerator<ForeignItem[]> {
  const bytes = await readFile(file);
  onBytes(bytes.length);
  const block = answerRows(bytes, file).map((row, index) => ({ row, line: index + 1 }));
  yield* readRows(single(block), ({ row }) => answerBar(row), { file, market });
}

async function* single<T>(block: T): AsyncGenerator<T> {
  yield block;
}

/** "Line" of a row is its number in the array. */
function answerRows(bytes: Buffer, file: string): unknown[] {
  try {
    const text = (file.endsWith(".gz") ? gunzipSync(bytes, { maxOutputLength: LARGEST_ANSWER_BYTES }) : bytes).toString("utf8");
    const value: unknown = JSON.parse(text);
    if (Array.isArray(value)) return value as unknown[];
  } catch (error) {
    throw new ArchiveError(`${file} line 1: not an answer of klines (${error instanceof Error ? error.message : String(error)})`);
  }
  throw new ArchiveError(`${file} line 1: not an answer of klines: the body is no array`);
}

/**
 * [openTime, open, high, low, close, volume, closeTime (its last ms), quote volume, trades, taker buy volume, taker buy quote volume, unused]:
 * https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#klinecandlestick-data, read 2026-11-27.
 */
function answerBar(row: unknown): ForeignBar | null {
  if (!Array.isArray(row) || row.length < 10) return null;
  const [open, high, low, close, volume] = (row as unknown[]).slice(1, 6).map(decimalText);
  const [openTime, lastMs, trades] = [millis(row[0]), millis(row[6]), millis(row[8])];
  if (openTime === null || lastMs === null || trades === null) return null;
  return bar([open, high, low, close, volume], {
    openTime,
    closeTime: lastMs + 1,
    turnover: decimalText(row[7]),
    takerBuyVolume: decimalText(row[9]),
    trades,
  });
}

function csvBar({ fields }: CsvRow, lengthMs: number): ForeignBar | null {
  const openTime = millis(fields[0]);
  if (openTime === null) return null;
  return bar(fields.slice(1).map(decimalText), {
    openTime,
    closeTime: openTime + lengthMs,
    turnover: null,
    takerBuyVolume: null,
    trades: null,
  });
}

/** The timestamp is the bucket's end. https://www.bitmex.com/api/explorer/#!/Trade/Trade_getBucketed, and the data, read 2026-11-27. */
function bitmexBar({ value }: JsonRow, lengthMs: number): ForeignBar | null {
  const { timestamp, open, high, low, close, volume, turnover, trades } = value;
  const closeTime = typeof timestamp === "string" ? Date.parse(timestamp) : Number.NaN;
  const count = millis(trades);
  if (Number.isNaN(closeTime) || count === null) return null;
  return bar([open, high, low, close, volume].map(decimalText), {
    openTime: closeTime - lengthMs,
    closeTime,
    turnover: decimalText(turnover),
    takerBuyVolume: null,
    trades: count,
  });
}

type BarRest = Pick<ForeignBar, "openTime" | "closeTime" | "turnover" | "takerBuyVolume" | "trades">;

function bar(numbers: readonly (string | null | undefined)[], rest: BarRest): ForeignBar | null {
  const [open, high, low, close, volume] = numbers;
  if (open == null || high == null || low == null || close == null || volume == null || rest.closeTime <= rest.openTime) return null;
  return { kind: "bar", receivedAt: rest.closeTime, venueTime: rest.closeTime, ...rest, open, high, low, close, volume };
}

/** "ADAUSDT.csv.gz" is ADAUSDT. */
function marketByName(file: string, { market, venue }: ImportOptions): string {
  return market ?? `${venue ?? "binance-spot"}:${basename(file).split(".")[0]}`;
}

function bitmexMarket({ value }: JsonRow, { market, venue }: ImportOptions): string {
  return market ?? `${venue ?? "bitmex"}:${typeof value.symbol === "string" ? value.symbol : "XBTUSD"}`;
}
