/** The desk under a clock turned by hand: a computation too many costs each caller, one too few serves what is over, and one that was lost must not take the others with it. */

import { describe, expect, it } from "vitest";
import { agedMoment } from "../../workers/forecasts/aged.ts";
import { wantedRows } from "../../workers/forecasts/compute.ts";
import type { DeskAnswer, DeskPorts, DeskResult } from "../../workers/forecasts/contract.ts";
import { ForecastDesk } from "../../workers/forecasts/desk.ts";
import { BTC, DeskWorld, ETH, questionFor, roleOf, START, settle } from "./desk-world.ts";

async function answered(desk: ForecastDesk, world: DeskWorld, question = questionFor()): Promise<DeskAnswer> {
  const result = await desk.answer(question, world.ports);
  if (!result.ok) throw new Error(`refused by ${result.by}`);
  return result;
}

describe("one computation a tick", () => {
  it("for ten thousand who ask a cold isolate at once: one roster, one row, one run, and the same answer for all", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    const results = await Promise.all(Array.from({ length: 10_000 }, () => desk.answer(questionFor(), world.ports)));
    expect([world.asked.rosters, world.asked.features.length, world.predicted.length, world.asked.skills]).toEqual([1, 1, 1, 1]);
    expect(new Set(results).size).toBe(1);
    expect(results[0]).toMatchObject({ ok: true, moment: { featureTime: START }, prediction: { modelId: "model1" }, fingerprint: "f1" });
  });

  it("is kept until a newer row can have come, and no longer: a row 300 ms old for 700 ms", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    await world.clock.advance(300);
    await answered(desk, world);
    await world.clock.advance(699);
    expect((await answered(desk, world)).moment.featureTime).toBe(START);
    expect(world.predicted).toHaveLength(1);
    await world.clock.advance(1);
    expect((await answered(desk, world)).moment.featureTime).toBe(START + 1_000);
    expect(world.predicted).toHaveLength(2);
  });

  it("of a row that is late already is kept 50 ms: the next may come at any moment, and a flood must not reach the feed", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    world.rowAgeMs = 7_000;
    for (let ms = 0; ms < 200; ms++) {
      await answered(desk, world);
      await world.clock.advance(1);
    }
    expect(world.asked.features.map(({ at }) => at - START)).toEqual([0, 50, 100, 150]);
  });

  it("of a row that no newer one has followed is run and recorded once, though the feed is asked again: until another model leads", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    const features: DeskPorts["features"] = async ({ market }, wanted) => {
      world.rowAgeMs = world.clock.time - START;
      return world.viewOf(market, wanted);
    };
    const ports = { ...world.ports, features };
    for (let ms = 0; ms < 3_000; ms += 25) {
      const answer = await desk.answer(questionFor(), ports);
      expect(answer).toMatchObject({ ok: true, moment: { featureTime: START } });
      await world.clock.advance(25);
    }
    expect([world.predicted.length, world.recorded.flat().length]).toEqual([1, 1]);
    world.roster = { revision: "r2", roles: [roleOf(2)], refused: [] };
    await world.clock.advance(60_000);
    await desk.answer(questionFor(), ports);
    await world.clock.advance(50);
    expect(await desk.answer(questionFor(), ports)).toMatchObject({ ok: true, prediction: { modelId: "model2" } });
    expect(world.predicted).toHaveLength(2);
  });

  it("ages while it is kept: what the feed said 600 ms ago is 600 ms older, by both clocks that it shows", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    await world.clock.advance(300);
    await answered(desk, world);
    await world.clock.advance(600);
    const kept = await answered(desk, world);
    expect(kept.moment.rowAgeMs).toBe(300);
    const aged = agedMoment(kept, world.clock.time);
    expect([aged.rowAgeMs, aged.now - aged.receivedAt]).toEqual([900, 610]);
  });

  it("is of one market and one slot: nobody gets another's", async () => {
    const world = new DeskWorld();
    world.roster = { revision: "r1", roles: [roleOf(1), roleOf(2, { slot: "signal" })], refused: [] };
    const desk = new ForecastDesk();
    const keys = await Promise.all(
      [questionFor(BTC), questionFor(ETH), questionFor(BTC, "signal")].map(async (question) => {
        const { moment, prediction } = await answered(desk, world, question);
        return `${moment.market} ${prediction.key}`;
      }),
    );
    expect(keys).toEqual([`${BTC} 1`, `${ETH} 1`, `${BTC} 2`]);
  });

  it("is bounded in memory: of more markets than are kept the first are computed again", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    for (let number = 0; number < 513; number++) await answered(desk, world, questionFor(`venue:M${number}`));
    const before = world.asked.features.length;
    await answered(desk, world, questionFor("venue:M512"));
    expect(world.asked.features).toHaveLength(before);
    await answered(desk, world, questionFor("venue:M0"));
    expect(world.asked.features).toHaveLength(before + 1);
  });
});

