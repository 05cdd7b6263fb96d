/** The ledger in the real database: a forecast that counts twice, or not at all, makes every score after it another one. */

import { applyD1Migrations } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { MadeForecast } from "../../core/scoring/forecast-answer.ts";
import { scoreForecasts } from "../../core/scoring/score-forecasts.ts";
import type { ScoreSums } from "../../core/scoring/score-sums.ts";
import { readForecasts, readLedgerStates, readScores } from "../../workers/ledger/read-ledger.ts";
import { MOST_AT_ONCE, recordForecasts } from "../../workers/ledger/record.ts";
import { FORECASTS_PER_RUN, GIVE_UP_AFTER_MS, type ScoreReport, scoreDue } from "../../workers/ledger/score-due.ts";
import { type Database, openDatabase } from "../../workers/storage/database.ts";
import { gaps } from "../../workers/storage/schema.ts";
import { type MadeMarket, madeMarket } from "../core/scoring-fixture.ts";
import { emptyLedger, recordAll, recorded, storeMinutes } from "./ledger-fixture.ts";

const BTC = "binance-spot:BTCUSDT";
const ETH = "binance-spot:ETHUSDT";
const MINUTE = 60_000;
const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 5, 10, 50);
const database = openDatabase(env.DB);

beforeAll(async () => {
  await applyD1Migrations(env.DB, env.MIGRATIONS);
});

beforeEach(emptyLedger);

/** Ten minutes before an hour's end and ten behind it, a forecast each five seconds. */
function market(seed = 1): MadeMarket {
  return madeMarket({ seed, startsAt: START, seconds: 1_200, every: 5, gaps: 0.01 });
}

async function run(startedAt: number, parts: { database?: Database; calls?: number } = {}): Promise<ScoreReport> {
  return scoreDue({ database, startedAt, calls: 200, ...parts });
}

/** One a minute from the market's beginning, until nothing is left. */
async function runs(from: number, minutes: number): Promise<void> {
  for (let minute = 0; minute < minutes; minute++) await run(from + minute * MINUTE);
}

async function scoresOf(of: string, model = 1): Promise<ScoreSums[]> {
  const rows = await readScores(database, { market: of, model, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 100 });
  return rows.map(({ sums }) => sums);
}

/** Hour by hour, all at once. */
function expectedOf({ forecasts, path }: MadeMarket): ScoreSums[] {
  const hourOf = ({ featureTime }: MadeForecast): number => Math.floor(featureTime / HOUR);
  const hours = [...new Set(forecasts.map(hourOf))];
  return hours.map((hour) =>
    scoreForecasts(
      forecasts.filter((forecast) => hourOf(forecast) === hour),
      path,
    ),
  );
}

/** The same to the last digits that adding up in another order may change. Counts are the same exactly. */
function expectSame(actual: readonly ScoreSums[], expected: readonly ScoreSums[]): void {
  expect(actual).toHaveLength(expected.length);
  actual.forEach((sums, at) => {
    const wanted = expected[at];
    for (const group of ["moves", "intervals", "odds", "bins"] as const) {
      expect([...sums[group].keys()].sort()).toEqual([...(wanted?.[group].keys() ?? [])].sort());
      for (const [key, each] of sums[group]) {
        for (const [name, value] of Object.entries(each)) {
          const other = (wanted?.[group].get(key) as Record<string, number> | undefined)?.[name] ?? Number.NaN;
          expect(Math.abs(value - other), `${group} ${key} ${name}`).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(other)));
        }
      }
    }
    expect([sums.counts.forecasts, sums.counts.uncovered]).toEqual([wanted?.counts.forecasts, wanted?.counts.uncovered]);
  });
}

