/** BUY, SELL, WAIT by hand: a signal upside down buys what falls, and a level counted twice leans where the book doesn't. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANGE_DIRECTIONS, DIRECTIONS } from "../../core/labels/classes.ts";
import { CLASSIC_LEVELS, classicNeuralSignal, classicSimpleSignal, classicVolumes } from "../../core/signals/classic.ts";
import { neuralSignal } from "../../core/signals/neural.ts";
import { signalOf } from "../../core/signals/signal.ts";
import { simpleSignal } from "../../core/signals/simple.ts";

/** (30 - 10) / (30 + 10) on two levels; (36 - 74) / 110 on three. */
const BOOK = { bids: [10, 20, 6], asks: [4, 6, 64] };

describe("the simple signal", () => {
  it("is BUY where bids are heavier, SELL where asks are, and WAIT within the threshold", () => {
    expect(simpleSignal(BOOK, { levels: 2, threshold: 0.4 })).toEqual({ pressure: 0.5, signal: "BUY" });
    expect(simpleSignal({ bids: BOOK.asks, asks: BOOK.bids }, { levels: 2, threshold: 0.4 })).toEqual({ pressure: -0.5, signal: "SELL" });
    expect(simpleSignal(BOOK, { levels: 3, threshold: 0.4 })).toEqual({ pressure: -38 / 110, signal: "WAIT" });
    expect(simpleSignal(BOOK, { levels: 3, threshold: 0.3 })?.signal).toBe("SELL");
  });

  it("must be beyond its threshold: a book in balance waits at 0, and every book at 1", () => {
    expect(simpleSignal({ bids: [7], asks: [7] }, { levels: 1, threshold: 0 })).toEqual({ pressure: 0, signal: "WAIT" });
    expect(simpleSignal(BOOK, { levels: 2, threshold: 0.5 })?.signal).toBe("WAIT");
    expect(simpleSignal({ bids: [1e9], asks: [1] }, { levels: 1, threshold: 1 })?.signal).toBe("WAIT");
  });

  it("counts each level once, and levels beyond those asked for not at all", () => {
    // One level: 10 against 4. Were the best ask in both sums, (14 - 4) / 18.
    expect(simpleSignal(BOOK, { levels: 1, threshold: 0 })?.pressure).toBe(6 / 14);
    expect(simpleSignal({ bids: [10, 1e9], asks: [4, 5] }, { levels: 1, threshold: 0 })?.pressure).toBe(6 / 14);
  });

  it("of a side that is shorter counts what is there, and of an empty one says nothing", () => {
    expect(simpleSignal({ bids: [5], asks: [1, 1, 1] }, { levels: 10, threshold: 0 })?.pressure).toBe(2 / 8);
    expect(simpleSignal({ bids: [], asks: [1] }, { levels: 10, threshold: 0 })).toBeNull();
    expect(simpleSignal({ bids: [1], asks: [] }, { levels: 10, threshold: 0 })).toBeNull();
  });

  it("mirrored books give mirrored signals, in any unit of size, and a higher threshold never a signal more", () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 1, maxLength: 12 });
    const thresholds = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }));
    fc.assert(
      fc.property(sizes, sizes, thresholds, (bids, asks, [one, other]) => {
        const said = simpleSignal({ bids, asks }, { levels: 10, threshold: one });
        const mirrored = simpleSignal({ bids: asks, asks: bids }, { levels: 10, threshold: one });
        expect(mirrored?.signal).toBe({ BUY: "SELL", SELL: "BUY", WAIT: "WAIT" }[said?.signal ?? "WAIT"]);
        const doubled = simpleSignal(
          { bids: bids.map((lots) => lots * 2), asks: asks.map((lots) => lots * 2) },
          { levels: 10, threshold: one },
        );
        expect(doubled).toEqual(said);
        const isMore = (threshold: number): boolean => simpleSignal({ bids, asks }, { levels: 10, threshold })?.signal !== "WAIT";
        if (isMore(Math.max(one, other))) expect(isMore(Math.min(one, other))).toBe(true);
      }),
    );
  });
});