describe("what many ask at once", () => {
  it("of different markets goes together: one run while the first is on its way, and each gets its own", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    let open = (): void => undefined;
    world.gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const first = answered(desk, world, questionFor("venue:M0"));
    await settle();
    const others = Array.from({ length: 70 }, (_, number) => answered(desk, world, questionFor(`venue:M${number + 1}`)));
    await settle();
    expect(world.predicted.map((asks) => asks.length)).toEqual([1]);
    open();
    const markets = (await Promise.all([first, ...others])).map(({ moment }) => moment.market);
    expect(markets).toEqual(Array.from({ length: 71 }, (_, number) => `venue:M${number}`));
    expect(world.predicted.map((asks) => asks.length)).toEqual([1, 64, 6]);
  });

  it("is not held up for ever by a run that was lost with its request", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    const { gate } = world;
    world.gate = new Promise(() => undefined);
    void desk.answer(questionFor(BTC), world.ports);
    await settle();
    world.gate = gate;
    const second = answered(desk, world, questionFor(ETH));
    await world.clock.advance(10_000);
    expect((await second).moment.market).toBe(ETH);
  });
});

describe("a computation whose caller has gone", () => {
  it("is kept alive by its request, and those who waited have it", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    void desk.answer(questionFor(), world.ports);
    const waiting = answered(desk, world);
    await Promise.all(world.kept.slice(0, 1));
    expect((await waiting).prediction.key).toBe(1);
    expect(world.kept.length).toBeGreaterThan(0);
  });

  it("and that never ends holds nobody for ever: after ten seconds the next to come computes anew, for those who wait too", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    const { gate } = world;
    world.gate = new Promise(() => undefined);
    void desk.answer(questionFor(), world.ports);
    await world.clock.advance(4_000);
    const waiting = answered(desk, world);
    world.gate = gate;
    await world.clock.advance(5_999);
    void answered(desk, world);
    expect(world.asked.features).toHaveLength(1);
    await world.clock.advance(1);
    const next = answered(desk, world);
    await world.clock.advance(10_000);
    expect(world.asked.features).toHaveLength(2);
    expect([(await waiting).moment.featureTime, (await next).moment.featureTime]).toEqual([START + 10_000, START + 10_000]);
  });
});

describe("two computations that are lost, one after the other", () => {
  it("leave nobody waiting: the third answers those of the first too", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    const { gate } = world;
    world.gate = new Promise(() => undefined);
    void desk.answer(questionFor(), world.ports);
    await settle();
    const waiting = [answered(desk, world)];
    await world.clock.advance(10_000);
    void desk.answer(questionFor(), world.ports);
    await settle();
    waiting.push(answered(desk, world));
    await world.clock.advance(10_000);
    world.gate = gate;
    void desk.answer(questionFor(), world.ports);
    await world.clock.advance(10_000);
    const ended = await Promise.race([Promise.all(waiting), settle().then(() => null)]);
    expect(ended?.map(({ moment }) => moment.featureTime)).toEqual([START + 20_000, START + 20_000]);
  });
});

describe("a shadow that hangs", () => {
  it("holds up no answer, is asked of one tick at a time, and is recorded when it comes", async () => {
    const world = new DeskWorld();
    world.roster = { revision: "r1", roles: [roleOf(1), roleOf(2, { role: "shadow" })], refused: [] };
    let open = (): void => undefined;
    world.shadowGate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const desk = new ForecastDesk();
    for (let second = 0; second < 3; second++) {
      expect((await answered(desk, world)).moment.featureTime).toBe(START + second * 1_000);
      await world.clock.advance(1_000);
    }
    expect(world.recorded.flat().map(({ model }) => model)).toEqual([1, 1, 1]);
    expect(world.shadowed).toHaveLength(1);
    open();
    await world.clock.advance(1_000);
    expect(world.recorded.flat().filter(({ model }) => model === 2)).toMatchObject([{ featureTime: START }]);
    await answered(desk, world);
    await settle();
    expect(world.shadowed).toHaveLength(2);
  });

  it("for ever is taken for lost after ten seconds, and one that throws is reported: the next tick has shadows again", async () => {
    const world = new DeskWorld();
    world.roster = { revision: "r1", roles: [roleOf(1), roleOf(2, { role: "shadow" })], refused: [] };
    const desk = new ForecastDesk();
    world.shadowGate = new Promise(() => undefined);
    await answered(desk, world);
    await world.clock.advance(9_999);
    world.shadowGate = Promise.resolve().then(() => Promise.reject(new Error("the inference Worker does not answer")));
    world.shadowGate.catch(() => undefined);
    await world.clock.advance(1);
    await answered(desk, world);
    await world.clock.advance(10_000);
    expect(world.reports).toEqual(["shadows-not-asked"]);
    world.shadowGate = Promise.resolve();
    await answered(desk, world);
    await world.clock.advance(1_000);
    expect(world.recorded.flat().filter(({ model }) => model === 2)).toMatchObject([{ featureTime: START + 20_000 }]);
  });
});

