/**
 * The ledger of gaps beside the simulator's own record of what it broke, both ways:
 *
 * 1. Each fault that must show does: the ledger has a gap of that market that contains its time. What must show is a matter of what the venue numbers:
 *    - a book numbered by itself (Binance): each of its messages that was lost, damaged or out of order;
 *    - a connection numbered (Coinbase Advanced Trade): each message of it, in all its books, whatever channel it was of;
 *    - nothing numbered (BitMEX): a message of a book that came damaged, a row that was never there. One that never came shows in a later one, or in a
 *      quote, or in nothing, where what it said was said again before anybody looked: those are counted, `silently healed`, and not asked for;
 *    - on all: a crossed book; a connection that ended, unless its successor was there already; lost trades, where their ids count up.
 * 2. Each gap has its fault: one of that venue (of that market, unless the fault or the numbers are the connection's) and of a kind that leads to the gap's
 *    reason, within the gap, or, where books aren't numbered, since the book was built: what it was built from may have been false already.
 *
 *    Quotes without numbers are compared with the tops of the moments around them, so that check may raise an alarm over a book that is right: such gaps
 *    are counted by themselves, `falseAlarms`, and held to a rate of the hours in which there could have been one.
 *
 * A fault's time is when it was done; behind a delay it is received when that ends. Receive times are whole milliseconds.
 */

import { marketId, parseMarketId } from "../../core/market/instrument.ts";
import type { FaultEntry } from "../../exchange-simulator/faults/record.ts";
import type { StandbySpan } from "../../exchange-simulator/in-process-feed.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import type { GapReason, GapRecord } from "../../feed/contract.ts";

export interface AuditedFeed {
  readonly venue: string;
  readonly symbols: readonly string[];
  readonly continuity: ExchangeAdapter["continuity"];
  readonly tradeIds: ExchangeAdapter["tradeIds"];
  /** Times in which it was heard on two connections: what one lost the other brought. */
  readonly standbySpans: readonly StandbySpan[];
}

/** What became of the faults of one kind at one venue. */
export interface FaultCount {
  done: number;
  /** A gap contains it, in each market that it must show in. */
  shown: number;
  /** It needn't show, and no gap contains it. */
  harmless: number;
  /** Lost on one of two connections. */
  spared: number;
  /** It must show and doesn't. */
  missed: number;
}

/** What explains the gaps of one reason at one venue. */
export interface GapCount {
  explained: number;
  falseAlarms: number;
  unexplained: number;
}

export interface Audit {
  readonly faults: ReadonlyMap<string, FaultCount>;
  /** Gaps by venue and reason, explained and not. */
  readonly gaps: ReadonlyMap<string, GapCount>;
  readonly missed: readonly { readonly entry: FaultEntry; readonly market: string }[];
  readonly unexplained: readonly GapRecord[];
  /** Hours of all the markets whose quotes have no numbers. */
  readonly racingHours: number;
}

/** Receive times are cut to milliseconds. */
const ROUNDING_MS = 1;
/** What leads to a connection that is gone: a refusal too, as a feed leaves a host whose REST is blocked. */
const ENDS: readonly string[] = ["close-1006", "tcp-reset", "close-24h", "http-451"];
const LOSES: readonly string[] = ["drop", "corrupt", "truncate", "silence", "reorder"];
const BREAKS: readonly string[] = [...LOSES, "duplicate", "crossed-book", "stale-snapshot", "id-map", "delay"];

/** Which faults lead to a reason; a reason without any is none of a soak's. Trouble in a gap prolongs it, so the first reason tells of the first fault alone. */
const CAUSES: Readonly<Record<GapReason, readonly string[]>> = {
  "sequence-gap": LOSES,
  malformed: ["corrupt", "truncate"],
  "connection-down": ENDS,
  rotation: ENDS,
  "standby-lost": ENDS,
  stale: ["silence", "delay"],
  "lost-trades": [...LOSES, ...ENDS],
  "unknown-level": BREAKS,
  "crossed-book": BREAKS,
  "quote-mismatch": BREAKS,
  "levels-mismatch": BREAKS,
  "snapshot-differs": BREAKS,
  "snapshot-too-old": BREAKS,
  "buffer-overflow": [],
  "window-exhausted": [],
  "tape-overflow": [],
  silence: [],
  started: [],
  restarted: [],
  retired: [],
};

