/**
 * The fault matrix, venue x fault: three markets, the fault on the first of them or on the connection. Losses prevented: a book that is served and isn't
 * the venue's, for longer than is said here; a loss that the ledger doesn't have; a fault of one market that touches another.
 *
 * Of every cell: in the end each book equals the one that naive clients have of the unbroken stream; while it went on, whatever was served and was
 * wrong lies in a gap of the ledger, and was found in time; what the simulator's own record says was lost lies in a gap; other markets never
 * noticed. What a venue's means can't show is named as such (UNSEEN), in docs/faults.md too, which this writes (`npx vitest run test/faults -u`).
 */

import { describe, expect, it } from "vitest";
import { adapters } from "../../exchanges/registry.ts";
import type { GapRecord } from "../../feed/contract.ts";
import { type Cell, type MarketOutcome, runCell } from "./cell.ts";
import { type FaultRow, rows } from "./fault-rows.ts";
import { matrixDocument } from "./matrix-document.ts";
import { SAMPLE_MS } from "./reference.ts";

const VENUES = ["binance-spot", "binance-usd-m", "binance-coin-m", "coinbase-advanced", "coinbase-exchange", "bitmex"] as const;
type Venue = (typeof VENUES)[number];

/** Nothing to be found: the book was right all the time. */
const EQUAL = "equal";
/** Told late, in order, on a connection that says nothing meanwhile: right again when it speaks. */
const LATE = "late";
/** Wrong, and nothing of the venue's shows it, until later changes have overwritten the level or an audit compares the whole book. */
const UNSEEN = "unseen";

/** Reasons of the faulted market's gaps of its book, in the order of their beginning, each once: Binance's three, Advanced Trade, Exchange, BitMEX. */
type Expected = readonly [binance: string, advanced: string, exchange: string, bitmex: string];

const EXPECTED: Readonly<Record<string, Expected>> = {
  none: [EQUAL, EQUAL, EQUAL, EQUAL],
  drop: ["sequence-gap", "sequence-gap", UNSEEN, "unknown-level"],
  "drop 3 in a row": ["sequence-gap", "sequence-gap", UNSEEN, "unknown-level"],
  "drop 3, audit after 10 s": ["sequence-gap", "sequence-gap", "snapshot-differs", "snapshot-differs"],
  "drop snapshot": ["crossed-book", "crossed-book", "crossed-book", "crossed-book"],
  "drop trade": [EQUAL, "sequence-gap", EQUAL, EQUAL],
  "drop quote": [EQUAL, "sequence-gap", EQUAL, EQUAL],
  duplicate: [EQUAL, EQUAL, EQUAL, "unknown-level"],
  reorder: ["sequence-gap", "sequence-gap", UNSEEN, EQUAL],
  "delay 3 s": [LATE, LATE, LATE, LATE],
  corrupt: ["sequence-gap", "malformed", "malformed", "malformed"],
  truncate: ["sequence-gap", "malformed", "malformed", "malformed"],
  "corrupt trade": [EQUAL, "sequence-gap", EQUAL, EQUAL],
  "crossed-book": ["crossed-book", "crossed-book", "crossed-book", "crossed-book"],
  "silence depth": ["stale", "sequence-gap", "quote-mismatch", "levels-mismatch, unknown-level"],
  "silence symbol": ["stale", "sequence-gap", "stale", "stale"],
  "silence all": ["stale", "sequence-gap", "stale", "stale"],
  "close 1006": all("connection-down"),
  "TCP reset": all("connection-down"),
  "close 24 h, told": all("connection-down"),
  "close 24 h, untold": all("connection-down"),
  "close 24 h, rotated before": all(EQUAL),
  "429 on dial": all("connection-down"),
  "418 on dial": all("connection-down"),
  "451 on dial": all("connection-down"),
  "429 on REST": all("crossed-book"),
  "418 on REST": all("crossed-book"),
  "451 on REST": all("crossed-book"),
  "slow REST": all("crossed-book"),
  "stale snapshot": ["crossed-book", "snapshot-differs, crossed-book", "snapshot-too-old", "snapshot-too-old"],
  "id-map": [EQUAL, EQUAL, EQUAL, "unknown-level"],
  "rotation, close 1006, joining": [EQUAL, "rotation", "rotation", "rotation"],
  "rotation, close 1006, joined": all(EQUAL),
  "rotation, both close 1006": all("connection-down"),
  "rotation, delay 1 s": [LATE, LATE, LATE, LATE],
  "rotation, drop": [EQUAL, "sequence-gap", "snapshot-differs", EQUAL],
  "rotation, crossed-book, joining": ["crossed-book", "crossed-book", "crossed-book", EQUAL],
  "rotation, crossed-book, joined": ["crossed-book", EQUAL, EQUAL, EQUAL],
  "rotation, 418 on REST": ["crossed-book", EQUAL, EQUAL, EQUAL],
  "rotation, 451 on REST": ["crossed-book", EQUAL, EQUAL, EQUAL],
  "rotation, 451 on its dial": all(EQUAL),
  "rotation, slow REST": ["crossed-book", EQUAL, EQUAL, EQUAL],
  "rotation, finer ticks": ["restarted", "restarted", "standby-lost", "restarted"],
  "clock +60 s": all(EQUAL),
  "clock -60 s": all(EQUAL),
};

