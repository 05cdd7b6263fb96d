/** Scorecards, comparisons and the ledger over HTTP, from the real database: what is shown must be what the rows say. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MadeForecast } from "../../core/scoring/forecast-answer.ts";
import { type OddsSkill, oddsSkills } from "../../core/scoring/odds-skill.ts";
import { addPairs, comparePairs, type PairedRows } from "../../core/scoring/paired-comparison.ts";
import { addOddsPairs, compareOdds, type OddsRows } from "../../core/scoring/paired-odds.ts";
import { realisedMoves } from "../../core/scoring/realised-moves.ts";
import { scoreForecasts } from "../../core/scoring/score-forecasts.ts";
import type { ScoreSums } from "../../core/scoring/score-sums.ts";
import { type Scorecard, scorecardOf } from "../../core/scoring/scorecard.ts";
import { createApp } from "../../workers/api/app.ts";
import { comparisonSchema, ledgerPageSchema, scorecardsSchema } from "../../workers/api/scorecard-schemas.ts";
import type { PublicEnv } from "../../workers/env.ts";
import { compareModels } from "../../workers/ledger/compare-models.ts";
import { rollingSkill } from "../../workers/ledger/rolling-skill.ts";
import { scoreDue } from "../../workers/ledger/score-due.ts";
import { openDatabase } from "../../workers/storage/database.ts";
import { modelRoles, models } from "../../workers/storage/schema.ts";
import { type MadeMarket, madeMarket } from "../core/scoring-fixture.ts";
import { type Answer, answerOf, readAnswer } from "./contract-check.ts";
import { emptyLedger, recordAll, recorded, storeMinutes } from "./ledger-fixture.ts";

const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";
const MINUTE = 60_000;
const HOUR = 3_600_000;
/** So that a range of eight hours lies on two days. */
const START = Date.UTC(2026, 0, 5, 20);
const HOURS = 8;
const RANGE = `from=${START}&to=${START + HOURS * HOUR}`;
const publicEnv = env as unknown as PublicEnv;
const database = openDatabase(env.DB);
/** A tick a minute; and the same ticks, so that two models can be compared. */
const made = madeMarket({ seed: 21, startsAt: START, seconds: HOURS * 3_600, every: 60, gaps: 0.001 });
const rival: MadeMarket = {
  ...made,
  forecasts: madeMarket({ seed: 21, startsAt: START, seconds: HOURS * 3_600, every: 60, gaps: 0.001 }).forecasts.map((forecast) => ({
    ...forecast,
    answer: {
      ...forecast.answer,
      horizons: forecast.answer.horizons.map((horizon) => ({
        ...horizon,
        movesBps: { ...horizon.movesBps, mid: Math.fround((horizon.movesBps.mid ?? 0) / 4) },
      })),
    },
  })),
};

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
  await emptyLedger();
  const model = { manifestSha256: "", family: "linear", featureSet: "v1", fingerprint: "", label: "point", bytes: 1, publishedAt: 1 };
  await database.insert(models).values([
    { ...model, key: 1, id: "ridge", version: "aa" },
    { ...model, key: 2, id: "rival", version: "bb" },
    { ...model, key: 3, id: "unheard", version: "cc" },
  ]);
  await storeMinutes(BTC, made);
  await recordAll([...recorded(BTC, 1, made), ...recorded(BTC, 2, rival)]);
  for (let minute = 0; minute < HOURS + 2; minute++)
    await scoreDue({ database, startedAt: START + (HOURS + 1) * HOUR + minute * MINUTE, calls: 200 });
});

beforeEach(async () => {
  await env.DB.prepare("delete from model_roles").run();
});

async function get(path: string): Promise<Answer> {
  const response = await createApp().fetch(new Request(`https://edgebook.test${path}`), publicEnv);
  return readAnswer(path, response);
}

function cardOf(forecasts: readonly MadeForecast[]): Scorecard {
  const hours = hoursOf(forecasts);
  const card = scorecardOf(hours.map(({ sums }) => sums));
  const skills = skillsOf(forecasts);
  const odds = card.odds.map((each, at) => {
    const { scored: skillScored, ...skill } = skills[at] as OddsSkill;
    return { ...each, ...skill, skillScored };
  });
  return { ...card, odds };
}

