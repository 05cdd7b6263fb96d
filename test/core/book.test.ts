/** The book against the plainest one there is: a Map of price to size for each side, sorted when it is asked. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrderBook } from "../../core/book/order-book.ts";
import type { LevelBatch } from "../../core/market/event.ts";
import type { Side } from "../../core/units/side.ts";

type Level = readonly [ticks: number, lots: number];

function batchOf(bids: readonly Level[], asks: readonly Level[]): LevelBatch {
  const levels = [...bids, ...asks];
  return {
    bidCount: bids.length,
    askCount: asks.length,
    priceTicks: Float64Array.from(levels, ([ticks]) => ticks),
    sizeLots: Float64Array.from(levels, ([, lots]) => lots),
  };
}

function bookOf(bids: readonly Level[], asks: readonly Level[]): OrderBook {
  const book = new OrderBook();
  book.apply(batchOf(bids, asks));
  return book;
}

/** The naive book. */
class MapBook {
  private readonly sides = { bid: new Map<number, number>(), ask: new Map<number, number>() };

  set(side: Side, ticks: number, lots: number): void {
    if (lots === 0) this.sides[side].delete(ticks);
    else this.sides[side].set(ticks, lots);
  }

  clear(): void {
    this.sides.bid.clear();
    this.sides.ask.clear();
  }

  /** Best first. */
  levels(side: Side): Level[] {
    const sorted = [...this.sides[side]].toSorted(([left], [right]) => left - right);
    return side === "bid" ? sorted.toReversed() : sorted;
  }
}

function levelsOf(book: OrderBook, side: Side): Level[] {
  const ladder = book.side(side);
  return Array.from({ length: ladder.levelCount }, (_, depth) => [ladder.ticksAt(depth), ladder.lotsAt(depth)] as const);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** A message: changes to each side, or a snapshot that replaces all. Prices lie close, so that levels are hit again and removed. */
function message(prices: number) {
  const levels = (from: number) =>
    fc.array(fc.tuple(fc.integer({ min: from, max: from + prices }), fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 40 }))), {
      maxLength: 60,
    });
  return fc.record({
    isSnapshot: fc.integer({ min: 0, max: 9 }).map((roll) => roll === 0),
    bids: levels(1_000),
    asks: levels(1_000 + prices / 2),
  });
}

function expectEqual(book: OrderBook, naive: MapBook): void {
  for (const side of ["bid", "ask"] as const) {
    const expected = naive.levels(side);
    const ladder = book.side(side);
    expect(levelsOf(book, side)).toEqual(expected);
    expect(ladder.levelCount).toBe(expected.length);
    expect(ladder.bestTicks).toBe(expected[0]?.[0] ?? null);
    expect(ladder.bestLots).toBe(expected[0]?.[1] ?? null);
  }
}

describe("any sequence of snapshots and changes", () => {
  it.each([40, 600, 6_000, 100_000, 10_000_000])("over %i prices leaves the levels that a Map would hold", (prices) => {
    fc.assert(
      fc.property(fc.array(message(prices), { minLength: 1, maxLength: 40 }), (messages) => {
        const book = new OrderBook();
        const naive = new MapBook();
        for (const { isSnapshot, bids, asks } of messages) {
          if (isSnapshot) naive.clear();
          for (const [ticks, lots] of bids) naive.set("bid", ticks, lots);
          for (const [ticks, lots] of asks) naive.set("ask", ticks, lots);
          if (isSnapshot) book.replace(batchOf(bids, asks), []);
          else book.apply(batchOf(bids, asks));
          expectEqual(book, naive);
        }
      }),
      { numRuns: 100 },
    );
  });

  it.each([600, 20_000])("answers depth, walks and top levels over %i prices as a scan of all levels does", (prices) => {
    const question = fc.record({
      levels: fc.integer({ min: 1, max: 250 }),
      offset: fc.integer({ min: -50, max: prices + 50 }),
      lots: fc.nat(2_000),
    });
    const levels = fc.array(fc.tuple(fc.integer({ min: 1, max: prices }), fc.integer({ min: 1, max: 100 })), { maxLength: 200 });
    fc.assert(
      fc.property(levels, levels, question, (bids, asks, { levels: count, offset, lots }) => {
        const book = bookOf(bids, asks);
        for (const side of ["bid", "ask"] as const) {
          const all = levelsOf(book, side);
          const isWithin = ([ticks]: Level) => (side === "bid" ? ticks >= offset : ticks <= offset);
          expect(book.side(side).depthLots(count)).toBe(sum(all.slice(0, count).map(([, size]) => size)));
          expect(book.side(side).depthToLots(offset)).toBe(sum(all.filter(isWithin).map(([, size]) => size)));
          expect(book.side(side).lotsAtPrice(offset)).toBe(all.find(([ticks]) => ticks === offset)?.[1] ?? 0);
          expect(book.walk(side, lots)).toEqual(naiveWalk(all, lots));
          const ticks = new Float64Array(count);
          const sizes = new Float64Array(count);
          const copied = book.copyTop(side, ticks, sizes);
          expect(Array.from({ length: copied }, (_, at) => [ticks[at], sizes[at]])).toEqual(all.slice(0, count));
        }
      }),
    );
  });

  it("gives the levels in any order of asking", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 300 }),
        fc.array(fc.nat(299)),
        (prices, asked) => {
          const book = bookOf(
            prices.map((ticks) => [ticks, ticks * 2] as const),
            [],
          );
          const sorted = prices.toSorted((left, right) => right - left);
          for (const depth of asked.filter((at) => at < sorted.length)) {
            expect(book.bids.ticksAt(depth)).toBe(sorted[depth]);
            expect(book.bids.lotsAt(depth)).toBe((sorted[depth] ?? 0) * 2);
          }
          expect(() => book.bids.ticksAt(sorted.length)).toThrow(RangeError);
        },
      ),
    );
  });
});