describe("a refusal", () => {
  it("of the feed is said as it is, and kept a quarter of a second", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    world.refusal = { ok: false, reason: "stale", detail: "silent" };
    const refused: DeskResult = { ok: false, by: "feed", refusal: world.refusal };
    expect(await desk.answer(questionFor(), world.ports)).toEqual(refused);
    await world.clock.advance(249);
    expect(await desk.answer(questionFor(), world.ports)).toEqual(refused);
    expect(world.asked.features).toHaveLength(1);
    world.refusal = null;
    await world.clock.advance(1);
    expect((await answered(desk, world)).ok).toBe(true);
  });

  it("of rows is that of the active model's set; a shadow's missing rows stop nobody", async () => {
    const world = new DeskWorld();
    world.roster = { revision: "r1", roles: [roleOf(1), roleOf(2, { role: "shadow", fingerprint: "f2", window: 100 })], refused: [] };
    world.missingSets = ["f2"];
    expect((await answered(new ForecastDesk(), world)).prediction.key).toBe(1);
    expect(world.predicted[0]?.[0]?.sets.map(({ fingerprint }) => fingerprint)).toEqual(["f1"]);
    world.missingSets = ["f1"];
    expect(await new ForecastDesk().answer(questionFor(), world.ports)).toMatchObject({
      ok: false,
      by: "rows",
      refusal: { reason: "not-computed" },
    });
  });

  it("where nobody is active asks no feed, and says why: never published, or the fault of the one that is refused", async () => {
    const world = new DeskWorld();
    const signal = questionFor(BTC, "signal");
    const never = { ok: false, by: "model", refusal: { fault: "never-published" } };
    expect(await new ForecastDesk().answer(signal, world.ports)).toMatchObject(never);
    const { key, id, version, slot, market, role } = roleOf(3, { slot: "signal" });
    world.roster = { ...world.roster, refused: [{ ...{ key, id, version, slot, market, role }, fault: "golden-mismatch", detail: "off" }] };
    const faulty = { by: "model", refusal: { fault: "golden-mismatch", detail: "model3 1: off" } };
    expect(await new ForecastDesk().answer(signal, world.ports)).toMatchObject(faulty);
    expect(world.asked.features).toHaveLength(0);
  });

  it("that was thrown is all callers' of that moment, and nobody's after: the next asks again", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    world.feedFault = new Error("the feed does not answer");
    const results = await Promise.allSettled([0, 1, 2].map(() => desk.answer(questionFor(), world.ports)));
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(world.asked.features).toHaveLength(1);
    world.feedFault = null;
    expect((await answered(desk, world)).ok).toBe(true);
  });
});

describe("who answers", () => {
  it("is looked up once a minute for all markets", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    for (let second = 0; second < 59; second++) {
      await answered(desk, world);
      await answered(desk, world, questionFor(ETH));
      await world.clock.advance(1_000);
    }
    expect(world.asked.rosters).toBe(1);
    await world.clock.advance(1_000);
    await answered(desk, world);
    await settle();
    expect(world.asked.rosters).toBe(2);
  });

  it("and has changed meanwhile is asked for once more, with the rows that the new one needs", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    await answered(desk, world);
    world.roster = { revision: "r2", roles: [roleOf(2, { fingerprint: "f2", window: 100 })], refused: [] };
    await world.clock.advance(1_000);
    expect(await answered(desk, world)).toMatchObject({ prediction: { key: 2 }, fingerprint: "f2" });
    expect(world.asked.features.map(({ wanted }) => wanted)).toEqual([
      [{ fingerprint: "f1", rows: 1 }],
      [{ fingerprint: "f1", rows: 1 }],
      [{ fingerprint: "f2", rows: 100 }],
    ]);
    expect(world.asked.rosters).toBe(2);
  });

  it("eats rows of each set once, as many as the longest window of it, the active one's first and four sets at most", () => {
    const shadows = ["f1", "f2", "f3", "f4", "f5"].map((fingerprint, at) =>
      roleOf(at + 2, { role: "shadow", fingerprint, window: 10 * at }),
    );
    expect(wantedRows({ active: roleOf(1, { fingerprint: "f3", window: 100 }), shadows: shadows.slice(1) })).toEqual([
      { fingerprint: "f3", rows: 100 },
      { fingerprint: "f2", rows: 10 },
      { fingerprint: "f4", rows: 30 },
      { fingerprint: "f5", rows: 40 },
    ]);
    expect(wantedRows({ active: roleOf(1, { fingerprint: "f2", window: 5 }), shadows })).toHaveLength(4);
  });
});

