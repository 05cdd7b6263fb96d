/** What the ledger makes of forecasts and prices: a score that is not the one that an offline evaluation of the same rows gives is worth nothing. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { directionOf } from "../../core/labels/classes.ts";
import { LABEL_TARGETS, type LabelTarget } from "../../core/labels/moves.ts";
import { Random } from "../../core/math/random.ts";
import { brierScore } from "../../core/metrics/brier.ts";
import { correlation } from "../../core/metrics/correlation.ts";
import { directionScore } from "../../core/metrics/direction.ts";
import { logLoss } from "../../core/metrics/log-loss.ts";
import { maeScore } from "../../core/metrics/mae.ts";
import { r2Interval } from "../../core/metrics/r2-interval.ts";
import { rmseScore } from "../../core/metrics/rmse.ts";
import type { ForecastAnswer, MadeForecast, ServedLabel } from "../../core/scoring/forecast-answer.ts";
import { realisedMoves } from "../../core/scoring/realised-moves.ts";
import { scoreForecasts } from "../../core/scoring/score-forecasts.ts";
import { addSums, decodeSums, emptySums, encodeSums, type ScoreSums } from "../../core/scoring/score-sums.ts";
import { FEWEST_HOURS, scorecardOf } from "../../core/scoring/scorecard.ts";
import { scoreOutput } from "../../training/evaluate/scores.ts";
import { HORIZONS_MS, type MadeMarket, madeMarket } from "./scoring-fixture.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 10);

/** By the definition of the labels: each second from the forecast to the target looked up by its time. Null where one is missing or of another segment. */
function cameOf(
  { path }: MadeMarket,
  at: number,
  { horizonMs, label }: { horizonMs: number; label: ServedLabel },
): Record<LabelTarget, number> | null {
  const rows: number[] = [];
  for (let time = at; time <= at + horizonMs; time += 1_000) {
    const row = path.times.indexOf(time);
    if (row < 0 || path.segments[row] !== path.segments[path.times.indexOf(at)]) return null;
    rows.push(row);
  }
  const priceOf = (target: LabelTarget, row: number): number => {
    const [bid, ask] = [path.bidTicks[row] as number, path.askTicks[row] as number];
    return target === "mid" ? (bid + ask) / 2 : target === "bid" ? bid : ask;
  };
  const move = (target: LabelTarget): number => {
    const [first, ...later] = rows.map((row) => priceOf(target, row)) as [number, ...number[]];
    const end = label === "point" ? (later.at(-1) as number) : later.reduce((sum, price) => sum + price, 0) / later.length;
    return ((end - first) / first) * 1e4;
  };
  return { bid: move("bid"), mid: move("mid"), ask: move("ask") };
}

/** The sums by hour of featureTime. */
function hoursOf(market: MadeMarket): ScoreSums[] {
  const hourOf = ({ featureTime }: MadeForecast): number => Math.floor(featureTime / HOUR);
  const hours = [...new Set(market.forecasts.map(hourOf))];
  return hours.map((hour) =>
    scoreForecasts(
      market.forecasts.filter((forecast) => hourOf(forecast) === hour),
      market.path,
    ),
  );
}