describe("recording", () => {
  it("keeps each forecast as it was made, and each market, model and tick once: a second answer would be hindsight", async () => {
    const made = market();
    const rows = recorded(BTC, 7, made);
    expect(await recordForecasts(database, rows)).toBe(rows.length);
    const again = rows.map((row) => ({ ...row, bidTicks: 1, askTicks: 2, recordedAt: 1_999_999_999_999 }));
    expect(await recordForecasts(database, again)).toBe(0);
    expect(await recordForecasts(database, [...recorded(BTC, 8, made).slice(0, 3), ...recorded(ETH, 7, made).slice(0, 2)])).toBe(5);
    const read = await readForecasts(database, { market: BTC, model: 7, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1_000 });
    expect(read.map(({ made: own }) => own)).toEqual(made.forecasts);
    expect(read[0]?.recordedAt).toBe((made.forecasts[0]?.featureTime ?? 0) + 1_000);
  });

  it("takes nothing, and refuses more at once than anybody has", async () => {
    const [row] = recorded(BTC, 1, market());
    expect(await recordForecasts(database, [])).toBe(0);
    const many = Array.from({ length: MOST_AT_ONCE + 1 }, () => row).filter((each) => each !== undefined);
    await expect(recordForecasts(database, many)).rejects.toThrow(RangeError);
    expect(await recordForecasts(database, many.slice(1))).toBe(1);
  });

  it("leaves out what is of a time to come: scored in order, nothing would be scored after it", async () => {
    const [row] = recorded(BTC, 1, market());
    if (row === undefined) throw new Error("no forecast");
    const rows = [5, 6].map((minutes) => ({ ...row, featureTime: row.recordedAt + minutes * MINUTE }));
    expect(await recordForecasts(database, rows)).toBe(1);
  });
});