/**
 * For how long at most a wrong book is served before it is found. Numbered: until the next message, of a batch each 100 ms or of any channel. By
 * quotes: 5 s that numbered ones run ahead, or three moments that nothing explains, 2 s each. A market that says nothing at all: 30 s, the venue's bound.
 */
const NEXT_MESSAGE_MS = 500;
const BY_QUOTES_MS = 10_000;
const BY_SILENCE_MS = 30_000;

/** For how long the connection is held in the rows that hold it. */
const LATE_BY_MS: Readonly<Record<string, number>> = { "delay 3 s": 3_000, "rotation, delay 1 s": 1_000 };

const done: Cell[] = [];

describe.each(VENUES)("%s", (venue) => {
  it.each(rows)("$name", (row) => {
    const cell = runCell(venue, row);
    const [faulted, ...others] = cell.markets;
    done.push(cell);
    for (const market of cell.markets) {
      expect([market.symbol, market.isLive, market.isEqual]).toEqual([market.symbol, true, true]);
      expect(market.gaps.filter(({ to }) => to === null)).toEqual([]);
    }
    const expected = expectedOf(venue, row);
    expect(outcomeOf(row, faulted)).toBe(expected);
    if (!touchesAll(venue, row)) for (const other of others) expect([other.gaps, other.wrong, other.lostAt]).toEqual([[], [], null]);
    for (const market of cell.markets) {
      expect(market.wrong.filter(({ from, to }) => to - from > boundOf(venue, row))).toEqual([]);
      if (expected !== LATE && expected !== UNSEEN) expect(unexplained(venue, market)).toEqual([]);
    }
    expect(unwritten(cell)).toEqual([]);
  });
});

it("prints the matrix, and docs/faults.md is the one of today", async () => {
  const text = matrixDocument(VENUES, rows, done);
  console.log(text);
  if (done.length === VENUES.length * rows.length) await expect(text).toMatchFileSnapshot("../../docs/faults.md");
});

function all(outcome: string): Expected {
  return [outcome, outcome, outcome, outcome];
}

function expectedOf(venue: Venue, { name }: FaultRow): string {
  // Alone in having words for it.
  if (venue === "binance-spot" && name === "close 24 h, told") return EQUAL;
  const [binance, advanced, exchange, bitmex] = EXPECTED[name] ?? all("no expectation");
  return { "coinbase-advanced": advanced, "coinbase-exchange": exchange, bitmex }[venue as string] ?? binance;
}