function skillsOf(forecasts: readonly MadeForecast[]): OddsSkill[] {
  const hours = hoursOf(forecasts).map(({ hour, sums }) => ({ hour, odds: sums.odds }));
  return oddsSkills(hours, { from: START, to: START + HOURS * HOUR });
}

function hoursOf(forecasts: readonly MadeForecast[]): { hour: number; sums: ScoreSums }[] {
  const hourOf = ({ featureTime }: MadeForecast): number => Math.floor(featureTime / HOUR) * HOUR;
  return [...new Set(forecasts.map(hourOf))].map((hour) => ({
    hour,
    sums: scoreForecasts(
      forecasts.filter((forecast) => hourOf(forecast) === hour),
      made.path,
    ),
  }));
}

/** The numbers of a card to nine digits: sums were added up run by run. */
function rounded(card: unknown): unknown {
  return JSON.parse(JSON.stringify(card), (_, value: unknown) => (typeof value === "number" ? Number(value.toPrecision(9)) : value));
}

describe("GET /v1/scorecards", () => {
  it("is the card of the very forecasts, of each model that has any", async () => {
    const { status, body } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&${RANGE}`));
    expect(status).toBe(200);
    expect(body).toMatchObject({ market: BTC, from: START, to: START + HOURS * HOUR, by: "all" });
    expect(body.models.map(({ model }) => model)).toEqual(["ridge@aa", "rival@bb"]);
    const [ridge, other] = body.models;
    const span = { from: START, to: START + HOURS * HOUR };
    expect(rounded(ridge?.cards)).toEqual(rounded([{ ...span, ...cardOf(made.forecasts) }]));
    expect(rounded(other?.cards)).toEqual(rounded([{ ...span, ...cardOf(rival.forecasts) }]));
    expect(ridge?.scoredUpTo).toBe(made.forecasts.at(-1)?.featureTime);
    const [card] = ridge?.cards ?? [];
    expect(card?.moves[1]?.r2Low).toEqual(expect.any(Number));
    expect(card?.odds[0]?.brierSkill).toEqual(expect.any(Number));
    expect(card?.odds[0]?.brierLow).toEqual(expect.any(Number));
  });

  it("has the shares of the hours before the range, which the range itself doesn't show", async () => {
    const hours = `from=${START + 6 * HOUR}&to=${START + 8 * HOUR}`;
    const { body } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&${hours}&by=hour`));
    const { body: all } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&${RANGE}&by=hour`));
    const cards = body.models[0]?.cards;
    expect(cards).toHaveLength(2);
    expect(cards).toEqual(all.models[0]?.cards.slice(6, 8));
    const [odds] = cards?.[0]?.odds ?? [];
    expect(odds?.scored).toEqual(expect.any(Number));
    expect(odds?.skillScored).toBe(odds?.scored);
  });

  it("by day and by hour is cut at midnight and at the hour, and adds up", async () => {
    const { body: byDay } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&${RANGE}&by=day`));
    const midnight = START + 4 * HOUR;
    const cards = byDay.models[0]?.cards ?? [];
    expect(cards.map(({ from, to }) => [from, to])).toEqual([
      [START, midnight],
      [midnight, START + 8 * HOUR],
    ]);
    expect(rounded({ ...cards[0], from: 0, to: 0 })).toEqual(
      rounded({ ...cardOf(made.forecasts.filter(({ featureTime }) => featureTime < midnight)), from: 0, to: 0 }),
    );
    const { body: byHour } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&${RANGE}&by=hour`));
    const hours = byHour.models[0]?.cards ?? [];
    expect(hours).toHaveLength(HOURS);
    const total = hours.reduce((sum, card) => sum + card.forecasts, 0);
    expect(total).toBe(made.forecasts.length);
    // A range within an hour is the hour's.
    const { body: within } = answerOf(
      scorecardsSchema,
      await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&from=${START + 5}&to=${START + 6}&by=hour`),
    );
    expect(within.models[0]?.cards).toEqual(hours.slice(0, 1));
  });

  it("over nothing is a card of nothing, and no error", async () => {
    const empty = { forecasts: 0, uncovered: 0, hours: 0, moves: [], intervals: [], odds: [] };
    const before = `from=${START - 48 * HOUR}&to=${START - 24 * HOUR}`;
    const { status, body } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&${before}`));
    expect(status).toBe(200);
    expect(body.models).toMatchObject([{ model: "ridge@aa", cards: [empty] }]);
    expect(
      answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&model=ridge@aa&${before}&by=day`)).body.models[0]?.cards,
    ).toEqual([]);
    expect(answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&${before}`)).body.models).toEqual([]);
    expect(answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${ETH}&model=shipped`)).body.models).toMatchObject([
      { model: "shipped", scoredUpTo: null, cards: [empty] },
    ]);
  });

  it.each([
    [404, "unknown-market", `market=binance-spot:NONE&${RANGE}`],
    [404, "unknown-model", `market=${BTC}&model=ridge@zz&${RANGE}`],
    [404, "unknown-model", `market=${BTC}&model=ridge&${RANGE}`],
    [400, "bad-request", RANGE],
    [400, "bad-request", `market=${BTC}&from=${START}&to=${START}`],
    [400, "bad-request", `market=${BTC}&from=0&to=${START}`],
    [400, "bad-request", `market=${BTC}&from=yesterday`],
    [400, "bad-request", `market=${BTC}&by=minute`],
    [400, "bad-request", `market=${BTC}&models=ridge@aa`],
  ])("%i %s: %s", async (status, name, query) => {
    expect(await get(`/v1/scorecards?${query}`)).toMatchObject({ status, body: { type: `/problems/${name}` } });
  });
});

