/** The micro-price: with a wrong sign or a lost term it would be a size-weighted mid under another name. */

import { describe, expect, it } from "vitest";
import { adjustmentsOf, fitMicroPrice, type MicroPriceRows, microPriceAdjustment } from "../../core/features/fitted/micro-price.ts";
import { solveLinear } from "../../core/math/linear-solve.ts";
import { Random } from "../../core/math/random.ts";

describe("known answers", () => {
  // Q, R1 K and R2 of two states: imbalance low and high.
  const shares = {
    states: 2,
    stay: Float64Array.of(0.6, 0.2, 0.2, 0.6),
    move: Float64Array.of(0.08, 0.12, 0.12, 0.08),
    meanMove: Float64Array.of(0.05 - 0.15, 0.15 - 0.05),
  };

  it("the partial sums of the second state are .166667, .155556, .156296, .156247 and go to .15625", () => {
    const sums = [1, 2, 3, 4].map((terms) => adjustmentsOf(shares, terms)?.[1]);
    expect(sums).toEqual([
      expect.closeTo(0.166667, 6),
      expect.closeTo(0.155556, 6),
      expect.closeTo(0.156296, 6),
      expect.closeTo(0.156247, 6),
    ]);
    expect(adjustmentsOf(shares, 40)?.[1]).toBeCloseTo(0.15625, 12);
    expect(adjustmentsOf(shares, 40)?.[0]).toBeCloseTo(-0.15625, 12);
  });

  it("a state that no move ever leaves has no future, and none is made up", () => {
    const stuck = { states: 1, stay: Float64Array.of(1), move: Float64Array.of(0), meanMove: Float64Array.of(0) };
    expect(adjustmentsOf(stuck, 6)).toBeNull();
  });

  it("elimination takes the largest pivot: with a zero in the first place it would divide by it", () => {
    expect([...(solveLinear(Float64Array.of(0, 2, 3, 1), Float64Array.of(4, 7), 2) ?? [])]).toEqual([expect.closeTo(5 / 3, 12), 2]);
    expect(solveLinear(Float64Array.of(1, 2, 2, 4), Float64Array.of(1, 2), 2)).toBeNull();
  });
});

describe("fitted to a market", () => {
  /** The mid goes up by half a tick with a chance that rises with the bids' share, and the share is drawn anew after each move. */
  function marketOf(seed: number, rows: number): MicroPriceRows & Record<"shares" | "midTicks", number[]> {
    const random = new Random(seed);
    const [shares, spreadTicks, midTicks]: number[][] = [[], [], []];
    let [share, mid] = [0.5, 1_000];
    for (let row = 0; row < rows; row++) {
      shares?.push(share);
      spreadTicks?.push(1);
      midTicks?.push(mid);
      const move = random.uniform() < 0.1 ? (random.uniform() < share ? 0.5 : -0.5) : 0;
      mid += move;
      share = move === 0 ? Math.min(1, Math.max(0, share + 0.1 * (random.uniform() - 0.5))) : random.uniform();
    }
    return { shares: shares ?? [], spreadTicks: spreadTicks ?? [], midTicks: midTicks ?? [], segments: new Uint8Array(rows) };
  }

  it("says where the mid goes on average, bucket by bucket, on rows it never saw", () => {
    const fitted = fitMicroPrice(marketOf(1, 200_000));
    if (fitted === null) throw new Error("nothing was fitted");
    const { shares, midTicks } = marketOf(2, 200_000);
    const sums = new Map<number, { said: number; came: number; rows: number }>();
    // Behind the next move all is drawn anew: nothing of now is left in what comes then, and that move is the whole forecast.
    for (let row = 0; row < 199_000; row += 7) {
      const share = shares[row] as number;
      const bucket = Math.floor(Math.min(0.999, share) * 5);
      const sum = sums.get(bucket) ?? { said: 0, came: 0, rows: 0 };
      sum.said += microPriceAdjustment(fitted, share, 1);
      sum.came += (midTicks.slice(row, row + 1_000).find((mid) => mid !== midTicks[row]) ?? Number.NaN) - (midTicks[row] as number);
      sum.rows++;
      sums.set(bucket, sum);
    }
    // Of some ±0.4; a bucket is coarser than the share that drifts within it.
    for (const [bucket, { said, came, rows }] of sums) expect(Math.abs(said / rows - came / rows), `bucket ${bucket}`).toBeLessThan(0.05);
    expect(microPriceAdjustment(fitted, 0.95, 1)).toBeGreaterThan(0.15);
  });

  it("favours no side: turned over it is of the other sign, and a balanced book of two buckets' edge lies between them", () => {
    const fitted = fitMicroPrice(marketOf(3, 20_000), { shareBuckets: 4, spreadBuckets: 2 });
    const [first, second, third, fourth] = fitted?.adjustments ?? [];
    expect(fourth).toBeCloseTo(-(first ?? 0), 12);
    expect(third).toBeCloseTo(-(second ?? 0), 12);
    expect(fourth ?? 0).toBeGreaterThan(third ?? 0);
    // A spread of two ticks was never seen: nothing is known of it, and nothing is added.
    expect(fitted?.adjustments.slice(4)).toEqual([0, 0, 0, 0]);
  });

  it("counts no step over a gap: the mid's jump there is nobody's forecast", () => {
    const rows = { shares: [0.9, 0.9, 0.9, 0.9], spreadTicks: [1, 1, 1, 1], midTicks: [100, 100.5, 200, 200.5], segments: [0, 0, 1, 1] };
    const fitted = fitMicroPrice(rows, { shareBuckets: 2, spreadBuckets: 1 });
    // Two steps of half a tick up from the high bucket, mirrored from the low one; each of them is the last.
    const joined = fitMicroPrice({ ...rows, segments: [0, 0, 0, 0] }, { shareBuckets: 2, spreadBuckets: 1 });
    expect(fitted?.adjustments[1]).toBeCloseTo(6 * 0.5, 12);
    expect(joined?.adjustments[1]).toBeGreaterThan(100);
  });

  it("has nothing to say of no rows", () => {
    expect(fitMicroPrice({ shares: [], spreadTicks: [], midTicks: [], segments: [] })).toBeNull();
  });
});
