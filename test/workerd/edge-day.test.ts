/** A market replayed through the edge gives, in the public scorecard, the offline score of the same models on the same rows: else one of the two is no score of the model. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { Scorecard } from "../../core/scoring/scorecard.ts";
import type { OfflineScores, PublishedModels, ScoresAsked, ScoresOfModels } from "../training/edge-day-contract.ts";
import { EdgeDay } from "./edge-day.ts";

const SECOND = 1_000;
const MINUTE = 60_000;
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

interface ModelCard {
  readonly model: string;
  readonly scoredUpTo: number;
  readonly cards: readonly Scorecard[];
}

let models: PublishedModels;
let day: EdgeDay;
let cards: readonly ModelCard[];
let ticks: readonly number[];
let offline: ScoresOfModels;

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  models = await fromNode<PublishedModels>("models", null);
  for (const [key, text] of Object.entries(models.objects)) await env.TAPES.put(key, bytesOf(text));
  await env.DB.batch(models.statements.map((statement) => env.DB.prepare(statement)));
  day = new EdgeDay({ preset: "small-tick", seed: 77, startTime: START, features: ["v1"] });
  await day.live(CUT_AT_MS, { askEveryMs: ASK_EVERY_MS });
  await day.cut();
  await day.live(LENGTH_MS - CUT_AT_MS, { askEveryMs: ASK_EVERY_MS });
  await day.end();
  const response = await day.get(`/v1/scorecards?market=${day.market}&from=${START}&to=${day.now}`);
  cards = ((await response.json()) as { models: readonly ModelCard[] }).models;
  const scoredUpTo = Math.min(...cards.map((card) => card.scoredUpTo));
  ticks = [...day.answered].filter((tick) => tick <= scoredUpTo);
  offline = await fromNode<ScoresOfModels>("scores", { tape: await tapeOf(day), ticks });
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
    for (const { card, own } of pairs()) {
      expect({ forecasts: card.forecasts, uncovered: card.uncovered }).toEqual({ forecasts: ticks.length, uncovered: own.uncovered });
      expect(own.rows).toBe(ticks.length);
      expect(card.moves.map(({ target, horizonMs, scored, uncovered }) => ({ target, horizonMs, scored, uncovered }))).toEqual(
        own.outputs.map(({ target, horizonMs, rows }) => ({ target, horizonMs, scored: rows, uncovered: own.rows - rows })),
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
    for (const { card, own } of pairs()) {
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

function pairs(): { card: Scorecard; own: OfflineScores }[] {
  return cards.map(({ model, cards: [card] }) => {
    const own = offline[model];
    if (card === undefined || own === undefined) throw new Error(`${model} has no score`);
    return { card, own };
  });
}

/** All minutes that are stored, as the API gives them out. */
async function tapeOf(of: EdgeDay): Promise<string> {
  const pieces: string[] = [];
  for (let minute = START; minute < of.now; minute += MINUTE) {
    const response = await of.get(`/v1/markets/${of.market}/tapes/${minute}`);
    if (response.status === 404) continue;
    const bytes = new Uint8Array(await response.arrayBuffer());
    for (let at = 0; at < bytes.length; at += 8_192) pieces.push(String.fromCharCode(...bytes.subarray(at, at + 8_192)));
  }
  return btoa(pieces.join(""));
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
}

async function fromNode<Answer>(path: string, body: ScoresAsked | object | null): Promise<Answer> {
  const response = await env.EDGE_DAY.fetch(`https://edge-day.test/${path}`, { method: "POST", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}
