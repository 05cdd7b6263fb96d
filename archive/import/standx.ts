/**
 * StandX recordings, as djienne/StandX_Market_Making_Backtest_BTC writes them: one book form, and trades beside it.
 *
 * | file | record |
 * |---|---|
 * | `{"type":"snapshot"\|"diff","E","R","b","a"[,"gap_ms"]}` | snapshot, depth (20 levels a side, 0.25 s) |
 * | `second_ms,exch_ts_ms,recv_ts_ms,bp0,bq0,ap0,aq0,…` | snapshot each second that had one |
 * | `{"t","exch_ts","recv_ts","bids","asks"}` | snapshot each 30 s |
 * | `exch_ts_ms,recv_ts_ms,price,qty` | trade without a side |
 *
 * The feed goes silent for seconds at a time, books and trades alike: each silence of the books beyond what the form allows is a gap, from the last
 * book received to the next. Books and trades are merged by receive time. 62 % of trade prices lie between the book's ticks.
 */

import { basename } from "node:path";
import { ArchiveError } from "../archive-error.ts";
import type { InputFile } from "../input-files.ts";
import { firstLineOf } from "../line-reader.ts";
import { decimalText, millis } from "./decimal-text.ts";
import { type ForeignItem, type ForeignRecord, type Importer, receivedAtOf, type TextLevel } from "./foreign.ts";
import { type CsvRow, csvRows, type JsonRow, joined, jsonRows, merged } from "./rows.ts";

const MARKET = "standx:BTC-USD";
/** As the recorder counts a silence, in ms. */
const LONGEST_SILENCE_MS = 2_000;

type BookForm = "diff" | "1s" | "30s";
type Form = BookForm | "trades";

/** Levels a side, and the longest time between two books that is no gap. */
const BOOK_FORMS: Readonly<Record<BookForm, { levels: number; silenceMs: number }>> = {
  diff: { levels: 20, silenceMs: LONGEST_SILENCE_MS },
  "1s": { levels: 10, silenceMs: LONGEST_SILENCE_MS },
  "30s": { levels: 20, silenceMs: 30_000 + LONGEST_SILENCE_MS },
};

export const standx: Importer = {
  format: "standx",
  what: "StandX recorder: diffL20_*.ndjson, 1s_L10_*.csv or 30s_L20.ndjson, and trades_*.csv",
  fileName: /^(diffL20|1s_L10|30s_L20|trades).*\.(ndjson|csv)(\.gz)?$/,
  async open(files, options) {
    const market = options.market ?? MARKET;
    const forms = new Map<Form, InputFile[]>();
    for (const file of files) {
      const form = formOf(await firstLineOf(file.path), file.path);
      forms.set(form, [...(forms.get(form) ?? []), file]);
    }
    const books = [...forms.keys()].filter((form): form is BookForm => form !== "trades");
    if (books.length > 1)
      throw new ArchiveError(`these files hold the book in ${books.length} forms (${books.join(", ")}): name those of one`);
    const [form] = books;
    return {
      name: files.map(({ path }) => basename(path)).join(" + "),
      ...(form === undefined ? {} : { bookLevels: BOOK_FORMS[form].levels }),
      items(onBytes) {
        const trades = joined((forms.get("trades") ?? []).map(({ path }) => readTrades(path, market, onBytes)));
        if (form === undefined) return trades;
        const silences = new Silences(BOOK_FORMS[form].silenceMs);
        const book = joined((forms.get(form) ?? []).map(({ path }) => readBooks(path, { market, form, silences, onBytes })));
        return merged([book, trades], receivedAtOf);
      },
    };
  },
};

/** Watches the times at which books come, over the files of one stream. */
class Silences {
  private readonly longestMs: number;
  private last: number | null = null;

  constructor(longestMs: number) {
    this.longestMs = longestMs;
  }

  /** @returns the gap that ends with what came at `receivedAt`. */
  heard(receivedAt: number): ForeignRecord | null {
    const from = this.last;
    this.last = Math.max(from ?? receivedAt, receivedAt);
    if (from === null || receivedAt - from <= this.longestMs) return null;
    return { kind: "gap", receivedAt, from, to: receivedAt, reason: "silence", detail: `${receivedAt - from} ms without a book` };
  }
}

interface BookOptions {
  readonly market: string;
  readonly form: BookForm;
  readonly silences: Silences;
  readonly onBytes: (bytes: number) => void;
}