/** @param lived what there is to audit: the ledger, the simulator's record, and for how long both were written. */
export function audit(
  feeds: readonly AuditedFeed[],
  { ledger, record, hours }: { readonly ledger: readonly GapRecord[]; readonly record: readonly FaultEntry[]; readonly hours: number },
): Audit {
  const byMarket = groupedBy(
    ledger.toSorted((left, right) => left.from - right.from),
    ({ market }) => market,
  );
  const byVenue = groupedBy(record, ({ venue }) => venue);
  const faults = new Map<string, FaultCount>();
  const gaps = new Map<string, GapCount>();
  const missed: { entry: FaultEntry; market: string }[] = [];
  const unexplained: GapRecord[] = [];
  for (const feed of feeds) {
    const entries = byVenue.get(feed.venue) ?? [];
    const delays = entries.filter(({ fault }) => fault === "delay");
    for (const entry of entries) {
      const count = counted(faults, `${feed.venue} ${entry.fault}`, () => ({ done: 0, shown: 0, harmless: 0, spared: 0, missed: 0 }));
      const markets = mustShowIn(entry, feed);
      const named = entry.symbol === null ? [] : [marketId(feed.venue, entry.symbol)];
      const isShown = (market: string): boolean => (byMarket.get(market) ?? []).some((gap) => contains(gap, entry, delays));
      const missing = markets.filter((market) => !isShown(market));
      count.done++;
      if (missing.length === 0) count[(markets.length > 0 ? markets : named).some(isShown) ? "shown" : "harmless"]++;
      else if (isSpared(entry, feed)) count.spared++;
      else {
        count.missed++;
        missed.push(...missing.map((market) => ({ entry, market })));
      }
    }
    for (const market of feed.symbols.map((symbol) => marketId(feed.venue, symbol))) {
      const own = byMarket.get(market) ?? [];
      for (const [at, gap] of own.entries()) {
        const count = counted(gaps, `${feed.venue} ${gap.channel} ${gap.reason}`, () => ({ explained: 0, falseAlarms: 0, unexplained: 0 }));
        const since = own.slice(0, at).findLast(({ channel }) => channel !== "trades" && channel !== "quotes");
        if (isExplained(gap, { feed, entries, delays, builtAt: since?.from ?? gap.from })) count.explained++;
        else if (gap.reason === "quote-mismatch" && feed.continuity !== "book") count.falseAlarms++;
        else {
          count.unexplained++;
          unexplained.push(gap);
        }
      }
    }
  }
  const racing = feeds.filter(({ continuity }) => continuity !== "book").flatMap(({ symbols }) => symbols);
  return { faults, gaps, missed, unexplained, racingHours: racing.length * hours };
}

function groupedBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}

function counted<Count>(counts: Map<string, Count>, key: string, create: () => Count): Count {
  const count = counts.get(key) ?? create();
  counts.set(key, count);
  return count;
}

/** The markets whose ledger must have a fault. */
function mustShowIn(entry: FaultEntry, { venue, symbols, continuity, tradeIds }: AuditedFeed): string[] {
  const all = symbols.map((symbol) => marketId(venue, symbol));
  const own = entry.symbol === null ? [] : [marketId(venue, entry.symbol)];
  switch (entry.fault) {
    case "close-1006":
    case "tcp-reset":
    case "close-24h":
      return all;
    case "drop":
    case "corrupt":
    case "truncate":
    case "silence":
    case "reorder": {
      if (continuity === "connection") return all;
      const channels = entry.lost.length > 0 ? entry.lost.map(({ channel }) => channel) : [entry.channel];
      const isDamaged = entry.fault === "corrupt" || entry.fault === "truncate";
      if (channels.includes("depth") && (continuity === "book" || isDamaged)) return own;
      if (channels.includes("trade") && entry.fault !== "reorder" && tradeIds === "consecutive") return own;
      return [];
    }
    case "crossed-book":
    case "id-map":
      return own;
    default:
      return [];
  }
}

function contains(gap: GapRecord, entry: FaultEntry, delays: readonly FaultEntry[]): boolean {
  const doneAt = entry.fault === "close-24h" ? (entry.until ?? entry.at) : entry.at;
  return (
    gap.from <= Math.max(doneAt, heldUntil(entry, delays)) + ROUNDING_MS && (gap.to ?? Number.POSITIVE_INFINITY) + ROUNDING_MS >= doneAt
  );
}

/** When what was told at a fault's time was received: at the end of a delay of its connection. */
function heldUntil(entry: FaultEntry, delays: readonly FaultEntry[]): number {
  const isHeld = ({ at, until, connection }: FaultEntry) => connection === entry.connection && at <= entry.at && (until ?? at) >= entry.at;
  return Math.max(entry.at, ...delays.filter(isHeld).map(({ until }) => until ?? entry.at));
}

function isSpared(entry: FaultEntry, { standbySpans }: AuditedFeed): boolean {
  const until = entry.until ?? entry.at;
  return standbySpans.some(({ from, to }) => from <= until && (to ?? Number.POSITIVE_INFINITY) + ROUNDING_MS >= entry.at);
}

function isExplained(
  gap: GapRecord,
  { feed, entries, delays, builtAt }: { feed: AuditedFeed; entries: readonly FaultEntry[]; delays: readonly FaultEntry[]; builtAt: number },
): boolean {
  if (gap.reason === "started") return true;
  const causes = CAUSES[gap.reason];
  const symbol = parseMarketId(gap.market)?.symbol;
  const from = Math.min(gap.from, feed.continuity === "book" ? gap.from : builtAt) - ROUNDING_MS;
  const to = (gap.to ?? Number.POSITIVE_INFINITY) + ROUNDING_MS;
  return entries.some((entry) => {
    if (!causes.includes(entry.fault)) return false;
    const isOfAll = entry.symbol === null || feed.continuity === "connection" || entry.fault === "corrupt" || entry.fault === "truncate";
    return (isOfAll || entry.symbol === symbol) && entry.at <= to && Math.max(entry.until ?? entry.at, heldUntil(entry, delays)) >= from;
  });
}
