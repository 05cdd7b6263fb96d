/**
 * Two files of market events of one market, the second recorded from a venue that was played from the first: what must be equal, event for event.
 *
 * - Books: after each moment (receive time) at which either speaks of the book, both hold the same levels; by plain maps, not by the code that made them. The
 *   venue's time of the change is the import's, where that does not step back (a market's time never does at the simulator).
 * - Trades: as many, in the same order, each with its price, size and venue time, and with its taker's side where the import knows one. The protocol can't
 *   leave it out, so the simulator makes one up from the book where it doesn't: those are counted.
 * - Silences: each of the first's gaps lies within silences (or staler gaps) of the second, one of which ends with it. One that ended with a book that said
 *   nothing new ends for the protocol with the next change: those are counted (`longerSilences`), and must lie within all the same.
 *
 * Not compared, since the protocol doesn't carry it: when a trade was received (BitMEX tells those of one taker together, up to 100 ms later), trade ids
 * (made up), levels told again with the size that they had. The first snapshot is the start of both.
 */

import { readEventsFile, readEventsHeader } from "../../archive/events-file.ts";
import type { BookRecord, EventLevel, GapRecordLine, MarketRecord, TradeRecord } from "../../core/wire/market-events.ts";

export interface CircleReport {
  /** Moments at which both books were compared, and levels changed between. */
  readonly moments: number;
  readonly unequalMoments: number;
  readonly trades: number;
  readonly unequalTrades: number;
  readonly sidesMadeUp: number;
  readonly silences: number;
  readonly longerSilences: number;
  readonly missingSilences: number;
  /** Gaps of the second that are no silence, by reason. */
  readonly otherGaps: Readonly<Record<string, number>>;
  /** The first few differences, in words. */
  readonly differences: readonly string[];
}

const KEPT_DIFFERENCES = 20;
/** Gaps that say that a book was silent. */
const SILENT = ["silence", "stale"];

export interface CompareOptions {
  /** Records of the first from this receive time on were not played. */
  readonly until?: number;
  /** The recorder's own ledger, which must have each silence too; the export's alone is asked where there is none. */
  readonly ledger?: readonly Silent[];
}

export async function compareEvents(
  importFile: string,
  exportFile: string,
  { until = Number.POSITIVE_INFINITY, ledger }: CompareOptions = {},
): Promise<CircleReport> {
  const comparison = new Comparison();
  const [left, right] = [await openRecords(importFile, until), await openRecords(exportFile, Number.POSITIVE_INFINITY)];
  for (;;) {
    const at = Math.min(left.time, right.time);
    if (at === Number.POSITIVE_INFINITY) break;
    await left.each(at, (record) => comparison.imported(record));
    await right.each(at, (record) => comparison.exported(record));
    comparison.endMoment(at);
  }
  return comparison.report(ledger);
}

type Silent = Pick<GapRecordLine, "from" | "to" | "reason">;

class Comparison {
  private readonly differences: string[] = [];
  private readonly books = { imported: new Map<string, number>(), exported: new Map<string, number>() };
  private readonly differing = new Set<string>();
  private readonly trades: { imported: ToldTrade[]; exported: ToldTrade[] } = { imported: [], exported: [] };
  private readonly silences: GapRecordLine[] = [];
  private readonly gaps: GapRecordLine[] = [];
  private hasBegun = false;
  private hasSpoken = false;
  private time = 0;
  /** Venue times of the last change of each book in this moment. */
  private changedAt = 0;
  private exportTime: number | null = null;
  private moments = 0;
  private unequalMoments = 0;
  private tradeCount = 0;
  private unequalTrades = 0;
  private sidesMadeUp = 0;

  imported(record: MarketRecord): void {
    if (record.kind === "gap") {
      this.silences.push(record);
      return;
    }
    this.time = Math.max(this.time, record.venueTime ?? record.receivedAt);
    if (record.kind === "trade") this.trades.imported.push(toldTrade(record, this.time));
    if ((record.kind === "snapshot" || record.kind === "depth") && this.change("imported", record)) this.changedAt = this.time;
  }

  exported(record: MarketRecord): void {
    if (record.kind === "gap") this.gaps.push(record);
    if (record.kind === "trade") this.trades.exported.push(toldTrade(record, record.venueTime ?? 0));
    if (record.kind !== "snapshot" && record.kind !== "depth") return;
    this.hasBegun = true;
    this.exportTime = record.kind === "depth" ? record.venueTime : this.exportTime;
    this.change("exported", record);
  }

  endMoment(at: number): void {
    this.compareTrades();
    if (!this.hasSpoken || !this.hasBegun) return;
    this.hasSpoken = false;
    this.moments++;
    const { exportTime } = this;
    this.exportTime = null;
    if (this.differing.size === 0 && (exportTime === null || exportTime === this.changedAt)) return;
    this.unequalMoments++;
    this.note(
      `at ${at} ${this.differing.size} levels differ (${[...this.differing].slice(0, 3).join(", ")}), venue times ${this.changedAt} and ${exportTime}`,
    );
  }

