/** A challenger is promoted on evidence alone: on none, on little, on another's, or on what an instance makes up, who answers stays. */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Seat } from "../../../training/publish/held-roles.ts";
import { ModelRegistry } from "../../../training/publish/model-registry.ts";
import { promote } from "../../../training/publish/promotion.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";

const SEAT: Seat = { slot: "forecast", market: "binance-spot:BTCUSDT" };
const RULES = { minTicks: 1_000, minHours: 24, horizonsMs: [] as number[] };
const CHALLENGER = { id: "new", version: "2" };

/** What the instance answers, and what it was asked. */
let answer: { status: number; body: string } = { status: 200, body: "" };
let asked: string[] = [];
let server: Server;
let from = "";
let store: MemoryStore;
let registry: ModelRegistry;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(answer.status, { "content-type": "application/json" }).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  from = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

beforeEach(async () => {
  asked = [];
  store = memoryStore();
  registry = new ModelRegistry(store, () => 7);
  const facts = { manifestSha256: "sha", family: "mlp", featureSet: "v1", fingerprint: "0123456789abcdef", label: "point", bytes: 10 };
  await registry.register({ id: "old", version: "1", ...facts }, null);
  await registry.register({ ...CHALLENGER, ...facts }, null);
  await registry.activate({ id: "old", version: "1" }, SEAT, { action: "activate", evidence: null });
});

function horizon(horizonMs: number, difference: number, halfWidth: number): Record<string, unknown> {
  const interval = { difference, low: difference - halfWidth, high: difference + halfWidth };
  return { horizonMs, target: "mid", r2Active: 0.125, r2Challenger: 0.125 + difference, ...interval, dmP: 0.001 };
}

function odds(horizonMs: number, difference: number, halfWidth: number, scored = { ticks: 2_880, hours: 48 }): Record<string, unknown> {
  const interval = { difference, low: difference - halfWidth, high: difference + halfWidth };
  return { horizonMs, target: "mid", ...scored, brierActive: 0.625, brierChallenger: 0.625 - difference, ...interval, dmP: 0.001 };
}

const good = {
  market: SEAT.market,
  slot: "forecast",
  active: "old@1",
  challenger: "new@2",
  from: 0,
  days: 2,
  ticks: 2_880,
  hours: 48,
  horizons: [horizon(1_000, 0.0625, 0.03125), horizon(5_000, 0.03125, 0.015625), horizon(10_000, 0.015625, 0.03125)],
};

async function promoted(body: unknown, rules = RULES, status = 200): Promise<unknown> {
  answer = { status, body: typeof body === "string" ? body : JSON.stringify(body) };
  return promote(registry, { challenger: CHALLENGER, seat: SEAT, from, on: [], rules });
}

async function expectUnchanged(): Promise<void> {
  expect(await registry.active(SEAT)).toMatchObject({ id: "old" });
  expect((await registry.log(9)).map(({ action }) => action)).toEqual(["activate", "publish", "publish"]);
}

