/** Behind the top an unnumbered book has no other proof than the venue's own list of its best levels: it has to find a lost change there, and spare a right book. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { LevelBatch, TopLevelsEvent } from "../../core/market/event.ts";
import type { RaceJudgement } from "../../feed/race.ts";
import { TopLevelsCheck } from "../../feed/top-levels-check.ts";

type Level = readonly [ticks: number, lots: number];
/** Best first. */
interface Sides {
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

function batchOf({ bids, asks }: Sides): LevelBatch {
  const all = [...bids, ...asks];
  const [priceTicks, sizeLots] = [all.map(([ticks]) => ticks), all.map(([, lots]) => lots)].map((column) => Float64Array.from(column));
  if (priceTicks === undefined || sizeLots === undefined) throw new Error("two columns");
  return { bidCount: bids.length, askCount: asks.length, priceTicks, sizeLots };
}

function listed(sides: Sides, depth = 10): TopLevelsEvent {
  return { kind: "top-levels", symbol: "AAA", venueTime: 0, depth, levels: batchOf(sides) };
}

/** Twelve levels a side: bids from 100 down, asks from 101 up, of 1, 2, … lots. */
const RIGHT: Sides = {
  bids: Array.from({ length: 12 }, (_, at): Level => [100 - at, at + 1]),
  asks: Array.from({ length: 12 }, (_, at): Level => [101 + at, at + 1]),
};

const best = ({ bids, asks }: Sides, depth = 10): Sides => ({ bids: bids.slice(0, depth), asks: asks.slice(0, depth) });

/** A book, the check beside it, and the venue's right one; `lose` is a change that the venue makes and the book doesn't. */
class Beside {
  readonly check = new TopLevelsCheck();
  readonly book = new OrderBook();
  private readonly venue = { bids: new Map(RIGHT.bids), asks: new Map(RIGHT.asks) };

  constructor() {
    this.book.apply(batchOf(RIGHT));
    this.list(0);
  }

  change(sides: Sides, at: number): RaceJudgement {
    this.lose(sides);
    this.book.apply(batchOf(sides));
    return this.check.onBook(this.book, batchOf(sides), at);
  }

  lose({ bids, asks }: Sides): void {
    for (const [side, levels] of [[this.venue.bids, bids] as const, [this.venue.asks, asks] as const])
      for (const [ticks, lots] of levels)
        if (lots === 0) side.delete(ticks);
        else side.set(ticks, lots);
  }

  get best(): Sides {
    return best(sortedSides(this.venue));
  }