  report(ledger: readonly Silent[] = this.gaps): CircleReport {
    const found = this.silences.map((silence) => [silence, findIn(this.gaps, silence), findIn(ledger, silence)] as const);
    const missing = found.filter(([, exported, live]) => exported === "missing" || live === "missing").map(([silence]) => silence);
    const longer = found.filter(([, exported, live]) => exported === "longer" && live === "longer").length;
    for (const { from, to } of missing) this.note(`the silence from ${from} to ${to} is not in the ledger`);
    const late = Math.abs(this.trades.imported.length - this.trades.exported.length);
    if (late > 0) this.note(`${late} trades are in one of the two alone`);
    const otherGaps: Record<string, number> = {};
    for (const { reason } of this.gaps) if (!SILENT.includes(reason)) otherGaps[reason] = (otherGaps[reason] ?? 0) + 1;
    return {
      moments: this.moments,
      unequalMoments: this.unequalMoments,
      trades: this.tradeCount,
      unequalTrades: this.unequalTrades + late,
      sidesMadeUp: this.sidesMadeUp,
      silences: this.silences.length,
      longerSilences: longer,
      missingSilences: missing.length,
      otherGaps,
      differences: this.differences,
    };
  }

  /** @returns whether the book is another one now. */
  private change(whose: "imported" | "exported", record: BookRecord): boolean {
    this.hasSpoken = true;
    let isChanged = false;
    const book = this.books[whose];
    const set = (key: string, lots: number): void => {
      if (this.set(book, key, lots)) isChanged = true;
    };
    const told = new Map([...keyed("b", record.bids), ...keyed("a", record.asks)]);
    if (record.kind === "snapshot") for (const key of [...book.keys()]) if (!told.has(key)) set(key, 0);
    for (const [key, lots] of told) set(key, lots);
    return isChanged;
  }

  private set(book: Map<string, number>, key: string, lots: number): boolean {
    if ((book.get(key) ?? 0) === lots) return false;
    if (lots === 0) book.delete(key);
    else book.set(key, lots);
    if (this.books.imported.get(key) === this.books.exported.get(key)) this.differing.delete(key);
    else this.differing.add(key);
    return true;
  }

  private compareTrades(): void {
    const { imported, exported } = this.trades;
    const count = Math.min(imported.length, exported.length);
    for (let at = 0; at < count; at++) {
      this.tradeCount++;
      const [told, recorded] = [imported[at] as ToldTrade, exported[at] as ToldTrade];
      if (told.takerSide === null) this.sidesMadeUp++;
      const isSameSide = told.takerSide === null || told.takerSide === recorded.takerSide;
      if (isSameSide && told.time === recorded.time && told.priceTicks === recorded.priceTicks && told.sizeLots === recorded.sizeLots)
        continue;
      this.unequalTrades++;
      this.note(`trade ${this.tradeCount} was ${JSON.stringify(told)} and is ${JSON.stringify(recorded)}`);
    }
    imported.splice(0, count);
    exported.splice(0, count);
  }

  private note(difference: string): void {
    if (this.differences.length < KEPT_DIFFERENCES) this.differences.push(difference);
  }
}

/** Whether gaps lie over a silence without a hole, and one of them ends with it: `exact`; or none does: `longer`. */
function findIn(ledger: readonly Silent[], { from, to }: GapRecordLine): "exact" | "longer" | "missing" {
  const silent = ledger.filter((gap) => SILENT.includes(gap.reason) && gap.from <= (to ?? 0) && (gap.to ?? 0) >= from);
  let covered = from;
  for (const gap of silent.toSorted((left, right) => left.from - right.from))
    if (gap.from <= covered) covered = Math.max(covered, gap.to ?? covered);
  if (covered < (to ?? 0)) return "missing";
  return silent.some((gap) => gap.to === to) ? "exact" : "longer";
}

interface ToldTrade {
  readonly time: number;
  readonly priceTicks: number;
  readonly sizeLots: number;
  readonly takerSide: string | null;
}

function toldTrade({ priceTicks, sizeLots, takerSide }: TradeRecord, time: number): ToldTrade {
  return { time, priceTicks, sizeLots, takerSide };
}

function keyed(side: "b" | "a", levels: readonly EventLevel[]): [string, number][] {
  return levels.map(([ticks, lots]) => [`${side}${ticks}`, lots]);
}

/** Records in their order, moment by moment. */
interface Records {
  readonly time: number;
  each(at: number, take: (record: MarketRecord) => void): Promise<void>;
}

async function openRecords(path: string, until: number): Promise<Records> {
  const blocks = readEventsFile(path, await readEventsHeader(path));
  let block: readonly MarketRecord[] = [];
  let next = 0;
  let latest = Number.NEGATIVE_INFINITY;
  const fill = async (): Promise<void> => {
    while (next === block.length) {
      const read = await blocks.next();
      if (read.done === true) {
        block = [];
        next = 0;
        return;
      }
      block = read.value.map((item) => {
        if ("refused" in item) throw new Error(`${path} line ${item.line}: ${item.refused}`);
        return item.record;
      });
      next = 0;
    }
  };
  const time = (): number => {
    // As the simulator plays a recorder's jitter: never before what stands before it.
    const receivedAt = Math.max(latest, block[next]?.receivedAt ?? Number.POSITIVE_INFINITY);
    return receivedAt < until ? receivedAt : Number.POSITIVE_INFINITY;
  };
  await fill();
  return {
    get time() {
      return time();
    },
    async each(at, take) {
      latest = at;
      while (time() === at) {
        take(block[next++] as MarketRecord);
        if (next === block.length) await fill();
      }
    },
  };
}