function outcomeOf({ name }: FaultRow, market: MarketOutcome): string {
  const reasons = [...new Set(bookGaps(market).map(({ reason }) => reason))];
  if (reasons.length > 0) return reasons.join(", ");
  if (market.wrong.length === 0) return EQUAL;
  const lateByMs = LATE_BY_MS[name] ?? 0;
  return market.wrong.length === 1 && market.wrong.every(({ from, to }) => to - from > lateByMs / 2 && to - from < lateByMs)
    ? LATE
    : UNSEEN;
}

/** What was served, was wrong, and lies in no gap. */
function unexplained(venue: Venue, market: MarketOutcome): MarketOutcome["wrong"] {
  const isNumbered = venue.startsWith("binance") || venue === "coinbase-advanced";
  return market.wrong.filter(({ from, to }, index) => {
    // Built from a snapshot amid a silence, and set right by later changes before quotes had contradicted it for long enough.
    const isHealed = !isNumbered && index > 0 && to - from < 5_000;
    return !isHealed && !bookGaps(market).some((gap) => gap.from <= from && (gap.to ?? 0) > to);
  });
}

function bookGaps({ gaps }: MarketOutcome): readonly GapRecord[] {
  return gaps.filter(({ channel }) => channel === "depth" || channel === "connection");
}

/** Whether the venue's rule is that all markets of the connection are hit. */
function touchesAll(venue: Venue, { hits, ...row }: FaultRow): boolean {
  const name = row.name.replace(/^rotation, /, "");
  if (hits === "connection") return true;
  // One number over all channels: what is missing may be anybody's.
  if (venue === "coinbase-advanced") return /^(drop|reorder|corrupt|truncate|silence)/.test(name);
  // Cut before the symbol: whose it was can't be read.
  if (venue === "bitmex") return name === "truncate";
  // A host that is blocked on REST is left as a whole, for the venue's next one.
  return venue.startsWith("binance") && name === "451 on REST";
}

function boundOf(venue: Venue, { name, seconds }: FaultRow): number {
  const isNumbered = venue.startsWith("binance") || venue === "coinbase-advanced";
  const lateByMs = LATE_BY_MS[name];
  if (lateByMs !== undefined) return lateByMs;
  if (name === "silence depth" || name === "stale snapshot") return BY_QUOTES_MS;
  if (name.startsWith("silence")) return BY_SILENCE_MS;
  if (isNumbered) return NEXT_MESSAGE_MS;
  // A lost change beyond what the venue quotes and lists: nothing of its shows it. docs/faults.md says what does.
  return /^(rotation, )?(drop|reorder)/.test(name) ? seconds * 1_000 : SAMPLE_MS;
}

/** What the simulator's record says was lost of a market, and no gap of the ledger holds. */
function unwritten({ venue, row, record, markets }: Cell): string[] {
  const expected = expectedOf(venue as Venue, row);
  if (expected === UNSEEN) return [];
  // Lost on one of two connections: the other brought it, and the book was right at every moment.
  if (expected === EQUAL && row.name === "rotation, drop") return [];
  const tradeIds = adapters.find((adapter) => adapter.venue === venue)?.tradeIds;
  const missing: string[] = [];
  for (const { fault, at, lost } of record) {
    for (const { symbol, channel } of lost) {
      // A quote is of no book; trades whose ids don't count up can't be missed.
      const kind = channel === "depth" ? "depth" : channel === "trade" && tradeIds === "consecutive" ? "trades" : null;
      const market = markets.find((each) => each.symbol === symbol);
      if (kind === null || market === undefined) continue;
      const held = market.gaps.some(
        (gap) => (gap.channel === kind || gap.channel === "connection") && gap.from <= at && at <= (gap.to ?? at),
      );
      if (!held) missing.push(`${fault} of ${symbol} ${kind} at ${at}`);
    }
  }
  return missing;
}
