/** An interval that holds less than it promises, or a probability that nothing counted, is worse than none. */

import "../property-seed.ts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applyBins, type BinnedCalibration, fitBins } from "../../core/calibration/by-bins.ts";

/** 200 rows: forecasts -1 (100 of them) and 1; what came less the forecast goes from -49.5 to 49.5 in steps of 1, in no order. */
const forecasts = Array.from({ length: 200 }, (_, row) => (row % 2 === 0 ? -1 : 1));
const outcomes = forecasts.map((forecast, row) => forecast + ((Math.floor(row / 2) * 37) % 100) - 49.5);

describe("a fit by bins", () => {
  it("keeps of each bin the conformal quantiles and the shares, worked by hand", () => {
    // 100 rows a bin, 90 %: (101 * 0.1) / 2 = 5.05, so the 5th from either end of -49.5 ... 49.5: -45.5 and 45.5.
    // Outcomes of the first bin: -50.5 ... 48.5. Flat within 10: -9.5 ... 9.5, 20 rows; below 41, above 39. By Laplace (n + 1) / 103.
    const fitted = fitBins(forecasts, outcomes, { coverage: 0.9, thresholdBps: 10 });
    expect(fitted).toEqual({
      thresholdBps: 10,
      bins: [
        { upToBps: -1, lowBps: -45.5, highBps: 45.5, down: 42 / 103, flat: 21 / 103, up: 40 / 103, rows: 100 },
        { upToBps: null, lowBps: -45.5, highBps: 45.5, down: 40 / 103, flat: 21 / 103, up: 42 / 103, rows: 100 },
      ],
    });
  });

  it("never parts equal forecasts: a model that always says 0 has one bin, not ten of chance", () => {
    const silent = fitBins(
      outcomes.map(() => 0),
      outcomes,
      { coverage: 0.9, thresholdBps: 10 },
    );
    expect(silent?.bins.map(({ upToBps, rows }) => [upToBps, rows])).toEqual([[null, 200]]);
  });

  it("of 99 rows is none: 5 % of them at either end are five", () => {
    expect(fitBins(forecasts.slice(0, 99), outcomes.slice(0, 99), { coverage: 0.9, thresholdBps: 1 })).toBeNull();
    expect(fitBins(forecasts.slice(0, 100), outcomes.slice(0, 100), { coverage: 0.9, thresholdBps: 1 })?.bins).toHaveLength(1);
  });

  it("refuses rows that don't belong together, and numbers that are none", () => {
    const settings = { coverage: 0.9, thresholdBps: 1 };
    expect(() => fitBins([1, 2], [1], settings)).toThrow("2 forecasts beside 1 outcomes");
    expect(() => fitBins([1, Number.NaN], [1, 2], settings)).toThrow("row 1: 2 came where NaN was forecast");
    for (const coverage of [0, 1, Number.NaN]) expect(() => fitBins([], [], { coverage, thresholdBps: 1 })).toThrow("coverage");
    expect(() => fitBins([], [], { coverage: 0.9, thresholdBps: -1 })).toThrow("threshold");
    expect(() => fitBins([], [], { ...settings, bins: 0 })).toThrow("0 bins");
  });

  it("covers the rows it was fitted to at least as often as it promises, each row in one bin, whatever the rows", () => {
    const row = fc.tuple(fc.integer({ min: -40, max: 40 }), fc.double({ min: -100, max: 100, noNaN: true }));
    fc.assert(
      fc.property(fc.array(row, { minLength: 100, maxLength: 900 }), fc.constantFrom(0.5, 0.8, 0.9, 0.95), (rows, coverage) => {
        const said = rows.map(([forecast]) => forecast / 8);
        const came = rows.map(([, outcome]) => outcome);
        const fitted = fitBins(said, came, { coverage, thresholdBps: 5 }) as BinnedCalibration;
        expect(fitted.bins.reduce((sum, bin) => sum + bin.rows, 0)).toBe(rows.length);
        const edges = fitted.bins.slice(0, -1).map(({ upToBps }) => upToBps as number);
        expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
        const inside = said.filter((forecast, at) => {
          const { lowBps, highBps, down, flat, up } = applyBins(fitted, forecast);
          expect(down + flat + up).toBeCloseTo(1, 12);
          return (came[at] as number) >= lowBps - 1e-9 && (came[at] as number) <= highBps + 1e-9;
        }).length;
        expect(inside / rows.length).toBeGreaterThanOrEqual(coverage);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a calibrated forecast", () => {
  const bin = { lowBps: -2, highBps: 3, down: 0.2, flat: 0.3, up: 0.5, rows: 100 };
  const calibration: BinnedCalibration = {
    thresholdBps: 0.5,
    bins: [
      { ...bin, upToBps: -1, down: 0.5, up: 0.2, lowBps: -3, highBps: 2 },
      { ...bin, upToBps: null },
    ],
  };

  it("is read in its own bin, whose upper edge belongs to it, and its interval lies around the forecast", () => {
    expect(applyBins(calibration, -1)).toEqual({ lowBps: -4, highBps: 1, down: 0.5, flat: 0.3, up: 0.2, thresholdBps: 0.5 });
    expect(applyBins(calibration, -0.999)).toMatchObject({ up: 0.5 });
    expect(applyBins(calibration, 1e6)).toEqual({ lowBps: 1e6 - 2, highBps: 1e6 + 3, down: 0.2, flat: 0.3, up: 0.5, thresholdBps: 0.5 });
    expect(applyBins(calibration, -1e6)).toMatchObject({ down: 0.5 });
  });
});