describe.each(["point", "anchored"] as const)("scores of %s moves", (label) => {
  const market = madeMarket({ seed: 7, startsAt: START + 1_234_000, seconds: 5_000, every: 7, label });
  const card = scorecardOf(hoursOf(market));

  it("are those of the metrics over the rows that have an outcome, and training's own of the same rows", () => {
    for (const horizonMs of HORIZONS_MS) {
      for (const target of LABEL_TARGETS) {
        const rows = market.forecasts.flatMap(({ featureTime, answer }) => {
          const came = cameOf(market, featureTime, { horizonMs, label });
          const said = answer.horizons.find((each) => each.horizonMs === horizonMs)?.movesBps[target];
          return came === null || said == null ? [] : [[came[target], said] as const];
        });
        const pairs = { actual: Float64Array.from(rows, ([came]) => came), predicted: Float64Array.from(rows, ([, said]) => said) };
        const offline = scoreOutput({ target, horizonMs }, { ...pairs, ridge: pairs.predicted }, 1_000);
        const score = card.moves.find((each) => each.horizonMs === horizonMs && each.target === target);
        expect(score).toMatchObject({ label, scored: rows.length, uncovered: market.forecasts.length - rows.length });
        expect(rows.length).toBeGreaterThan(300);
        expect(rows.length).toBeLessThan(market.forecasts.length);
        expect(Math.abs((score?.r2 ?? Number.NaN) - (offline?.r2 ?? Number.NaN))).toBeLessThan(1e-9);
        const [mae, rmse, direction] = [maeScore(pairs), rmseScore(pairs), directionScore(pairs)];
        expect(score?.mae).toBeCloseTo(mae?.mae ?? Number.NaN, 10);
        expect(score?.persistenceMae).toBeCloseTo(mae?.persistenceMae ?? Number.NaN, 10);
        expect(score?.rmse).toBeCloseTo(rmse?.rmse ?? Number.NaN, 10);
        expect(score?.persistenceRmse).toBeCloseTo(rmse?.persistenceRmse ?? Number.NaN, 10);
        expect([score?.hits, score?.moved, score?.directionHitRate]).toEqual([direction.hits, direction.moves, direction.hitRate]);
        expect(score?.correlation).toBeCloseTo(correlation(pairs) ?? Number.NaN, 10);
      }
    }
  });

  it("of intervals and odds are the counts, Brier's score and log-loss over the same rows", () => {
    for (const [index, horizonMs] of HORIZONS_MS.entries()) {
      const rows = market.forecasts.flatMap(({ featureTime, answer }) => {
        const came = cameOf(market, featureTime, { horizonMs, label });
        const said = answer.horizons[index];
        return came === null || said === undefined || said.interval === null || said.odds === null
          ? []
          : [{ mid: came.mid, interval: said.interval, odds: said.odds }];
      });
      const inside = rows.filter(({ mid, interval }) => interval.lowBps <= mid && mid <= interval.highBps).length;
      const above = rows.filter(({ mid, interval }) => mid > interval.highBps).length;
      expect(card.intervals[index]).toEqual({
        ...{ label, horizonMs, scored: rows.length, inside, above },
        ...{ below: rows.length - inside - above, coverage: inside / rows.length },
      });
      const classes = rows.map(({ mid, odds }) => directionOf(mid, odds.thresholdBps));
      const said = Float64Array.from(rows.flatMap(({ odds: { down, up } }) => [down, 1 - down - up, up]));
      const odds = card.odds[index];
      expect(odds?.brier).toBeCloseTo(brierScore(said, classes, 3) ?? Number.NaN, 10);
      expect(odds?.logLoss).toBeCloseTo(logLoss(said, classes, 3) ?? Number.NaN, 10);
      expect([odds?.down, odds?.flat, odds?.up]).toEqual([0, 1, 2].map((direction) => classes.filter((each) => each === direction).length));
      const constant = classes.flatMap(() => [odds?.down ?? 0, odds?.flat ?? 0, odds?.up ?? 0].map((count) => count / rows.length));
      expect(odds?.sharesBrier).toBeCloseTo(brierScore(Float64Array.from(constant), classes, 3) ?? Number.NaN, 10);
      expect(odds?.sharesLogLoss).toBeCloseTo(logLoss(constant, classes, 3) ?? Number.NaN, 10);
      const bin = odds?.bins.find(({ direction, from }) => direction === "up" && from === 0.4);
      const inBin = rows.map(({ odds: { up } }, row) => ({ up, came: classes[row] === 2 })).filter(({ up }) => up >= 0.4 && up < 0.6);
      expect(bin?.rows).toBe(inBin.length);
      expect(bin?.meanSaid).toBeCloseTo(inBin.reduce((sum, { up }) => sum + up, 0) / inBin.length, 12);
      expect(bin?.cameShare).toBe(inBin.filter(({ came }) => came).length / inBin.length);
    }
  });
});

