/**
 * BitMEX's public day files, all symbols in one: `quote/YYYYMMDD.csv.gz` and `trade/YYYYMMDD.csv.gz` of https://public.bitmex.com.
 *
 * | file | columns |
 * |---|---|
 * | quote | timestamp, symbol, bidSize, bidPrice, askPrice, askSize |
 * | trade | timestamp, symbol, side, size, price, tickDirection, trdMatchID, grossValue, homeNotional, foreignNotional |
 *
 * 1. The table is that of the REST API's /quote and /trade; times are kdb's, `2020-07-01D00:00:05.123456000`, UTC, and the venue's: receivedAt is the same time.
 * 2. A file may stand by symbol, each in order of time, so it is read once for each symbol asked for.
 * 3. A quote is the whole of what is known of the book: a snapshot of one level a side, and `bookLevels` says so. An empty side has no price.
 * 4. A trade comes before a quote of the same time: it is what the quote shows.
 * 5. A day that isn't there between two that are is a gap. Outages within a day aren't told.
 */

import { basename, dirname } from "node:path";
import { MS_PER_DAY, startOfDay } from "../../core/units/time.ts";
import { ArchiveError } from "../archive-error.ts";
import type { InputFile } from "../input-files.ts";
import { firstLineOf } from "../line-reader.ts";
import { decimalText } from "./decimal-text.ts";
import type { ForeignItem, ForeignRecord, Importer, TextLevel } from "./foreign.ts";
import { csvRows, joined, merged } from "./rows.ts";

const NAME = /^(\d{4})(\d\d)(\d\d)\.csv(\.gz)?$/;
const QUOTE_COLUMNS = ["timestamp", "symbol", "bidSize", "bidPrice", "askPrice", "askSize"];
const TRADE_COLUMNS = ["timestamp", "symbol", "side", "size", "price", "trdMatchID"];

type OnBytes = (bytes: number) => void;

interface DayFile {
  readonly path: string;
  readonly kind: "quote" | "trade";
  /** Epoch ms of its start. */
  readonly day: number;
}

/** With its time to what a double holds of it: what is merged is finer than ms. */
interface TimedItem {
  readonly item: ForeignItem;
  readonly at: number;
}

export const bitmexDays: Importer = {
  format: "bitmex-days",
  what: "BitMEX's public day files, quote/YYYYMMDD.csv.gz and trade/YYYYMMDD.csv.gz, of --symbol",
  fileName: NAME,
  async open(files, { symbols = [], venue, market }) {
    if (symbols.length === 0) throw new ArchiveError("a day file holds all symbols of BitMEX: name those that are wanted, --symbol XBTUSD");
    if (market !== null && symbols.length > 1)
      throw new ArchiveError(`--market ${market} names one market, and ${symbols.length} symbols are asked for`);
    const days: DayFile[] = [];
    for (const file of files) days.push(await dayFileOf(file));
    days.sort((left, right) => left.day - right.day);
    const marketOf = (symbol: string): string => market ?? `${venue ?? "bitmex"}:${symbol}`;
    return {
      name: `${days.map(({ path, kind }) => `${kind} ${basename(path)}`).join(" + ")}; receivedAt is the venue's time`,
      bookLevels: 1,
      items: (onBytes) => joined([...new Set(symbols)].map((symbol) => readSymbol(days, { symbol, market: marketOf(symbol), onBytes }))),
    };
  },
};

async function dayFileOf({ path }: InputFile): Promise<DayFile> {
  const match = NAME.exec(basename(path));
  const day = match === null ? null : startOfDay(`${match[1]}-${match[2]}-${match[3]}`);
  if (day === null) throw new ArchiveError(`${path}: the day is read from the name, which should be YYYYMMDD.csv.gz`);
  const names = (await firstLineOf(path)).split(",");
  if (names.includes("bidPrice")) return { path, kind: "quote", day };
  if (names.includes("tickDirection")) return { path, kind: "trade", day };
  throw new ArchiveError(`${path} line 1: neither a quote nor a trade file of BitMEX (of ${basename(dirname(path))})`);
}

interface SymbolOptions {
  readonly symbol: string;
  readonly market: string;
  readonly onBytes: OnBytes;
}