describe("GET /v1/scorecards/compare", () => {
  const paired = made.forecasts.map(({ answer, ...tick }, at) => ({
    ...tick,
    active: answer,
    challenger: rival.forecasts[at]?.answer ?? answer,
  }));

  it("compares the challenger with whoever has the role, on the ticks of both", async () => {
    const since = { slot: "forecast", since: 1 } as const;
    await database.insert(modelRoles).values([
      { ...since, market: "*", model: 3, role: "active" },
      { ...since, market: BTC, model: 1, role: "active" },
      { ...since, market: BTC, model: 2, role: "shadow" },
    ]);
    const { status, body } = answerOf(comparisonSchema, await get(`/v1/scorecards/compare?market=${BTC}&challenger=rival@bb&${RANGE}`));
    expect(status).toBe(200);
    expect(body).toMatchObject({ market: BTC, slot: "forecast", active: "ridge@aa", challenger: "rival@bb", days: 2, hours: HOURS });
    const rows: PairedRows = new Map();
    const ticks = addPairs(rows, paired, made.path);
    expect(body.ticks).toBe(ticks);
    expect(ticks).toBeGreaterThan(400);
    expect(body.horizons).toEqual(comparePairs(rows, MINUTE));
    const odds: OddsRows = new Map();
    expect(addOddsPairs(odds, paired, made.path)).toBeGreaterThan(0);
    expect(body.odds).toEqual(compareOdds(odds, MINUTE));
    const all = [...body.horizons, ...body.odds].reduce((sum, each) => sum + each.ticks, 0);
    const rivals = { market: BTC, active: 1, challenger: 2, from: START, to: START + HOURS * HOUR };
    // Of more rows than memory holds there is no comparison, rather than no isolate.
    expect(await compareModels(database, { ...rivals, mostRows: all })).not.toBeNull();
    expect(await compareModels(database, { ...rivals, mostRows: all - 1 })).toBeNull();
    // A quarter of what is mostly noise is the better forecast.
    const difference = body.horizons[1]?.difference ?? Number.NaN;
    expect(difference).toBeGreaterThan(0);
    expect(body.horizons[1]?.low).toBeGreaterThan(0);
    const turned = answerOf(
      comparisonSchema,
      await get(`/v1/scorecards/compare?market=${BTC}&challenger=ridge@aa&active=rival@bb&${RANGE}`),
    );
    expect(turned.body.horizons[1]?.difference).toBeCloseTo(-difference, 12);
  });

  it("may be kept a minute, as scorecards may: what goes over a fortnight isn't computed for each who looks", async () => {
    for (const path of [`/v1/scorecards?market=${BTC}`, `/v1/scorecards/compare?market=${BTC}&challenger=rival@bb`]) {
      const { headers } = await createApp().fetch(new Request(`https://edgebook.test${path}`), publicEnv);
      expect(headers.get("cache-control")).toBe("max-age=60");
    }
  });

  it("of the last day is of 24 hours, not of a 25th that has just begun", async () => {
    const { body } = answerOf(scorecardsSchema, await get(`/v1/scorecards?market=${BTC}&to=${START + 30 * HOUR + 20 * MINUTE}`));
    expect([body.from, body.to]).toEqual([START + 7 * HOUR, START + 31 * HOUR]);
  });

  it("of models that never answered together, or a market without roles, is empty and no error", async () => {
    const { status, body } = await get(`/v1/scorecards/compare?market=${BTC}&challenger=rival@bb`);
    expect({ status, body }).toMatchObject({ status: 200, body: { active: "shipped", days: 0, hours: 0, ticks: 0, horizons: [] } });
    expect(await get(`/v1/scorecards/compare?market=${ETH}&challenger=rival@bb&active=unheard@cc&slot=signal`)).toMatchObject({
      status: 200,
      body: { ticks: 0 },
    });
  });

  it("takes one tick a minute, the first that both have, of a market that is asked each second", async () => {
    const dense = madeMarket({ seed: 5, startsAt: START, seconds: 300, every: 1, gaps: 0 });
    await storeMinutes(ETH, dense);
    await recordAll([...recorded(ETH, 1, dense), ...recorded(ETH, 2, { forecasts: dense.forecasts.filter((_, at) => at % 60 >= 7) })]);
    const { body } = answerOf(
      comparisonSchema,
      await get(`/v1/scorecards/compare?market=${ETH}&challenger=rival@bb&active=ridge@aa&${RANGE}`),
    );
    expect(body.ticks).toBe(5);
    const rows: PairedRows = new Map();
    const ticks = dense.forecasts
      .filter((_, at) => at % 60 === 7)
      .map(({ answer, ...tick }) => ({ ...tick, active: answer, challenger: answer }));
    addPairs(rows, ticks, dense.path);
    expect(body.horizons).toEqual(comparePairs(rows, MINUTE));
    expect(body.horizons[0]).toMatchObject({ difference: 0, dmP: null });
  });

  it.each([
    [404, "unknown-market", "market=nobody:NONE&challenger=rival@bb"],
    [404, "unknown-model", `market=${BTC}&challenger=none@bb`],
    [404, "unknown-model", `market=${BTC}&challenger=rival@bb&active=none@bb`],
    [400, "bad-request", `market=${BTC}`],
    [400, "bad-request", `market=${BTC}&challenger=shipped`],
    [400, "bad-request", `market=${BTC}&challenger=rival@bb&slot=other`],
    // The shipped model answers forecasts where nobody is active, and no signals.
    [400, "bad-request", `market=${BTC}&challenger=rival@bb&slot=signal`],
    [400, "bad-request", `market=${BTC}&challenger=rival@bb&from=${START}&to=${START + 15 * 24 * HOUR}`],
  ])("%i %s: %s", async (status, name, query) => {
    expect(await get(`/v1/scorecards/compare?${query}`)).toMatchObject({ status, body: { type: `/problems/${name}` } });
  });
});