describe("an outcome", () => {
  const flat = (horizonMs: number): ForecastAnswer["horizons"][number] => ({
    horizonMs,
    movesBps: { bid: null, mid: 1, ask: null },
    interval: null,
    odds: null,
  });
  const forecast = (featureTime: number, parts: Partial<MadeForecast> = {}): MadeForecast => ({
    ...{ featureTime, bidTicks: 100, askTicks: 102, answer: { label: "point", horizons: [flat(1_000), flat(3_000)] } },
    ...parts,
  });
  const path = {
    times: [0, 1_000, 2_000, 3_000, 4_000, 6_000],
    bidTicks: [100, 100, 101, 101, 100, 100],
    askTicks: [102, 102, 103, 103, 102, 102],
    segments: [0, 0, 0, 0, 1, 2],
  };

  it("is what the path says, and unknown behind a break, a missing second and the path's end", () => {
    expect(realisedMoves([forecast(0), forecast(1_000), forecast(4_000)], path)).toEqual([
      [
        { bid: 0, mid: 0, ask: 0 },
        { bid: 100, mid: (1 / 101) * 1e4, ask: (1 / 102) * 1e4 },
      ],
      [{ bid: 100, mid: (1 / 101) * 1e4, ask: (1 / 102) * 1e4 }, null],
      [null, null],
    ]);
  });

  it("is unknown where the row is not there, or started from other prices: another book's row would be scored as this one's", () => {
    expect(realisedMoves([forecast(5_000), forecast(0, { bidTicks: 99 }), forecast(0, { askTicks: 103 })], path)).toEqual([
      [null, null],
      [null, null],
      [null, null],
    ]);
    const sums = scoreForecasts([forecast(0), forecast(0, { bidTicks: 99 }), forecast(1_000)], path);
    expect(sums.counts).toMatchObject({ forecasts: 3, uncovered: 1 });
    expect(sums.moves.get("point 3000 mid")).toMatchObject({ scored: 1, uncovered: 2 });
    expect(sums.moves.has("point 3000 bid")).toBe(false);
  });

  it("at the very end of an interval is inside, and a move of just the threshold is flat", () => {
    // The mid goes from 101 to 102 over three seconds.
    const move = (1 / 101) * 1e4;
    const said = (lowBps: number, highBps: number): MadeForecast => {
      const odds = { down: 0, up: 1, thresholdBps: move };
      return forecast(0, { answer: { label: "point", horizons: [{ ...flat(3_000), interval: { lowBps, highBps }, odds }] } });
    };
    const sums = scoreForecasts([said(move, move), said(move + 1e-9, 200), said(-200, move - 1e-9)], path);
    expect(sums.intervals.get("point 3000")).toEqual({ inside: 1, below: 1, above: 1 });
    expect(sums.odds.get("point 3000")).toMatchObject({ down: 0, flat: 3, up: 0, brier: 6 });
    // What was said for certain is in the last bin.
    expect(sums.bins.get("point 3000 up 4")).toEqual({ rows: 3, said: 3, came: 0 });
  });

  it("beside its forecast gives the slope: twice what was said is a slope of two", () => {
    const half = (1 / 101) * 1e4 * 0.5;
    const horizons = [{ ...flat(3_000), movesBps: { bid: null, mid: half, ask: null } }];
    const [score] = scorecardOf([scoreForecasts([forecast(0, { answer: { label: "point", horizons } })], path)]).moves;
    expect([score?.slope, score?.r2]).toEqual([2, 0.75]);
  });

  it("of no forecasts, or no path, is nothing and not an error", () => {
    expect(scorecardOf([scoreForecasts([], path)])).toMatchObject({ forecasts: 0, hours: 0, moves: [] });
    const unheard = scorecardOf([scoreForecasts([forecast(0)], { times: [], bidTicks: [], askTicks: [], segments: [] })]);
    expect(unheard).toMatchObject({ forecasts: 1, uncovered: 1, hours: 0 });
    expect(unheard.moves[0]).toMatchObject({ scored: 0, uncovered: 1, r2: null, rmse: null, mae: null, correlation: null, r2Low: null });
  });
});

