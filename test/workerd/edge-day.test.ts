/** A market replayed through the edge gives, in the public scorecard, the offline score of the same models on the same rows: else one of the two is no score of the model. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import { generativeSource } from "../../exchange-simulator/market/generative-records.ts";
import { binanceSpot } from "../../exchange-simulator/protocols/binance/venue.ts";
import type { AnsweredTick, PublishedModels, ScoresOfModels, TapedScores } from "../training/edge-day-contract.ts";
import { EdgeDay } from "./edge-day.ts";
import { fromNode, type ModelCard, modelCards, pairsOf, publishedModels, tellTape } from "./edge-day-scores.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
const SYMBOL = "SMALLUSDT";
/** So far ahead that the platform, whose clock is the real one, rings none of the object's alarms. Not at a full hour: scores are added up by the hour. */
const START = Date.UTC(2030, 0, 5, 12, 40);
const ASK_EVERY_MS = 10 * SECOND;
/** A day by `npm run bench -- edge-day`. */
const LENGTH_MS = env.EDGE_DAY_HOURS === "" ? 64 * MINUTE : Number(env.EDGE_DAY_HOURS) * 60 * MINUTE;
/** Right behind a forecast, all of whose horizons it cuts, and the longest of those before it. */
const CUT_AT_MS = 31 * MINUTE + 20 * SECOND;
/** What is asked last is not over, and then not scored before nobody can record an earlier one. */
const NOT_SCORED_YET_MS = 6 * MINUTE;
/** Answers are float32. */
const R2_TOLERANCE = 1e-6;

let models: PublishedModels;
let day: EdgeDay;
let cards: readonly ModelCard[];
let ticks: readonly AnsweredTick[];
let offline: ScoresOfModels;

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  models = await publishedModels({ stretch: null });
  const source = generativeSource({ name: SYMBOL, preset: "small-tick", seed: 77, startTime: START });
  day = new EdgeDay({ source, protocol: binanceSpot, symbol: SYMBOL, features: ["v1"] });
  await day.live(CUT_AT_MS, { askEveryMs: ASK_EVERY_MS });
  await day.cut();
  await day.live(LENGTH_MS - CUT_AT_MS, { askEveryMs: ASK_EVERY_MS });
  await day.end();
  ({ cards, ticks } = await modelCards(day, START));
  await tellTape(day, START);
  const asked = { ticks, venue: "binance-spot", stretch: null, silenceMs: null };
  offline = (await fromNode<TapedScores>("scores", asked)).scores;
  await fromNode("report", { hours: LENGTH_MS / (60 * MINUTE), ticks: ticks.length, cards, offline });
}, 3_600_000);

describe("a stretch of a market through simulator, feed object, inference, ledger and scorecard", () => {
  it("is scored up to its end, for the active model and its shadow", () => {
    expect(cards.map(({ model }) => model).sort()).toEqual([models.active, models.shadow].sort());
    for (const { scoredUpTo } of cards) expect(scoredUpTo).toBeGreaterThan(day.now - NOT_SCORED_YET_MS);
    // Refused while the first windows fill, and again behind the cut.
    expect([...day.refused.keys()].sort()).toEqual(["/problems/disconnected", "/problems/warming-up"]);
    expect(ticks.length).toBeGreaterThan(((LENGTH_MS - NOT_SCORED_YET_MS) / ASK_EVERY_MS) * 0.95);
  });

  it("counts what evaluate counts: each tick that was answered, and each outcome that a gap hides", () => {
    for (const { card, own } of pairsOf(cards, offline)) {
      expect({ forecasts: card.forecasts, uncovered: card.uncovered }).toEqual({ forecasts: ticks.length, uncovered: own.uncovered });
      expect(own.rows).toBe(ticks.length);
      expect(card.moves.map(({ target, horizonMs, scored, uncovered }) => ({ target, horizonMs, scored, uncovered }))).toEqual(
        own.outputs.map(({ target, horizonMs, asked, rows }) => ({ target, horizonMs, scored: rows, uncovered: asked - rows })),
      );
      // Within a day the book has other gaps, and both count them.
      if (env.EDGE_DAY_HOURS !== "") continue;
      // The cut hides all that the last forecast before it looks at, and of two more what comes in 30 s.
      expect(own.uncovered).toBe(1);
      expect([1_000, 5_000, 10_000, 30_000].map((horizon) => card.moves.find(({ horizonMs }) => horizonMs === horizon)?.uncovered)).toEqual(
        [1, 1, 1, 3],
      );
    }
  });

  it("gives the skill that evaluate gives, by horizon and target", () => {
    for (const { card, own } of pairsOf(cards, offline)) {
      expect(own.outputs).toHaveLength(12);
      for (const [at, { r2 }] of own.outputs.entries())
        expect(Math.abs((card.moves[at]?.r2 ?? Number.NaN) - (r2 ?? Number.NaN))).toBeLessThan(R2_TOLERANCE);
    }
    // Models that say nothing would be scored alike whatever went wrong.
    const [line, trees] = [models.active, models.shadow].map(
      (name) => offline[name]?.outputs.find(({ target }) => target === "mid")?.r2 ?? 0,
    );
    expect(line).toBeGreaterThan(0.1);
    expect(trees).toBeGreaterThan(0.05);
  });
});