/** Takes lot by lot. */
function naiveWalk(levels: readonly Level[], lots: number): unknown {
  if (levels.length === 0 || lots === 0) return null;
  const taken = levels.flatMap(([ticks, size]) => Array.from({ length: size }, () => ticks)).slice(0, lots);
  return { filledLots: taken.length, averageTicks: sum(taken) / taken.length, worstTicks: taken.at(-1) };
}

describe("the content hash", () => {
  const levels = fc.uniqueArray(fc.tuple(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 1, max: 2 ** 45 })), {
    selector: ([ticks]) => ticks,
    minLength: 1,
    maxLength: 100,
  });

  it("is that of the levels, whatever path led there", () => {
    fc.assert(
      fc.property(levels, levels, fc.integer({ min: 1, max: 1_000 }), (bids, asks, detour) => {
        const direct = bookOf(bids, asks);
        const roundabout = bookOf(
          bids.toReversed().map(([ticks, lots]) => [ticks, lots + 1] as const),
          [],
        );
        const isNew = !bids.some(([ticks]) => ticks === detour);
        if (isNew) roundabout.bids.set(detour, 7);
        roundabout.apply(batchOf(bids, asks));
        if (isNew) roundabout.bids.set(detour, 0);
        expect(roundabout.contentHash()).toBe(direct.contentHash());
        expect(direct.contentHash()).toMatch(/^[0-9a-f]{16}$/);
      }),
    );
  });

  it("differs when any one level differs: in price, in size, in side, or in being there", () => {
    fc.assert(
      fc.property(levels, levels, fc.nat(99), (bids, asks, place) => {
        const at = place % bids.length;
        const [ticks = 0, lots = 0] = bids[at] ?? [];
        const hash = bookOf(bids, asks).contentHash();
        const others = bids.filter((_, index) => index !== at);
        expect(bookOf(others, asks).contentHash()).not.toBe(hash);
        expect(bookOf([...others, [ticks, lots + 1]], asks).contentHash()).not.toBe(hash);
        expect(bookOf([...others, [ticks, lots + 2 ** 32]], asks).contentHash()).not.toBe(hash);
        expect(bookOf([...others, [ticks + 1_000, lots]], asks).contentHash()).not.toBe(hash);
        expect(bookOf([...bids, [2_000, 1]], asks).contentHash()).not.toBe(bookOf(bids, [...asks, [2_000, 1]]).contentHash());
      }),
    );
  });
});

