/**
 * What a line that could not be read costs a book: it may have been a change, and the book is not known behind it.
 *
 * A refused line of a file is taken for one of each book that the file holds, since nobody can say more of it. From the last good book on, the market is then
 * in a gap, `malformed`: changes are withheld, as the feed's reducer withholds them, until a snapshot says the whole book again. The gap is told before that
 * snapshot, or stands open at the end. Gaps that a source tells inside of it are left out: it covers them.
 *
 * Refuses to judge lines of trades, quotes and bars: in a file that holds no book, they are counted and no more.
 */

import type { MarketRecord } from "../../core/wire/market-events.ts";

interface Loss {
  readonly from: number;
  lines: number;
}

/** The books of one market, over all files. */
export class LostChanges {
  /** Changes that were not given out. */
  withheld = 0;
  private readonly refusedIn: ReadonlyMap<string, number>;
  private readonly files = new Set<string>();
  private lastAt: number | null = null;
  private latestAt = 0;
  private loss: Loss | null = null;
  private lines = 0;

  /** @param refusedIn lines refused so far, by file; the caller counts on. */
  constructor(refusedIn: ReadonlyMap<string, number>) {
    this.refusedIn = refusedIn;
  }

  /** A line of this file was refused; already counted. */
  refused(file: string): void {
    if (this.files.has(file)) this.lines++;
  }

  /** A book of this market was refused. */
  lostBook(): void {
    this.lines++;
  }

  /** @param isPartial whether a part of the record could not be read. @returns what is to be written: the record, or nothing, and a gap before it. */
  take(record: MarketRecord, { file, isPartial }: { file: string; isPartial: boolean }): readonly MarketRecord[] {
    this.latestAt = Math.max(this.latestAt, record.receivedAt);
    if (record.kind === "gap") return this.isInLoss(record.from) ? [] : [record];
    if (record.kind !== "snapshot" && record.kind !== "depth") return [record];
    if (!this.files.has(file)) {
      this.files.add(file);
      this.lines += this.refusedIn.get(file) ?? 0;
    }
    this.noteLoss(record.receivedAt);
    if (this.loss === null || (record.kind === "snapshot" && !isPartial)) return this.whole(record);
    this.withheld++;
    return [];
  }

  /** What is to be written behind the last record. */
  end(): readonly MarketRecord[] {
    if (this.lastAt !== null) this.noteLoss(this.lastAt);
    return this.loss === null ? [] : [gapOf(this.loss, null, this.latestAt)];
  }

  private whole(record: MarketRecord): readonly MarketRecord[] {
    const { loss, lastAt } = this;
    const { receivedAt } = record;
    this.loss = null;
    this.lastAt = receivedAt;
    // Before the first book there was nothing to lose.
    return loss === null || (lastAt === null && loss.from === receivedAt) ? [record] : [gapOf(loss, receivedAt, receivedAt), record];
  }

  private isInLoss(from: number): boolean {
    if (this.lastAt !== null) this.noteLoss(this.lastAt);
    return this.loss !== null && from >= this.loss.from;
  }

  private noteLoss(receivedAt: number): void {
    if (this.lines === 0) return;
    this.loss ??= { from: this.lastAt ?? receivedAt, lines: 0 };
    this.loss.lines += this.lines;
    this.lines = 0;
  }
}

function gapOf({ from, lines }: Loss, to: number | null, receivedAt: number): MarketRecord {
  const detail = `${lines} ${lines === 1 ? "line" : "lines"} of the book could not be read`;
  return { kind: "gap", receivedAt, from, to, reason: "malformed", detail };
}