describe("GET /v1/forecasts", () => {
  it("gives each forecast as it was made, with what came, page after page", async () => {
    const shown = [];
    let cursor = "";
    for (let pages = 0; pages < 20; pages++) {
      const { status, body } = answerOf(
        ledgerPageSchema,
        await get(`/v1/forecasts?market=${BTC}&model=ridge@aa&${RANGE}&limit=100${cursor}`),
      );
      expect(status).toBe(200);
      shown.push(...body.forecasts);
      if (body.nextCursor === null) break;
      cursor = `&cursor=${body.nextCursor}`;
    }
    const came = realisedMoves(made.forecasts, made.path);
    const expected = made.forecasts.map(({ answer, ...tick }, at) => ({
      ...tick,
      ...{ recordedAt: tick.featureTime + 1_000, state: "scored", label: "point" },
      horizons: answer.horizons.map((horizon, index) => ({
        ...horizon,
        targetTime: tick.featureTime + horizon.horizonMs,
        came: came[at]?.[index] ?? null,
      })),
    }));
    expect(shown).toEqual(expected);
    expect(expected.some(({ horizons }) => horizons.some((horizon) => horizon.came === null))).toBe(true);
  });

  it("of few forecasts ends a page after six hours, and goes on with the next", async () => {
    const times = [0, 5, 7].map((hours) => START + hours * HOUR);
    const sparse = { forecasts: times.flatMap((time) => made.forecasts.filter(({ featureTime }) => featureTime === time)) };
    expect(sparse.forecasts).toHaveLength(3);
    await recordAll(recorded(BTC, 3, sparse));
    const { body } = answerOf(ledgerPageSchema, await get(`/v1/forecasts?market=${BTC}&model=unheard@cc&${RANGE}`));
    expect(body).toMatchObject({
      forecasts: [{ featureTime: times[0], state: "pending" }, { featureTime: times[1] }],
      nextCursor: `${times[1]}`,
    });
    const { body: next } = answerOf(
      ledgerPageSchema,
      await get(`/v1/forecasts?market=${BTC}&model=unheard@cc&${RANGE}&cursor=${body.nextCursor}`),
    );
    expect(next).toMatchObject({ forecasts: [{ featureTime: times[2] }], nextCursor: null });
    await env.DB.prepare("update forecasts set answer = x'00' where model = 3").run();
    expect(answerOf(ledgerPageSchema, await get(`/v1/forecasts?market=${BTC}&model=unheard@cc&${RANGE}`)).body.forecasts[0]).toMatchObject({
      state: "unreadable",
      horizons: [],
    });
    await env.DB.prepare("delete from forecasts where model = 3").run();
  });

  it("without a model is of the active one, and of none is empty", async () => {
    await database.insert(modelRoles).values({ slot: "forecast", market: "*", model: 2, role: "active", since: 1 });
    expect((await get(`/v1/forecasts?market=${BTC}&${RANGE}&limit=1`)).body).toMatchObject({
      model: "rival@bb",
      forecasts: [{ featureTime: START }],
    });
    expect((await get(`/v1/forecasts?market=${BTC}&model=shipped`)).body).toMatchObject({
      model: "shipped",
      forecasts: [],
      nextCursor: null,
    });
  });

  it.each([
    [404, "unknown-market", "market=nobody:NONE"],
    [404, "unknown-model", `market=${BTC}&model=none@bb`],
    [400, "bad-request", `market=${BTC}&cursor=1e3`],
    [400, "bad-request", `market=${BTC}&limit=501`],
    [400, "bad-request", `market=${BTC}&from=0&to=${START}`],
  ])("%i %s: %s", async (status, name, query) => {
    expect(await get(`/v1/forecasts?${query}`)).toMatchObject({ status, body: { type: `/problems/${name}` } });
  });
});