describe("states are named, and absence is null", () => {
  it.each([
    ["empty", [], []],
    ["one-sided", [[10, 1]], []],
    ["one-sided", [], [[10, 1]]],
    ["normal", [[10, 1]], [[11, 1]]],
    ["locked", [[11, 1]], [[11, 1]]],
    ["crossed", [[12, 1]], [[11, 1]]],
  ] as const)("%s", (state, bids, asks) => {
    const book = bookOf(bids, asks);
    expect(book.state).toBe(state);
    const hasBoth = bids.length > 0 && asks.length > 0;
    for (const value of [book.midTicks, book.spreadTicks, book.weightedMidTicks, book.imbalance(5), book.depthWithinLots("bid", 5)]) {
      if (hasBoth) expect(value).not.toBeNull();
      else expect(value).toBeNull();
    }
    if (bids.length === 0) expect(book.walk("bid", 1)).toBeNull();
  });

  it("a crossed book has a negative spread, a locked one none", () => {
    expect(bookOf([[12, 1]], [[11, 1]]).spreadTicks).toBe(-1);
    expect(bookOf([[11, 1]], [[11, 1]]).spreadTicks).toBe(0);
  });

  it("weighs the mid by the opposite sizes: a heavy bid pushes it to the ask", () => {
    expect(bookOf([[10, 3]], [[20, 1]]).weightedMidTicks).toBe(17.5);
    expect(bookOf([[10, 3]], [[20, 1]]).imbalance(1)).toBe(0.5);
  });

  it("counts the depth within basis points of the mid, ends included", () => {
    const book = bookOf(
      [
        [99_990, 1],
        [99_950, 2],
        [99_949, 4],
      ],
      [
        [100_010, 8],
        [100_050, 16],
        [100_051, 32],
      ],
    );
    expect(book.midTicks).toBe(100_000);
    expect(book.depthWithinLots("bid", 5)).toBe(3);
    expect(book.depthWithinLots("ask", 5)).toBe(24);
  });
});

describe("a price that runs away", () => {
  it.each([
    ["falls", -1],
    ["rises", 1],
  ] as const)("and %s leaves a sorted book behind, on both sides", (_, direction) => {
    const book = new OrderBook();
    const naive = new MapBook();
    const width = 300;
    for (let step = 0; step < 2_000; step++) {
      const front = 10_000 + direction * step;
      for (const side of ["bid", "ask"] as const) {
        book.side(side).set(front, step + 1);
        naive.set(side, front, step + 1);
        book.side(side).set(front - direction * width, 0);
        naive.set(side, front - direction * width, 0);
      }
      if (step % 100 === 99) expectEqual(book, naive);
    }
  });

  it("or comes back lower than all that was held", () => {
    const book = new OrderBook();
    const naive = new MapBook();
    const set = (ticks: number, lots: number) => {
      for (const side of ["bid", "ask"] as const) {
        book.side(side).set(ticks, lots);
        naive.set(side, ticks, lots);
      }
    };
    for (let ticks = 1_000; ticks < 1_300; ticks++) set(ticks, 1);
    for (let ticks = 1_000; ticks < 1_250; ticks++) set(ticks, 0);
    for (let ticks = 900; ticks > 600; ticks--) set(ticks, 2);
    for (let ticks = 601; ticks <= 900; ticks++) set(ticks, 5);
    for (let ticks = 1_600; ticks > 1_200; ticks -= 2) set(ticks, 3);
    expectEqual(book, naive);
    book.clear();
    naive.clear();
    for (let ticks = 500; ticks > 100; ticks -= 3) set(ticks, 4);
    expectEqual(book, naive);
  });
});

describe("a best that jumps away and comes back", () => {
  const near = [
    100_000, 99_999, 99_968, 99_744, 97_000, 96_161, 96_160, 96_159, 95_905, 95_904, 95_903, 93_184, 93_183, 93_152, 93_151, 92_000, 1,
  ];

  it.each([1, 31, 32, 224, 255, 256, 257, 767, 768, 769, 3_840, 4_095, 4_096, 4_097, 90_000, 2 ** 52])(
    "by %i ticks loses no level behind it and leaves none",
    (jump) => {
      const book = new OrderBook();
      const naive = new MapBook();
      const set = (ticks: number, lots: number) => {
        for (const side of ["bid", "ask"] as const) {
          const mirrored = side === "bid" ? ticks : 2 ** 52 + 200_001 - ticks;
          book.side(side).set(mirrored, lots);
          naive.set(side, mirrored, lots);
        }
        expectEqual(book, naive);
      };
      for (const ticks of near) set(ticks, 3);
      for (let turn = 0; turn < 3; turn++) {
        set(100_000 + jump, 5);
        set(99_968, turn);
        set(100_000 + jump, 0);
      }
      for (const ticks of near) {
        set(ticks, 0);
        // Where a window moved down to 97,000 begins.
        set(93_152, ticks);
      }
      for (const ticks of near.toReversed()) set(ticks, 7);
    },
  );

  it("keeps the end of what is known", () => {
    const book = new OrderBook();
    book.replace(
      batchOf(
        near.map((ticks) => [ticks, 1] as const),
        [],
      ),
      [near.length],
    );
    expect(book.bids.completeToTicks).toBe(1);
    book.bids.set(300_000, 1);
    for (const ticks of near.slice(0, -1)) book.bids.set(ticks, 0);
    book.bids.set(300_000, 0);
    expect(book.bids.bestTicks).toBe(1);
    expect(book.bids.isWindowExhausted).toBe(false);
    expect(book.bids.completeToTicks).toBe(1);
  });

  it("is copied whole, with the end of what is known", () => {
    const book = new OrderBook();
    book.replace(batchOf([...near.map((ticks) => [ticks, ticks] as const), [250_000, 9]], []), [near.length + 1]);
    const copy = bookOf([[400_000, 1]], [[500_000, 1]]);
    copy.copyFrom(book);
    expect(levelsOf(copy, "bid")).toEqual([[250_000, 9], ...near.map((ticks) => [ticks, ticks])]);
    expect(copy.contentHash()).toBe(book.contentHash());
    expect(copy.bids.completeToTicks).toBe(1);
  });
});