describe("a promotion", () => {
  it("over a model of another label is refused before anything is asked: no tick would ever count for both", async () => {
    const facts = { manifestSha256: "sha", family: "mlp", featureSet: "v1", fingerprint: "0123456789abcdef", label: "anchored", bytes: 10 };
    await registry.register({ id: "other", version: "3", ...facts }, null);
    const challenger = { id: "other", version: "3" };
    await expect(promote(registry, { challenger, seat: SEAT, from, on: [], rules: RULES })).rejects.toThrow(
      "other 3 answers anchored moves, and old 1 point ones",
    );
    expect(asked).toEqual([]);
    expect(await registry.active(SEAT)).toMatchObject({ id: "old" });
  });

  it("on good evidence activates the challenger, and keeps the evidence; roll back undoes it", async () => {
    expect(await promoted(good)).toMatchObject({ active: CHALLENGER, previous: { id: "old" }, isNew: true });
    expect(asked).toEqual(["/v1/scorecards/compare?market=binance-spot%3ABTCUSDT&slot=forecast&active=old%401&challenger=new%402"]);
    expect(await registry.active(SEAT)).toMatchObject(CHALLENGER);
    const [newest] = await registry.log(1);
    expect(newest).toMatchObject({
      action: "promote",
      model: CHALLENGER,
      previous: { id: "old", version: "1" },
      evidence: {
        from,
        rules: RULES,
        compared: [{ ticks: 2_880, hours: 48, horizons: [{ horizonMs: 1_000, difference: 0.0625, low: 0.03125 }, {}, {}] }],
      },
    });
    expect((await registry.rollBack(SEAT, null)).active?.id).toBe("old");
  });

  it("for every market rests on the markets that are named, each by itself, and on none where none is", async () => {
    const seat: Seat = { ...SEAT, market: "*" };
    await registry.activate({ id: "old", version: "1" }, seat, { action: "activate", evidence: null });
    const on = (markets: readonly string[]): Promise<unknown> =>
      promote(registry, { challenger: CHALLENGER, seat, from, on: markets, rules: RULES });
    await expect(on([])).rejects.toThrow(/scorecards are of one market each.*--on/);
    // The second is answered with the first one's comparison.
    answer = { status: 200, body: JSON.stringify(good) };
    await expect(on([SEAT.market, "bitmex:XBTUSD"])).rejects.toThrow(/market is binance-spot:BTCUSDT, and bitmex:XBTUSD was asked for/);
    await expect(on(new Array<string>(21).fill(SEAT.market))).rejects.toThrow(/21 markets: 20 at most/);
    expect(await registry.active(seat)).toMatchObject({ id: "old" });
    expect(await on([SEAT.market])).toMatchObject({ active: CHALLENGER, isNew: true });
  });

  it("of the horizon asked looks at that one alone", async () => {
    const mixed = { ...good, horizons: [horizon(1_000, 0.0625, 0.03125), horizon(5_000, -0.25, 0.125)] };
    await expect(promoted(mixed, { ...RULES, horizonsMs: [1_000, 5_000] })).rejects.toThrow(
      /at 5000 ms: a difference of -0.25, \[-0.375, -0.125\], which isn't above 0/,
    );
    await expectUnchanged();
    expect(await promoted(mixed, { ...RULES, horizonsMs: [1_000] })).toMatchObject({ isNew: true });
  });

  it.each<[string, unknown, RegExp]>([
    ["999 ticks", { ...good, ticks: 999 }, /999 ticks were scored for both, 1000 are wanted: wait, or say --min-ticks/],
    ["23 hours", { ...good, hours: 23 }, /of 23 hours, 24 are wanted/],
    [
      "an interval that touches 0 at half of the horizons",
      { ...good, horizons: [good.horizons[0], horizon(5_000, 0.25, 0.25)] },
      /better at 1 of 2 horizons/,
    ],
    [
      "one horizon that is worse beyond doubt",
      { ...good, horizons: [good.horizons[0], good.horizons[1], horizon(30_000, -0.25, 0.125)] },
      /it is worse at 30000 ms/,
    ],
    [
      "odds alone, of which forecasts aren't made",
      { ...good, horizons: [], odds: [odds(1_000, 0.0625, 0.03125)] },
      /nothing that both answered/,
    ],
    ["no horizons", { ...good, horizons: [] }, /nothing that both answered can be compared/],
    ["a comparison of another challenger", { ...good, challenger: "new@3" }, /challenger is new@3, and new@2 was asked for/],
    ["a comparison with another active model", { ...good, active: "older@1" }, /active is older@1, and old@1 was asked for/],
    ["another slot's", { ...good, slot: "signal" }, /slot is signal/],
    [
      "intervals that nobody knows yet",
      { ...good, horizons: good.horizons.map((each) => ({ ...each, low: null, high: null })) },
      /better at 0 of 3 horizons/,
    ],
    [
      "more horizons than anybody has",
      { ...good, horizons: Array.from({ length: 21 }, (_, at) => horizon(at + 1, 0.5, 0.25)) },
      /horizons/,
    ],
    ["half an interval", { ...good, horizons: [{ ...good.horizons[0], high: null }] }, /doesn't hold its own difference/],
    ["another market's", { ...good, market: "bitmex:XBTUSD" }, /market is bitmex:XBTUSD/],
    ["an interval beside its difference", { ...good, horizons: [{ ...good.horizons[0], low: 0.09 }] }, /doesn't hold its own difference/],
    [
      "a difference that its own scores deny",
      { ...good, horizons: [{ ...good.horizons[0], r2Challenger: 0 }] },
      /isn't that of its own scores/,
    ],
    ["a horizon thrice", { ...good, horizons: [good.horizons[0], good.horizons[0], good.horizons[0]] }, /name a horizon twice/],
    ["scores of another price", { ...good, horizons: [{ ...good.horizons[0], target: "bid" }] }, /horizons\.0\.target/],
    ["a text for a number", { ...good, ticks: "2880" }, /ticks/],
    ["a number that is none", JSON.stringify(good).replace('"ticks":2880', '"ticks":1e999'), /ticks/],
    ["no active model", { ...good, active: null }, /active/],
    ["a list", [good], /\(root\)/],
    ["no JSON", "<html>", /no JSON: <html>/],
    ["an answer without an end", " ".repeat(100_000), /more than 64000 bytes/],
  ])("on %s is refused, and who answers stays", async (_, body, said) => {
    await expect(promoted(body)).rejects.toThrow(said);
    await expectUnchanged();
  });

  it("on a refusal of the instance says its words", async () => {
    await expect(promoted({ detail: "nothing was scored" }, RULES, 404)).rejects.toThrow(/answers 404: .*nothing was scored/);
    await expectUnchanged();
  });

  it("where nobody listens, or the address is none, is refused", async () => {
    const at = (address: string): Promise<unknown> =>
      promote(registry, { challenger: CHALLENGER, seat: SEAT, from: address, on: [], rules: RULES });
    await expect(at("http://127.0.0.1:1")).rejects.toThrow(/does not answer/);
    await expect(at("nowhere")).rejects.toThrow(/nowhere is no address/);
    await expectUnchanged();
  });

  it("of the active one, of a version that isn't there, and against nobody asks nobody", async () => {
    const of = (challenger: { id: string; version: string }, seat = SEAT): Promise<unknown> =>
      promote(registry, { challenger, seat, from, on: [], rules: RULES });
    await expect(of({ id: "old", version: "1" })).rejects.toThrow(/is active for forecasts of binance-spot:BTCUSDT already/);
    await expect(of({ id: "new", version: "9" })).rejects.toThrow(/new 9 was never published/);
    await expect(of(CHALLENGER, { ...SEAT, market: "*" })).rejects.toThrow(/no model is active for forecasts of every market/);
    expect(asked).toEqual([]);
  });
});

describe("a promotion to signals", () => {
  const seat: Seat = { ...SEAT, slot: "signal" };
  // Moves of which the challenger's are worse, and a model of classes makes none: neither is evidence of a signal.
  const ofSignals = { ...good, slot: "signal", ticks: 0, hours: 0, horizons: [], odds: [odds(5_000, 0.0625, 0.03125)] };

  async function promotedSignal(body: unknown): Promise<unknown> {
    answer = { status: 200, body: JSON.stringify(body) };
    return promote(registry, { challenger: CHALLENGER, seat, from, on: [], rules: RULES });
  }

  beforeEach(async () => {
    await registry.activate({ id: "old", version: "1" }, seat, { action: "activate", evidence: null });
  });

  it("rests on the odds that both gave, and keeps them in the log", async () => {
    expect(await promotedSignal(ofSignals)).toMatchObject({ active: CHALLENGER, isNew: true });
    const [entry] = await registry.log(1);
    expect(entry).toMatchObject({
      action: "promote",
      slot: "signal",
      evidence: { compared: [{ odds: [{ horizonMs: 5_000, difference: 0.0625 }] }] },
    });
    const worseMoves = { ...ofSignals, ticks: 2_880, hours: 48, horizons: [horizon(5_000, -0.25, 0.125)] };
    await registry.activate({ id: "old", version: "1" }, seat, { action: "activate", evidence: null });
    expect(await promotedSignal(worseMoves)).toMatchObject({ isNew: true });
  });

  it.each<[string, unknown, RegExp]>([
    ["no odds, however good the moves", { ...good, slot: "signal" }, /nothing that both said of down, flat and up/],
    ["too few ticks", { ...ofSignals, odds: [odds(5_000, 0.0625, 0.03125, { ticks: 999, hours: 48 })] }, /999 ticks were scored for both/],
    ["too few hours", { ...ofSignals, odds: [odds(5_000, 0.0625, 0.03125, { ticks: 2_880, hours: 5 })] }, /of 5 hours, 24 are wanted/],
    ["an interval that touches 0", { ...ofSignals, odds: [odds(5_000, 0.0625, 0.0625)] }, /better at 0 of 1 horizons/],
    ["odds that are worse", { ...ofSignals, odds: [odds(5_000, -0.0625, 0.03125)] }, /it is worse at 5000 ms/],
    [
      "a difference that its scores contradict",
      { ...ofSignals, odds: [{ ...odds(5_000, 0.0625, 0.03125), brierActive: 0.5 }] },
      /difference at 5000 ms isn't that of its own scores/,
    ],
    ["a horizon named twice", { ...ofSignals, odds: [...ofSignals.odds, ...ofSignals.odds] }, /name a horizon twice/],
  ])("is refused on %s", async (_, body, said) => {
    await expect(promotedSignal(body)).rejects.toThrow(said);
    expect(await registry.active(seat)).toMatchObject({ id: "old" });
  });
});