async function* readSymbol(days: readonly DayFile[], options: SymbolOptions): AsyncGenerator<ForeignItem[]> {
  const ofKind = (wanted: DayFile["kind"]): AsyncIterable<readonly TimedItem[]> =>
    joined(days.filter(({ kind }) => kind === wanted).map((file) => readDay(file, options)));
  const missing = new MissingDays(options.market);
  for await (const block of merged([ofKind("trade"), ofKind("quote")], ({ at }) => at))
    yield block.flatMap(({ item }) => [...missing.before(item), item]);
}

async function* readDay({ path: file, kind, day }: DayFile, { symbol, market, onBytes }: SymbolOptions): AsyncGenerator<TimedItem[]> {
  let lastAt = day;
  for await (const block of csvRows(file, kind === "quote" ? QUOTE_COLUMNS : TRADE_COLUMNS, onBytes)) {
    const items: TimedItem[] = [];
    for (const row of block) {
      if ("refused" in row) {
        items.push({ item: row, at: lastAt });
        continue;
      }
      if (row.fields[1] !== symbol) continue;
      const time = timeOf(row.fields[0] ?? "", day);
      const record = time === null ? null : kind === "quote" ? quoteOf(row.fields, time.ms) : tradeOf(row.fields, time.ms);
      const refused =
        time === null ? "no time of that day" : time.exact < lastAt ? "a time before that of the row before" : `no ${kind} of BitMEX`;
      if (record === null || time === null || time.exact < lastAt) items.push({ item: { refused, file, line: row.line }, at: lastAt });
      else {
        lastAt = time.exact;
        items.push({ item: { market, record, file, line: row.line }, at: lastAt });
      }
    }
    yield items;
  }
}

/** Which days a market's records are of. */
class MissingDays {
  private readonly market: string;
  private lastAt: number | null = null;

  constructor(market: string) {
    this.market = market;
  }

  before(item: ForeignItem): ForeignItem[] {
    if ("refused" in item) return [];
    const { record, file, line } = item;
    const from = this.lastAt;
    const { receivedAt } = record;
    this.lastAt = receivedAt;
    if (from === null || Math.floor(receivedAt / MS_PER_DAY) - Math.floor(from / MS_PER_DAY) <= 1) return [];
    const gap: ForeignRecord = { kind: "gap", receivedAt, from, to: receivedAt, reason: "no-file", detail: "a day in between is missing" };
    return [{ market: this.market, record: gap, file, line }];
  }
}

function quoteOf([, , bidSize, bidPrice, askPrice, askSize]: readonly string[], at: number): ForeignRecord | null {
  const [bids, asks] = [sideOf(bidPrice, bidSize), sideOf(askPrice, askSize)];
  return bids === null || asks === null ? null : { kind: "snapshot", receivedAt: at, venueTime: at, sequence: null, bids, asks };
}

function sideOf(priceText: string | undefined, sizeText: string | undefined): TextLevel[] | null {
  if (priceText === "" && sizeText === "") return [];
  const [price, size] = [decimalText(priceText), decimalText(sizeText)];
  return price === null || size === null ? null : [[price, size]];
}

function tradeOf([, , side, sizeText, priceText, id = ""]: readonly string[], at: number): ForeignRecord | null {
  const [price, size] = [decimalText(priceText), decimalText(sizeText)];
  if (price === null || size === null || (side !== "Buy" && side !== "Sell" && side !== "")) return null;
  const takerSide = side === "Buy" ? "buy" : side === "Sell" ? "sell" : null;
  return { kind: "trade", receivedAt: at, venueTime: at, tradeId: id === "" ? null : id, price, size, takerSide };
}

/** @returns whole ms, and the same with its fraction; null when it is no time of the day. */
function timeOf(text: string, day: number): { ms: number; exact: number } | null {
  const match = /^(\d{4}-\d\d-\d\d)[DT](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z?$/.exec(text);
  if (match === null || startOfDay(match[1] as string) !== day) return null;
  const [hours, minutes, seconds] = [Number(match[2]), Number(match[3]), Number(match[4])];
  if (hours > 23 || minutes > 59 || seconds > 59) return null;
  const fraction = (match[5] ?? "").padEnd(9, "0");
  const ms = day + ((hours * 60 + minutes) * 60 + seconds) * 1_000 + Number(fraction.slice(0, 3));
  return { ms, exact: ms + Number(fraction.slice(3)) / 1_000_000 };
}