async function* readBooks(file: string, { market, form, silences, onBytes }: BookOptions): AsyncGenerator<ForeignItem[]> {
  const rows = form === "1s" ? csvRows(file, oneSecondColumns(), onBytes) : jsonRows(file, onBytes);
  for await (const block of rows) {
    const items: ForeignItem[] = [];
    for (const row of block) {
      if ("refused" in row) {
        items.push(row);
        continue;
      }
      const record = "fields" in row ? oneSecond(row) : form === "diff" ? diff(row) : thirtySeconds(row);
      if (record === null) items.push({ refused: `no ${form} book of StandX`, file, line: row.line });
      else {
        const gap = silences.heard(record.receivedAt);
        if (gap !== null) items.push({ market, record: gap, file, line: row.line });
        items.push({ market, record, file, line: row.line });
      }
    }
    yield items;
  }
}

async function* readTrades(file: string, market: string, onBytes: (bytes: number) => void): AsyncGenerator<ForeignItem[]> {
  for await (const block of csvRows(file, ["exch_ts_ms", "recv_ts_ms", "price", "qty"], onBytes)) {
    yield block.map((row): ForeignItem => {
      if ("refused" in row) return row;
      const [exchText, recvText, priceText, sizeText] = row.fields;
      const [venueTime, receivedAt] = [millis(exchText), millis(recvText)];
      const [price, size] = [decimalText(priceText), decimalText(sizeText)];
      if (venueTime === null || receivedAt === null || price === null || size === null)
        return { refused: "no trade of StandX", file, line: row.line };
      return {
        market,
        record: { kind: "trade", receivedAt, venueTime, tradeId: null, price, size, takerSide: null },
        file,
        line: row.line,
      };
    });
  }
}

function diff({ value }: JsonRow): ForeignRecord | null {
  const { type, E, R, b, a } = value;
  if (type !== "snapshot" && type !== "diff") return null;
  return book(type === "snapshot" ? "snapshot" : "depth", {
    receivedAt: millis(R),
    venueTime: millis(E),
    bids: levels(b),
    asks: levels(a),
  });
}

function thirtySeconds({ value }: JsonRow): ForeignRecord | null {
  const { exch_ts, recv_ts, bids, asks } = value;
  return book("snapshot", { receivedAt: millis(recv_ts), venueTime: millis(exch_ts), bids: levels(bids), asks: levels(asks) });
}

function oneSecond({ fields }: CsvRow): ForeignRecord | null {
  const sides: [TextLevel[], TextLevel[]] = [[], []];
  for (let at = 2; at < fields.length; at += 2) {
    // A level that the book didn't have is an empty field.
    if (fields[at] === "" && fields[at + 1] === "") continue;
    const [price, size] = [decimalText(fields[at]), decimalText(fields[at + 1])];
    if (price === null || size === null) return null;
    sides[at % 4 === 2 ? 0 : 1].push([price, size]);
  }
  return book("snapshot", { receivedAt: millis(fields[1]), venueTime: millis(fields[0]), bids: sides[0], asks: sides[1] });
}

function oneSecondColumns(): string[] {
  const depths = Array.from({ length: BOOK_FORMS["1s"].levels }, (_, depth) => depth);
  return ["exch_ts_ms", "recv_ts_ms", ...depths.flatMap((depth) => [`bp${depth}`, `bq${depth}`, `ap${depth}`, `aq${depth}`])];
}

interface BookParts {
  readonly receivedAt: number | null;
  readonly venueTime: number | null;
  readonly bids: readonly TextLevel[] | null;
  readonly asks: readonly TextLevel[] | null;
}

function book(kind: "snapshot" | "depth", { receivedAt, venueTime, bids, asks }: BookParts): ForeignRecord | null {
  if (receivedAt === null || venueTime === null || bids === null || asks === null) return null;
  return { kind, receivedAt, venueTime, sequence: null, bids, asks };
}

/** `[[price, size], …]` of JSON numbers or texts; null when it isn't. */
function levels(value: unknown): TextLevel[] | null {
  if (!Array.isArray(value)) return null;
  const out: TextLevel[] = [];
  for (const level of value as unknown[]) {
    if (!Array.isArray(level) || level.length < 2) return null;
    const [price, size] = [decimalText(level[0]), decimalText(level[1])];
    if (price === null || size === null) return null;
    out.push([price, size]);
  }
  return out;
}

function formOf(firstLine: string, path: string): Form {
  if (firstLine.startsWith("second_ms,")) return "1s";
  if (firstLine.startsWith("exch_ts_ms,recv_ts_ms,price,qty")) return "trades";
  if (firstLine.includes('"type"')) return "diff";
  if (firstLine.includes('"recv_ts"')) return "30s";
  throw new ArchiveError(`${path} line 1: no form of StandX: ${firstLine.slice(0, 60)}`);
}
