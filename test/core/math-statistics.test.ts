import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { logReturnBps, moveBps } from "../../core/math/bps.ts";
import { CompensatedSum } from "../../core/math/compensated-sum.ts";
import { quantile, quantileOfSorted } from "../../core/math/quantile.ts";
import { RingBuffer } from "../../core/math/ring-buffer.ts";
import { RunningMoments } from "../../core/math/running-moments.ts";
import { signedLog } from "../../core/math/signed-log.ts";
import { studentTwoSidedP } from "../../core/math/student-t.ts";

const numbers = (minLength: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength, maxLength: 200 });

describe("ring buffer", () => {
  it("holds what an array's tail holds, however often it wraps", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 60 }),
        (capacity, pushes) => {
          const ring = new RingBuffer(capacity);
          pushes.forEach((value, index) => {
            ring.push(value);
            const tail = pushes.slice(Math.max(0, index + 1 - capacity), index + 1);
            expect(ring.count).toBe(tail.length);
            for (let steps = 0; steps < capacity + 2; steps++) expect(ring.ago(steps)).toBe(tail.at(-1 - steps) ?? tail[0]);
            for (let length = 0; length < capacity + 2; length++) {
              expect(ring.sumOfLast(length)).toBe(tail.slice(Math.max(0, tail.length - length)).reduce((sum, held) => sum + held, 0));
            }
          });
          ring.clear();
          expect(ring.count).toBe(0);
          expect(ring.sumOfLast(capacity)).toBe(0);
        },
      ),
    );
  });

  it("the same window gives the same bits after any past: a carried sum would not", () => {
    const seen = (past: number[]): number => {
      const ring = new RingBuffer(3);
      for (const value of [...past, 0.1, 0.2, 0.3]) ring.push(value);
      return ring.sumOfLast(3);
    };
    expect(seen([1e17, -3.3, 1e9])).toBe(seen([]));
  });

  it("refuses what would be read as a number where there is none", () => {
    expect(() => new RingBuffer(0)).toThrow(RangeError);
    expect(() => new RingBuffer(3).ago(0)).toThrow(RangeError);
  });
});

describe("sums and moments", () => {
  it("a compensated sum keeps what a plain one loses", () => {
    const sum = new CompensatedSum();
    for (const value of [1, 1e100, 1, -1e100]) sum.add(value);
    expect(sum.value).toBe(2);
    sum.clear();
    for (let at = 0; at < 1_000_000; at++) sum.add(0.1);
    expect(sum.value).toBe(100_000);
  });

  it("moments in one pass are those in two, and joining two runs is running both", () => {
    fc.assert(
      fc.property(numbers(1), numbers(0), (first, second) => {
        const all = [...first, ...second];
        const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
        const variance = all.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / all.length;
        const whole = new RunningMoments();
        for (const value of all) whole.add(value);
        const left = new RunningMoments();
        const right = new RunningMoments();
        for (const value of first) left.add(value);
        for (const value of second) right.add(value);
        left.merge(right);
        for (const moments of [whole, left]) {
          expect(moments.count).toBe(all.length);
          expect(Math.abs((moments.mean ?? Number.NaN) - mean)).toBeLessThan(1e-8);
          expect(Math.abs((moments.variance ?? Number.NaN) - variance)).toBeLessThanOrEqual(1e-9 * (1 + mean * mean + variance));
        }
      }),
    );
  });

  it("a small spread far from zero keeps its variance, where the difference of squares has none left", () => {
    const moments = new RunningMoments();
    for (let at = 0; at < 1000; at++) moments.add(1e9 + (at % 2));
    expect(moments.variance).toBeCloseTo(0.25, 9);
    expect(moments.standardDeviation).toBeCloseTo(0.5, 9);
  });

  it("there is no mean of nothing", () => {
    const moments = new RunningMoments();
    expect([moments.mean, moments.variance, moments.standardDeviation]).toEqual([null, null, null]);
    moments.add(3);
    moments.clear();
    expect(moments.mean).toBeNull();
  });
});