describe("the ledger", () => {
  it("gets every answer of a tick once, the active model's and the shadows', half a second's by one call", async () => {
    const world = new DeskWorld();
    world.roster = { revision: "r1", roles: [roleOf(1), roleOf(2, { role: "shadow" })], refused: [] };
    const desk = new ForecastDesk();
    await Promise.all([answered(desk, world), answered(desk, world), answered(desk, world, questionFor(ETH))]);
    expect(world.recorded).toEqual([]);
    await world.clock.advance(500);
    const rows = world.recorded.map((call) => call.map(({ market, model, featureTime }) => [market, model, featureTime]));
    expect(rows.map((call) => call.sort())).toEqual([[BTC, ETH].flatMap((market) => [1, 2].map((model) => [market, model, START]))]);
    expect(world.shadowed.flat().map(({ market }) => market)).toEqual([BTC, ETH]);
    expect(world.recorded[0]?.find(({ model }) => model === 2)).toMatchObject({
      bidTicks: 10_000,
      askTicks: 10_001,
      answer: { label: "point", horizons: [{ horizonMs: 1_000, movesBps: { bid: null, mid: 2, ask: null } }, { horizonMs: 5_000 }] },
    });
  });

  it("gets no horizon that the row has outlived: it is served to nobody, and would be scored as foresight", async () => {
    const horizonsAt = async (rowAgeMs: number): Promise<unknown> => {
      const world = new DeskWorld();
      world.rowAgeMs = rowAgeMs;
      await answered(new ForecastDesk(), world);
      await world.clock.advance(500);
      return world.recorded.flat().map(({ answer }) => answer.horizons.map(({ horizonMs }) => horizonMs));
    };
    expect(await horizonsAt(999)).toEqual([[1_000, 5_000]]);
    expect(await horizonsAt(1_000)).toEqual([[5_000]]);
    expect(await horizonsAt(5_000)).toEqual([]);
  });

  it("that can't be written stops no forecast, and is reported", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    world.recordFault = new Error("no database");
    await answered(desk, world);
    await world.clock.advance(1_000);
    expect(world.reports).toEqual(["forecasts-not-recorded"]);
    world.recordFault = null;
    await answered(desk, world);
    await world.clock.advance(1_000);
    expect(world.recorded.flat().map(({ featureTime }) => featureTime)).toEqual([START + 1_000]);
  });
});

describe("skill", () => {
  const horizons = [{ label: "point", horizonMs: 1_000, scored: 40, r2: 0.1, low: 0.05, high: 0.2, mark: "skilled" }] as const;

  it("is the active model's in that market, looked up once a minute", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    world.skillsNow = async () => [
      { model: 9, mark: "none", horizons: [], odds: [] },
      { model: 1, mark: "skilled", horizons, odds: [] },
    ];
    expect((await answered(desk, world)).skill).toEqual({ model: 1, mark: "skilled", horizons, odds: [] });
    await world.clock.advance(2_000);
    await answered(desk, world);
    expect(world.asked.skills).toBe(1);
  });

  it("of a model that was never scored, or of scores that can't be read, is unknown: never left out, and no reason to refuse", async () => {
    const world = new DeskWorld();
    expect((await answered(new ForecastDesk(), world)).skill).toEqual({ mark: "unknown", horizons: [], odds: [] });
    world.skillsNow = () => Promise.reject(new Error("no database"));
    expect((await answered(new ForecastDesk(), world)).skill).toEqual({ mark: "unknown", horizons: [], odds: [] });
    expect(world.reports).toEqual(["skill-unreadable"]);
  });

  it("that a cold isolate waits for longer than 300 ms is unknown, and known to those who ask when it has come", async () => {
    const world = new DeskWorld();
    const desk = new ForecastDesk();
    world.skillsNow = () => world.clock.after(5_000).then(() => [{ model: 1, mark: "skilled", horizons, odds: [] }]);
    const first = answered(desk, world);
    let isAnswered = false;
    void first.then(() => {
      isAnswered = true;
    });
    await world.clock.advance(299);
    expect(isAnswered).toBe(false);
    await world.clock.advance(1);
    expect((await first).skill).toEqual({ mark: "unknown", horizons: [], odds: [] });
    await world.clock.advance(5_000);
    expect((await answered(desk, world)).skill.mark).toBe("skilled");
  });
});