  list(at: number): RaceJudgement {
    return this.check.onTopLevels(listed(this.best), this.book, at);
  }
}

function sortedSides({ bids, asks }: { bids: ReadonlyMap<number, number>; asks: ReadonlyMap<number, number> }): Sides {
  return { bids: [...bids].sort(([left], [right]) => right - left), asks: [...asks].sort(([left], [right]) => left - right) };
}

const NONE: readonly Level[] = [];

describe("best levels that the venue lists", () => {
  it("are compared from the first on, and count as nothing before: a venue without them has no such proof", () => {
    const check = new TopLevelsCheck();
    const book = new OrderBook();
    book.apply(batchOf(RIGHT));
    expect(check.onBook(book, null, 0)).toBe("undecided");
    expect(check.counts).toBeNull();
    expect(check.onTopLevels(listed(best(RIGHT)), book, 10)).toBe("agrees");
    expect(check.counts).toEqual({ comparisons: 1, mismatches: 0 });
  });

  it("are told from others by each price and size of each level, and by how many there are", () => {
    const { bids, asks } = best(RIGHT);
    const others: Sides[] = [0, 1, 4, 9].flatMap((at) => [
      { bids: bids.with(at, [bids[at]?.[0] ?? 0, 99]), asks },
      { bids, asks: asks.with(at, [asks[at]?.[0] ?? 0, 99]) },
      { bids: bids.toSpliced(at, 1), asks },
      { bids, asks: asks.toSpliced(at, 1) },
    ]);
    others.push({ bids: bids.with(9, [90, 10]), asks }, { bids: asks, asks: bids }, { bids: NONE, asks }, { bids, asks: NONE });
    for (const other of others) {
      const { check, book } = new Beside();
      expect(check.onTopLevels(listed(other), book, 10)).toBe("undecided");
    }
  });

  it("are told from others by sizes past 2^32 too, as coins of many decimals have them", () => {
    const twin = (lots: number): Sides => ({ bids: [[100, lots]], asks: [[101, 5]] });
    for (const [held, said] of [
      [5, 5 + 2 ** 32],
      [2 ** 40, 2 ** 41],
      [2 ** 52, 2 ** 52 + 1],
    ] as const) {
      const book = new OrderBook();
      book.apply(batchOf(twin(held)));
      expect(new TopLevelsCheck().onTopLevels(listed(twin(said)), book, 0)).toBe("undecided");
      expect(new TopLevelsCheck().onTopLevels(listed(twin(held)), book, 0)).toBe("agrees");
    }
  });

  it("agree with what was shown until two seconds ago, and with what comes to be shown within two seconds", () => {
    for (const [later, judgement] of [
      [2_000, "agrees"],
      [2_001, "undecided"],
    ] as const) {
      const behind = new Beside();
      const before = behind.best;
      behind.change({ bids: [[98, 50]], asks: NONE }, 1_000);
      expect(behind.check.onTopLevels(listed(before), behind.book, 1_000 + later)).toBe(judgement);
      const ahead = new Beside();
      const { check, book } = ahead;
      ahead.lose({ bids: [[98, 50]], asks: NONE });
      expect(check.onTopLevels(listed(ahead.best), book, 1_000)).toBe("undecided");
      expect(ahead.change({ bids: [[98, 50]], asks: NONE }, 1_000 + later)).toBe(judgement);
    }
  });

  it("of a side with fewer than ten are all of it: a level too many in the book shows", () => {
    const three: Sides = { bids: RIGHT.bids.slice(0, 3), asks: RIGHT.asks.slice(0, 3) };
    const check = new TopLevelsCheck();
    const book = new OrderBook();
    book.apply(batchOf(three));
    expect(check.onTopLevels(listed(three), book, 0)).toBe("agrees");
    const ghost = { bids: [[50, 1]] as const, asks: NONE };
    book.apply(batchOf(ghost));
    check.onBook(book, batchOf(ghost), 1_000);
    expect(check.onTopLevels(listed(three), book, 4_000)).toBe("undecided");
  });

  it("may become more or fewer at most: nothing that was shown before is compared with them", () => {
    const { check, book } = new Beside();
    expect(check.onTopLevels(listed(best(RIGHT, 5), 5), book, 10)).toBe("agrees");
    expect(check.onTopLevels(listed(best(RIGHT, 5), 10), book, 20)).toBe("undecided");
  });
});

describe("a change behind the best ten", () => {
  it("doesn't use up the memory of what was shown: a list that comes late still finds its moment", () => {
    const beside = new Beside();
    const before = beside.best;
    beside.change({ bids: [[98, 50]], asks: NONE }, 1_000);
    for (let count = 1; count <= 400; count++) beside.change({ bids: [[90, count]], asks: [[111, count]] }, 1_000 + count);
    expect(beside.check.onTopLevels(listed(before), beside.book, 1_500)).toBe("agrees");
  });

  it("is looked at when it comes among them by the removal of a better one", () => {
    const beside = new Beside();
    beside.change({ bids: [[90, 77]], asks: NONE }, 1_000);
    beside.change({ bids: [[100, 0]], asks: NONE }, 1_010);
    expect(beside.best.bids.at(-1)).toEqual([90, 77]);
    expect(beside.list(1_020)).toBe("agrees");
  });

  it("that was lost is no mismatch until it is among them: that is how far this proof reaches", () => {
    const beside = new Beside();
    beside.lose({ bids: [[90, 77]], asks: NONE });
    for (let at = 1_000; at <= 60_000; at += 1_000) expect(beside.list(at)).toBe("agrees");
    beside.change({ bids: [[100, 0]], asks: NONE }, 61_000);
    const judgements: RaceJudgement[] = [];
    for (let at = 61_100; at <= 70_000; at += 100) judgements.push(beside.list(at));
    // Three moments half a second apart, the last of them two seconds old.
    expect(judgements.indexOf("disagrees")).toBe(31);
  });
});

describe("against a reference that sorts plain lists", () => {
  const level = fc.tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 0, max: 2 }));
  const sides = fc.record({ bids: fc.array(level, { maxLength: 4 }), asks: fc.array(level, { maxLength: 4 }) });
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 400 }),
    change: sides,
    isListed: fc.boolean(),
    back: fc.integer({ min: 0, max: 12 }),
  });

  it("agrees exactly when the listed levels were the book's best within two seconds, whatever was skipped in between", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), (steps, depth) => {
        const check = new TopLevelsCheck();
        const book = new OrderBook();
        const held = { bids: new Map<number, number>(), asks: new Map<number, number>() };
        check.onTopLevels(listed({ bids: NONE, asks: NONE }, depth), book, 0);
        const shown: { sides: Sides; from: number }[] = [{ sides: { bids: NONE, asks: NONE }, from: 0 }];
        let at = 0;
        for (const { wait, change, isListed, back } of steps) {
          at += wait;
          const moved = {
            bids: change.bids.map(([ticks, lots]): Level => [100 - ticks, lots]),
            asks: change.asks.map(([ticks, lots]): Level => [101 + ticks, lots]),
          };
          for (const [ticks, lots] of moved.bids) held.bids.set(ticks, lots);
          for (const [ticks, lots] of moved.asks) held.asks.set(ticks, lots);
          const now = sortedSides(held);
          const resting = { bids: now.bids.filter(([, lots]) => lots > 0), asks: now.asks.filter(([, lots]) => lots > 0) };
          book.apply(batchOf(moved));
          check.onBook(book, batchOf(moved), at);
          shown.push({ sides: best(resting, depth), from: at });
          if (!isListed) continue;
          const claim = shown.at(-1 - back)?.sides ?? { bids: NONE, asks: NONE };
          const isThere = shown.some(({ sides: each }, index) => at - (shown[index + 1]?.from ?? at) <= 2_000 && isEqual(each, claim));
          expect(check.onTopLevels(listed(claim, depth), book, at) === "agrees").toBe(isThere);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("a model venue that changes any of fifteen levels a side, and lists its best ten at each change", () => {
  const change = fc.record({
    afterMs: fc.integer({ min: 0, max: 12 }),
    isBid: fc.boolean(),
    from: fc.integer({ min: 0, max: 14 }),
    lots: fc.integer({ min: 0, max: 3 }),
  });
  const batches = fc.array(
    fc.record({ quietMs: fc.integer({ min: 0, max: 4_000 }), changes: fc.array(change, { minLength: 1, maxLength: 6 }) }),
    { minLength: 1, maxLength: 40 },
  );
  /** How much later (or, below 0, earlier) than the book the list of the same moment comes: the channel's own, and what varies. */
  const lag = fc.integer({ min: -900, max: 900 });
  const jitters = fc.array(fc.integer({ min: 0, max: 60 }), { minLength: 1, maxLength: 20 });

  it("never shows a mismatch to a right book, wherever in a batch its lists are of and whichever channel is ahead", () => {
    fc.assert(
      fc.property(batches, lag, jitters, (played, lagMs, jitterMs) => {
        const { check, book } = new Beside();
        for (const { at, changed, list } of streamOf(played, lagMs, jitterMs)) {
          if (changed !== null) {
            book.apply(batchOf(changed));
            expect(check.onBook(book, batchOf(changed), at)).not.toBe("disagrees");
          }
          if (list !== null) expect(check.onTopLevels(listed(list), book, at)).not.toBe("disagrees");
        }
        check.onBook(book, null, 1e9);
        expect(check.counts?.mismatches).toBe(0);
        expect(check.counts?.comparisons).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([1, 5, 20, 50, 100, 250, 500, 1_000, 3_000])(
    "finds one change lost at the fifth level within 4 lists and those of 6.5 s, one each %i ms, while the levels around it go on changing",
    (apart) => {
      const beside = new Beside();
      beside.lose({ bids: [[96, 33]], asks: NONE });
      const limit = 4 + Math.ceil(6_500 / apart);
      let found: number | null = null;
      for (let count = 1; count <= limit && found === null; count++) {
        const at = count * apart;
        const isFound = beside.change({ bids: [[100, 1 + (count % 3)]], asks: [[104, 1 + (count % 5)]] }, at) === "disagrees";
        if (beside.list(at) === "disagrees" || isFound) found = count;
      }
      expect(found).not.toBeNull();
    },
  );
});

interface Batch {
  readonly quietMs: number;
  readonly changes: readonly { afterMs: number; isBid: boolean; from: number; lots: number }[];
}

/** What comes of the batches on the two channels, in order of receipt: a batch's changes together as it ends, and a list for each. Each channel keeps its order. */
function streamOf(
  played: readonly Batch[],
  lagMs: number,
  jitterMs: readonly number[],
): { at: number; changed: Sides | null; list: Sides | null }[] {
  const venue = { bids: new Map(RIGHT.bids), asks: new Map(RIGHT.asks) };
  const received: { at: number; changed: Sides | null; list: Sides | null }[] = [];
  let moment = 1_000_000;
  let lastListAt = 0;
  let count = 0;
  for (const { quietMs, changes } of played) {
    moment += quietMs;
    const bids: Level[] = [];
    const asks: Level[] = [];
    for (const { afterMs, isBid, from, lots } of changes) {
      moment += afterMs;
      const ticks = isBid ? 100 - from : 101 + from;
      const side = isBid ? venue.bids : venue.asks;
      (isBid ? bids : asks).push([ticks, lots]);
      if (lots === 0) side.delete(ticks);
      else side.set(ticks, lots);
      lastListAt = Math.max(lastListAt, moment + lagMs + (jitterMs[count++ % jitterMs.length] ?? 0));
      received.push({ at: lastListAt, changed: null, list: best(sortedSides(venue)) });
    }
    received.push({ at: moment, changed: { bids, asks }, list: null });
  }
  return received.sort((one, other) => one.at - other.at);
}

function isEqual(one: Sides, other: Sides): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