describe("the neural signal", () => {
  it("is BUY where up leads down by more than the threshold, of two classes and of three", () => {
    expect(neuralSignal({ labels: CHANGE_DIRECTIONS, probabilities: [0.25, 0.75] }, 0.4)).toEqual({ pressure: 0.5, signal: "BUY" });
    expect(neuralSignal({ labels: CHANGE_DIRECTIONS, probabilities: [0.75, 0.25] }, 0.4)).toEqual({ pressure: -0.5, signal: "SELL" });
    expect(neuralSignal({ labels: DIRECTIONS, probabilities: [0.125, 0.25, 0.625] }, 0.5)).toEqual({ pressure: 0.5, signal: "WAIT" });
    expect(neuralSignal({ labels: ["up", "flat", "down"], probabilities: [0.125, 0.25, 0.625] }, 0.4)).toEqual({
      pressure: -0.5,
      signal: "SELL",
    });
  });

  it("is refused, never guessed, where the labels have no up or down, or what stands there is no probability", () => {
    expect(() => neuralSignal({ labels: ["flat", "moved"], probabilities: [0.5, 0.5] }, 0.1)).toThrow(/probability of up/);
    expect(() => neuralSignal({ labels: CHANGE_DIRECTIONS, probabilities: [0.5] }, 0.1)).toThrow(/probability of up/);
    expect(() => neuralSignal({ labels: CHANGE_DIRECTIONS, probabilities: [Number.NaN, 1] }, 0.1)).toThrow(/probability of down/);
  });
});

describe("the classic definition", () => {
  // Best first: bids 1 each but the worst, which is 3; asks 1 each but the best, which is 8.
  const bids = Array.from({ length: CLASSIC_LEVELS }, (_, level) => (level === CLASSIC_LEVELS - 1 ? 3 : 1));
  const asks = Array.from({ length: CLASSIC_LEVELS }, (_, level) => (level === 0 ? 8 : 1));

  it("orders a book as 50 bids from the worst on, then 50 asks from the best on", () => {
    const volumes = classicVolumes({ bids, asks });
    expect([volumes?.length, volumes?.[0], volumes?.[1], volumes?.[49], volumes?.[50], volumes?.[51]]).toEqual([100, 3, 1, 1, 8, 1]);
    expect(classicVolumes({ bids: bids.slice(1), asks })).toBeNull();
  });

  it("counts the best ask on both sides, and sells what leans to the asks", () => {
    // Bids 52, asks 57; the original: first 52 + 8 = 60, second 57: it leans to the bids, where the book leans to the asks.
    const volumes = classicVolumes({ bids, asks }) ?? [];
    expect(classicSimpleSignal(volumes, 0.02)).toEqual({ indicator: -3 / 117, signal: "BUY" });
    expect(simpleSignal({ bids, asks }, { levels: CLASSIC_LEVELS, threshold: 0.02 })).toEqual({ pressure: -5 / 109, signal: "SELL" });
    expect(classicSimpleSignal(volumes, 0.03)?.signal).toBe("WAIT");
    // All the weight on the second ask: SELL, by both.
    expect(classicSimpleSignal(volumes.with(51, 900), 0.5)?.signal).toBe("SELL");
    expect(
      classicSimpleSignal(
        volumes.map(() => 0),
        0,
      ),
    ).toBeNull();
  });

  it("takes the network's word upside down", () => {
    expect(classicNeuralSignal([0.2, 0.8], 0.5)).toMatchObject({ signal: "SELL" });
    expect(classicNeuralSignal([0.8, 0.2], 0.5)).toMatchObject({ signal: "BUY" });
    expect(neuralSignal({ labels: CHANGE_DIRECTIONS, probabilities: [0.2, 0.8] }, 0.5).signal).toBe("BUY");
    expect(classicNeuralSignal([0.25, 0.75], 0.5)).toEqual({ indicator: 0.5, signal: "WAIT" });
  });

  it("takes a float32's rounding above 1 for 1: a network that is sure is answered, not failed on", () => {
    expect(classicNeuralSignal([0, 1.0005], 1)).toEqual({ indicator: 1, signal: "WAIT" });
    expect(classicNeuralSignal([1.0005, 0], 0.9)).toEqual({ indicator: -1, signal: "BUY" });
  });
});

describe("a threshold", () => {
  it("outside 0 to 1 is a mistake of the caller's, as is a pressure that is no number", () => {
    for (const threshold of [-0.1, 1.1, Number.NaN]) expect(() => signalOf(0.5, threshold)).toThrow(RangeError);
    for (const pressure of [Number.NaN, 1.5, -2]) expect(() => signalOf(pressure, 0.5)).toThrow(RangeError);
  });
});