describe("sums", () => {
  const market = madeMarket({ seed: 3, startsAt: START, seconds: 3_000, every: 3 });

  it("are the same however the forecasts are cut into runs of cron", () => {
    const whole = scoreForecasts(market.forecasts, market.path);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: market.forecasts.length }), { maxLength: 5 }), (cuts) => {
        const sums = emptySums();
        const ends = [...cuts.sort((one, other) => one - other), market.forecasts.length];
        ends.forEach((end, at) => {
          addSums(sums, scoreForecasts(market.forecasts.slice(ends[at - 1] ?? 0, end), market.path));
        });
        expect(sums.counts).toEqual(whole.counts);
        for (const [key, { squaredError, scored }] of whole.moves) {
          expect(sums.moves.get(key)?.scored).toBe(scored);
          expect(sums.moves.get(key)?.squaredError).toBeCloseTo(squaredError, 6);
        }
      }),
      { numRuns: 30 },
    );
  });

  it("come back from their text bit by bit", () => {
    const sums = scoreForecasts(market.forecasts, market.path);
    expect(decodeSums(encodeSums(sums))).toEqual(sums);
    expect(decodeSums(encodeSums(emptySums()))).toEqual(emptySums());
  });

  it.each([
    ["no JSON", "{"],
    ["another format", '{"format":2,"counts":[0,0,0],"moves":{},"intervals":{},"odds":{},"bins":{}}'],
    ["too few counts", '{"format":1,"counts":[0,0],"moves":{},"intervals":{},"odds":{},"bins":{}}'],
    ["a group that is missing", '{"format":1,"counts":[0,0,0],"moves":{},"intervals":{},"odds":{}}'],
    [
      "a key of another kind",
      '{"format":1,"counts":[0,0,0],"moves":{"smoothed 1000 mid":[0,0,0,0,0,0,0,0,0,0,0,0]},"intervals":{},"odds":{},"bins":{}}',
    ],
    ["what is no number", '{"format":1,"counts":[0,0,0],"moves":{},"intervals":{"point 1000":[1,null,0]},"odds":{},"bins":{}}'],
  ])("refuse %s", (_, text) => {
    expect(decodeSums(text)).toHaveProperty("malformed");
  });
});

describe("the interval of a skill", () => {
  it("from hours is about that of the rows in blocks of an hour, and the same each time", () => {
    const market = madeMarket({ seed: 11, startsAt: START, seconds: 24 * 3_600, every: 30, gaps: 0 });
    const hours = hoursOf(market);
    const card = scorecardOf(hours);
    const score = card.moves.find(({ horizonMs, target }) => horizonMs === 5_000 && target === "mid");
    const outcomes = realisedMoves(market.forecasts, market.path);
    const rows = market.forecasts.flatMap(({ answer }, index) => {
      const came = outcomes[index]?.[1] ?? null;
      return came === null ? [] : [[came.mid, answer.horizons[1]?.movesBps.mid ?? 0] as const];
    });
    const random = new Random(1);
    const actual = rows.map(([came]) => came);
    const predicted = rows.map(([, said]) => said);
    const byRows = r2Interval({ actual, predicted }, { uniform: () => random.uniform(), blockRows: 120 });
    const width = (score?.r2High ?? 0) - (score?.r2Low ?? 0);
    const rowsWidth = (byRows?.high ?? 0) - (byRows?.low ?? 0);
    expect(width / rowsWidth).toBeGreaterThan(0.75);
    expect(width / rowsWidth).toBeLessThan(1.33);
    expect(Math.abs((score?.r2Low ?? 0) - (byRows?.low ?? 0))).toBeLessThan(0.5 * rowsWidth);
    expect(scorecardOf(hours)).toEqual(card);
  });

  it("is null from fewer than six hours: one hour would be as sure as can be", () => {
    const market = madeMarket({ seed: 2, startsAt: START, seconds: FEWEST_HOURS * 3_600, every: 60, gaps: 0 });
    const hours = hoursOf(market);
    const lows = (of: readonly ScoreSums[]): (number | null)[] => scorecardOf(of).moves.map(({ r2Low }) => r2Low);
    expect(lows(hours).every((low) => low !== null)).toBe(true);
    expect(lows(hours.slice(1)).every((low) => low === null)).toBe(true);
    // Hours without a scored forecast are no evidence.
    expect(lows([...hours.slice(1), emptySums(), emptySums()]).every((low) => low === null)).toBe(true);
  });
});