describe("quantile", () => {
  it("interpolates as R's type 7 does", () => {
    expect(quantile([4, 1, 3, 2], 0.25)).toBe(1.75);
    expect(quantile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(quantile([10, 20, 30], 0.9)).toBeCloseTo(28, 12);
  });

  it("ends at the extremes, never falls, and leaves the sample as it was", () => {
    fc.assert(
      fc.property(numbers(1), fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }), (values, a, b) => {
        const before = [...values];
        expect(quantile(values, 0) === Math.min(...values)).toBe(true);
        expect(quantile(values, 1) === Math.max(...values)).toBe(true);
        expect(quantile(values, Math.min(a, b)) ?? 1).toBeLessThanOrEqual(quantile(values, Math.max(a, b)) ?? 0);
        expect(values).toEqual(before);
      }),
    );
  });

  it("is absent for no sample, and a share beyond 0 to 1 is a bug", () => {
    expect(quantile([], 0.5)).toBeNull();
    expect(quantileOfSorted([1], 1)).toBe(1);
    for (const share of [-0.1, 1.1, Number.NaN]) expect(() => quantile([1], share)).toThrow(RangeError);
  });
});

describe("moves and logs", () => {
  it("a log return of one tick keeps its digits, and adds up over steps", () => {
    expect(logReturnBps(1e12, 1e12 + 1) / (1e4 * (1e-12 - 0.5e-24))).toBeCloseTo(1, 14);
    expect(logReturnBps(100, 150) + logReturnBps(150, 80)).toBeCloseTo(logReturnBps(100, 80), 9);
    expect(moveBps(200, 201)).toBe(50);
  });

  it("signedLog is odd, rising, steep at zero and slow in the tails", () => {
    expect(signedLog(0)).toBe(0);
    expect(signedLog(1)).toBeCloseTo(Math.log(11), 15);
    expect(signedLog(1e-9) / 1e-9).toBeCloseTo(10, 6);
    fc.assert(
      fc.property(fc.double({ min: -1e9, max: 1e9, noNaN: true }), (x) => {
        expect(signedLog(-x)).toBe(-signedLog(x));
        expect(Math.sign(signedLog(x))).toBe(Math.sign(x));
      }),
    );
  });
});

describe("Student's t", () => {
  it("known answers: Cauchy at one degree, the printed 5 % points, the normal at many", () => {
    expect(studentTwoSidedP(1, 1)).toBeCloseTo(0.5, 12);
    expect(studentTwoSidedP(2, 2)).toBeCloseTo(1 - 2 / Math.sqrt(6), 12);
    expect(studentTwoSidedP(2.262157, 9)).toBeCloseTo(0.05, 7);
    expect(studentTwoSidedP(-2.262157, 9)).toBeCloseTo(0.05, 7);
    expect(studentTwoSidedP(2.04227, 30)).toBeCloseTo(0.05, 6);
    expect(studentTwoSidedP(1.959964, 1e7)).toBeCloseTo(0.05, 6);
    expect(studentTwoSidedP(0, 5)).toBe(1);
  });

  it("equals its density integrated step by step", () => {
    for (const degrees of [3, 7.5, 40]) {
      const shape = (t: number): number => Math.exp((-(degrees + 1) / 2) * Math.log1p((t * t) / degrees));
      const area = (from: number, to: number): number => {
        const steps = 20_000;
        const width = (to - from) / steps;
        let sum = 0;
        for (let step = 0; step < steps; step++) sum += shape(from + (step + 0.5) * width);
        return sum * width;
      };
      for (const t of [0.3, 1.2, 2.9]) {
        // The tail beyond is taken by s = 1/t, so that the integral ends.
        const tail = (from: number): number => {
          const steps = 20_000;
          const width = 1 / from / steps;
          let sum = 0;
          for (let step = 0; step < steps; step++) {
            const inverse = (step + 0.5) * width;
            sum += shape(1 / inverse) / (inverse * inverse);
          }
          return sum * width;
        };
        const beyond = tail(t);
        expect(studentTwoSidedP(t, degrees)).toBeCloseTo(beyond / (beyond + area(0, t)), 6);
      }
    }
  });

  it("refuses no degrees of freedom", () => {
    expect(() => studentTwoSidedP(1, 0)).toThrow(RangeError);
  });
});