describe("scoring", () => {
  it("each minute, as minutes come in, gives the sums of all at once, hour by hour, gaps left out", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    for (let minute = START; minute < START + 26 * MINUTE; minute += MINUTE) {
      await storeMinutes(BTC, made, { from: minute, to: minute + MINUTE });
      await run(minute + MINUTE);
    }
    const expected = expectedOf(made);
    expect(expected).toHaveLength(2);
    expect(expected[0]?.moves.get("point 30000 mid")?.uncovered).toBeGreaterThan(0);
    expectSame(await scoresOf(BTC), expected);
    const [state] = await readLedgerStates(database);
    expect(state).toEqual({ market: BTC, model: 1, scoredUpTo: made.forecasts.at(-1)?.featureTime, firstUnscored: null });
    // Once each is scored, a run writes nothing.
    expect(await run(START + HOUR)).toMatchObject({ scored: 0, pairs: 1, postponed: 0 });
  });

  it("counts each once when runs come twice, at the same moment", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    const reports: ScoreReport[] = [];
    for (let minute = 0; minute < 4; minute++) {
      const at = START + HOUR + minute * MINUTE;
      reports.push(...(await Promise.all([run(at), run(at), run(at)])));
    }
    expect(reports.reduce((sum, { scored }) => sum + scored, 0)).toBe(made.forecasts.length);
    expectSame(await scoresOf(BTC), expectedOf(made));
  });

  it("counts each once when a run dies before it writes, or after it has", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    for (const moment of ["before", "after"] as const) {
      const report = await run(START + HOUR, { database: dyingDatabase(moment) });
      expect(report.failures).toHaveLength(1);
    }
    const sums = await scoresOf(BTC);
    expect(sums).toHaveLength(1);
    await runs(START + HOUR, 4);
    expectSame(await scoresOf(BTC), expectedOf(made));
  });

  it("that another run has overtaken writes nothing: its own sums are of before", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    // What the first run was about to write comes last.
    let later: (() => Promise<unknown>) | null = null;
    const slow = interceptedDatabase(async (text, call) => {
      if (!text.startsWith("insert into")) return call();
      later = call;
      return call === null ? null : new Promise(() => {});
    });
    void run(START + HOUR, { database: slow });
    await waitFor(() => later !== null);
    await runs(START + HOUR, 4);
    await (later as unknown as () => Promise<unknown>)();
    expectSame(await scoresOf(BTC), expectedOf(made));
  });

  it("that another run has been ahead of since it looked leaves the rest to the next: it would count what is counted", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    let isFirst = true;
    const late = interceptedDatabase(async (text, call) => {
      if (text.includes("as scoredUpTo, sums") && isFirst) {
        isFirst = false;
        expect((await run(START + HOUR)).scored).toBeGreaterThan(0);
      }
      return call();
    });
    expect((await run(START + HOUR, { database: late })).scored).toBe(0);
    expect(isFirst).toBe(false);
    await runs(START + HOUR, 4);
    expectSame(await scoresOf(BTC), expectedOf(made));
  });

  it("waits for a path that comes late, and scores it then: an hour's lag of the feed is no lost hour", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made, { to: START + 3 * MINUTE });
    await runs(START + 30 * MINUTE, 3);
    const [before] = await scoresOf(BTC);
    // Three minutes are stored: of the third the last half minute looks beyond.
    expect(before?.counts.forecasts).toBeGreaterThan(25);
    expect(before?.counts.forecasts).toBeLessThan(31);
    await storeMinutes(BTC, made, { from: START + 3 * MINUTE });
    await runs(START + HOUR, 4);
    expectSame(await scoresOf(BTC), expectedOf(made));
  });

  it("waits for a minute that is missing while later ones are there: a former feed's may come last", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made, { lacking: [START + 5 * MINUTE] });
    await runs(START + 30 * MINUTE, 3);
    expect((await scoresOf(BTC))[0]?.counts.forecasts).toBeLessThan(61);
    await storeMinutes(BTC, made);
    await runs(START + 40 * MINUTE, 4);
    expectSame(await scoresOf(BTC), expectedOf(made));
  });

  it("gives up after two hours what no path has come for, as uncovered, and scores what there is", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made, { lacking: [START + 5 * MINUTE, START + 6 * MINUTE] });
    const last = made.forecasts.at(-1)?.featureTime ?? 0;
    await runs(last + GIVE_UP_AFTER_MS + 2 * MINUTE, 4);
    const whole = expectedOf(made);
    const [first, second] = await scoresOf(BTC);
    expect(first?.counts.forecasts).toBe(whole[0]?.counts.forecasts);
    const lost = (first?.counts.uncovered ?? 0) - (whole[0]?.counts.uncovered ?? 0);
    // Two minutes of a forecast each five seconds, less those that gaps had taken anyway.
    expect(lost).toBeGreaterThan(15);
    expect(lost).toBeLessThanOrEqual(25);
    expectSame([second as ScoreSums], [whole[1] as ScoreSums]);
  });

  it("takes prices as they were written, whatever gap an audit has found since: the targets of a dataset of the same tape are theirs too", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    const found = { id: "audit", market: BTC, channel: "depth", from: START, to: START + 10 * MINUTE, reason: "snapshot-differs" } as const;
    await database.insert(gaps).values({ ...found, detail: "", action: "resynced" });
    await runs(START + HOUR, 4);
    expectSame(await scoresOf(BTC), expectedOf(made));
    await env.DB.prepare("delete from gaps").run();
  });

  it("of a market without any minute gives up everything in the end: nothing waits for ever", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await runs(START + HOUR, 2);
    expect(await scoresOf(BTC)).toEqual([]);
    await runs(START + 3 * HOUR, 3);
    const sums = await scoresOf(BTC);
    expect(sums.reduce((sum, { counts }) => sum + counts.uncovered, 0)).toBe(made.forecasts.length);
  });

  it("leaves alone what an earlier forecast may still be recorded beside", async () => {
    const made = market();
    await storeMinutes(BTC, made);
    await recordAll(recorded(BTC, 1, made).map((row) => ({ ...row, recordedAt: START + HOUR })));
    expect(await run(START + HOUR + 2 * MINUTE - 1)).toMatchObject({ scored: 0 });
    expect((await run(START + HOUR + 2 * MINUTE)).scored).toBeGreaterThan(0);
  });

  it("is bounded, and the rest is done by the runs that follow", async () => {
    const made = madeMarket({ seed: 4, startsAt: START - 20 * MINUTE, seconds: 1_200, every: 1, gaps: 0 });
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    const scored = [];
    for (let minute = 0; minute < 4; minute++) scored.push((await run(START + HOUR + minute * MINUTE)).scored);
    expect(scored).toEqual([FORECASTS_PER_RUN, FORECASTS_PER_RUN, 1_200 - 2 * FORECASTS_PER_RUN, 0]);
  });

  it("with few calls takes one pair after the other, each in its turn", async () => {
    const made = madeMarket({ seed: 4, startsAt: START, seconds: 300, every: 5, gaps: 0 });
    const pairs = [BTC, ETH].flatMap((each) => [0, 3, 12].map((model) => [each, model] as const));
    for (const [each, model] of pairs) await recordAll(recorded(each, model, made));
    for (const each of [BTC, ETH]) await storeMinutes(each, made);
    const states = await readLedgerStates(database);
    expect(states.map(({ market: of, model }) => [of, model])).toEqual(pairs);
    for (let minute = 0; minute < 12; minute++) {
      const report = await run(START + HOUR + minute * MINUTE, { calls: 11 });
      expect(report.calls).toBeLessThanOrEqual(11);
    }
    for (const [each, model] of pairs) expectSame(await scoresOf(each, model), expectedOf(made));
  });

  it("of one market fails alone: rows that are no sums stop no other market", async () => {
    const made = market();
    for (const each of [BTC, ETH]) {
      await recordAll(recorded(each, 1, made));
      await storeMinutes(each, made);
    }
    const hour = Math.floor(START / HOUR) * HOUR;
    await env.DB.prepare("insert into forecast_scores values (?, 1, ?, 0, 'no sums')").bind(BTC, hour).run();
    const report = await run(START + HOUR);
    expect(report.failures).toHaveLength(1);
    expect(String(report.failures[0])).toContain(BTC);
    // Also where there are calls for one alone, and it is the one that fails each time.
    for (let minute = 1; minute < 8; minute++) await run(START + HOUR + minute * MINUTE, { calls: 6 });
    expectSame(await scoresOf(ETH), expectedOf(made));
  });

  it("counts a row that can't be read as uncovered, and goes on", async () => {
    const made = market();
    await recordAll(recorded(BTC, 1, made));
    await storeMinutes(BTC, made);
    const broken = made.forecasts[3]?.featureTime ?? 0;
    await env.DB.prepare("update forecasts set answer = x'09ff' where feature_time = ?").bind(broken).run();
    await runs(START + HOUR, 4);
    const rest = expectedOf({ ...made, forecasts: made.forecasts.filter(({ featureTime }) => featureTime !== broken) });
    const sums = await scoresOf(BTC);
    expect(sums[0]?.counts.forecasts).toBe((rest[0]?.counts.forecasts ?? 0) + 1);
    expect(sums[0]?.counts.uncovered).toBe((rest[0]?.counts.uncovered ?? 0) + 1);
    expect(sums[0]?.moves.get("point 1000 mid")?.scored).toBe(rest[0]?.moves.get("point 1000 mid")?.scored);
  });
});

type Call = () => Promise<unknown>;

/** A database that has its statements run by `run`, which may do so, later, or not at all. */
function interceptedDatabase(intercept: (text: string, call: Call) => Promise<unknown>): Database {
  const wrapped = (statement: D1PreparedStatement, text: string): D1PreparedStatement =>
    new Proxy(statement, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== "function") return member;
        if (name === "bind") return (...values: unknown[]) => wrapped(target.bind(...values), text);
        return (...given: unknown[]) => intercept(text, () => Reflect.apply(member, target, given) as Promise<unknown>);
      },
    });
  const binding = new Proxy(env.DB, {
    get: (target, name) => {
      if (name === "prepare") return (text: string) => wrapped(target.prepare(text), text);
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? (member.bind(target) as unknown) : member;
    },
  });
  return openDatabase(binding);
}

function dyingDatabase(moment: "before" | "after"): Database {
  return interceptedDatabase(async (text, call) => {
    if (!text.startsWith("insert into")) return call();
    if (moment === "after") await call();
    throw new Error(`died ${moment} the write`);
  });
}

async function waitFor(isDone: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1_000 && !isDone(); turn++) await readLedgerStates(database);
  expect(isDone()).toBe(true);
}