describe("the rolling skill", () => {
  it("is of the last day's hours alone, of the markets asked for, and says what the scorecard says", async () => {
    const now = START + HOURS * HOUR + 5 * MINUTE;
    const [ridge, other, ...none] = await rollingSkill(database, [BTC, "nobody:NONE"], now);
    expect(none).toEqual([]);
    const card = cardOf(made.forecasts);
    const ofMid = card.moves.filter(({ target }) => target === "mid");
    expect(ridge).toMatchObject({ market: BTC, model: 1, from: START + (HOURS - 23) * HOUR, mark: "none" });
    expect(rounded(ridge?.horizons.map(({ horizonMs, scored, r2, low, high }) => [horizonMs, scored, r2, low, high]))).toEqual(
      rounded(ofMid.map(({ horizonMs, scored, r2, r2Low, r2High }) => [horizonMs, scored, r2, r2Low, r2High])),
    );
    const odds = skillsOf(made.forecasts);
    expect(rounded(ridge?.odds.map(({ mark: _mark, ...each }) => each))).toEqual(rounded(odds));
    expect(odds.map(({ brierLow }) => brierLow)).not.toContain(null);
    expect(other?.model).toBe(2);
    const later = await rollingSkill(database, [BTC], now + 17 * HOUR);
    expect(later[0]?.horizons[0]?.scored).toBeLessThan(ridge?.horizons[0]?.scored ?? 0);
    expect(later[0]?.mark).toBe("none");
    expect((await rollingSkill(database, [BTC], now + 20 * HOUR))[0]?.mark).toBe("unknown");
    expect(await rollingSkill(database, [BTC], now + 30 * HOUR)).toEqual([]);
    expect(await rollingSkill(database, [ETH], now)).toEqual([]);
  });

  it("outlives a row that is no JSON: one would take the marks off every market's answers", async () => {
    await env.DB.prepare("insert into forecast_scores values (?, 1, ?, 0, 'no sums')").bind(ETH, START).run();
    expect(await rollingSkill(database, [BTC, ETH], START + HOURS * HOUR)).toHaveLength(2);
    await env.DB.prepare("delete from forecast_scores where market = ?").bind(ETH).run();
  });
});