describe("both sides are one ladder", () => {
  it("mirrored updates give mirrored levels", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 300 }), fc.nat(3)), { maxLength: 300 }), (updates) => {
        const book = new OrderBook();
        for (const [ticks, lots] of updates) {
          book.bids.set(ticks, lots);
          book.asks.set(1_000 - ticks, lots);
        }
        expect(levelsOf(book, "ask").map(([ticks, lots]) => [1_000 - ticks, lots])).toEqual(levelsOf(book, "bid"));
      }),
    );
  });
});

describe("what the snapshot did not cover", () => {
  const bids: Level[] = [
    [100, 1],
    [99, 1],
    [98, 1],
  ];
  const asks: Level[] = [
    [101, 1],
    [102, 1],
  ];

  it("is known to be unknown only on a side that was cut", () => {
    const book = new OrderBook();
    book.replace(batchOf(bids, asks), [3, 1_000]);
    expect(book.bids.completeToTicks).toBe(98);
    expect(book.asks.completeToTicks).toBeNull();
    expect(book.bids.isWindowExhausted).toBe(false);
  });

  it("shows when the best price has left the window, and when the side is empty", () => {
    const book = new OrderBook();
    book.replace(batchOf(bids, asks), [3]);
    book.apply(
      batchOf(
        [
          [100, 0],
          [99, 0],
          [97, 5],
        ],
        [],
      ),
    );
    expect(book.bids.isWindowExhausted).toBe(false);
    book.apply(batchOf([[98, 0]], []));
    expect(book.bids.bestTicks).toBe(97);
    expect(book.bids.isWindowExhausted).toBe(true);
    book.apply(batchOf([[97, 0]], []));
    expect(book.bids.isWindowExhausted).toBe(true);
    book.replace(batchOf(bids, asks), []);
    expect(book.bids.isWindowExhausted).toBe(false);
    expect(book.bids.completeToTicks).toBeNull();
  });
});

describe("a venue that adds levels without end", () => {
  it("costs a bounded memory: the worst are let go, and the ladder says from where on", () => {
    const book = new OrderBook();
    const added = 400_000;
    for (let ticks = 1; ticks <= added; ticks++) book.bids.set(ticks, ticks);
    expect(book.bids.levelCount).toBeLessThanOrEqual(131_072);
    expect(book.bids.levelCount).toBeGreaterThan(32_000);
    expect(book.bids.bestTicks).toBe(added);
    const worst = book.bids.ticksAt(book.bids.levelCount - 1);
    expect(book.bids.completeToTicks).toBe(worst);
    expect(levelsOf(book, "bid")).toEqual(Array.from({ length: book.bids.levelCount }, (_, depth) => [added - depth, added - depth]));
    book.clear();
    expect(book.bids.completeToTicks).toBeNull();
  });

  it("worst first or best first, in both directions", () => {
    const book = new OrderBook();
    for (let ticks = 200_000; ticks >= 1; ticks--) book.bids.set(ticks, 1);
    expect(book.bids.bestTicks).toBe(200_000);
    expect(book.bids.levelCount).toBeLessThanOrEqual(131_072);
    const best = Array.from({ length: 5_000 }, (_, depth) => book.bids.ticksAt(depth));
    expect(best).toEqual(Array.from({ length: 5_000 }, (_, depth) => 200_000 - depth));
  });
});
