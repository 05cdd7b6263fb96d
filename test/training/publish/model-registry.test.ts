/** Who answers is changed by these commands: a mistake must be refused with the way out, a change must be undone by one command, and the log must tell how it came. */

import { beforeEach, describe, expect, it } from "vitest";
import type { Seat } from "../../../training/publish/held-roles.ts";
import { ModelRegistry } from "../../../training/publish/model-registry.ts";
import { type ActiveChange, undoneBy } from "../../../training/publish/role-log.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";

const ALL: Seat = { slot: "forecast", market: "*" };
const BTC: Seat = { slot: "forecast", market: "binance-spot:BTCUSDT" };
const ETH: Seat = { slot: "forecast", market: "binance-spot:ETHUSDT" };
const ACTIVATE = { action: "activate", evidence: null } as const;

let store: MemoryStore;
let registry: ModelRegistry;
let now = 0;

beforeEach(() => {
  store = memoryStore();
  now = 1_000;
  registry = new ModelRegistry(store, () => now++);
});

async function register(version: string, manifestSha256 = `sha-${version}`): Promise<{ id: string; version: string }> {
  const facts = { manifestSha256, family: "mlp", featureSet: "v1", fingerprint: "0123456789abcdef", label: "point", bytes: 10 };
  await registry.register({ id: "m", version, ...facts }, null);
  return { id: "m", version };
}

/** Each [version, market, role]. */
async function played(): Promise<string[][]> {
  return (await registry.roles()).map(({ model, market, role }) => [model.version, market, role]);
}

describe("activating", () => {
  it("puts one model in the place of another, of that seat alone, and logs whom it replaced", async () => {
    for (const version of ["1", "2", "3"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    await registry.activate({ id: "m", version: "2" }, BTC, ACTIVATE);
    await registry.activate({ id: "m", version: "1" }, { ...ALL, slot: "signal" }, ACTIVATE);
    const changed = await registry.activate({ id: "m", version: "3" }, ALL, { action: "activate", evidence: { why: "it's better" } });
    expect(changed).toMatchObject({ active: { version: "3" }, previous: { version: "1" }, isNew: true });
    expect(await played()).toEqual([
      ["2", BTC.market, "active"],
      ["1", "*", "active"],
      ["3", "*", "active"],
    ]);
    const [newest] = await registry.log(1);
    expect(newest).toEqual({
      sequence: 7,
      at: 1_006,
      action: "activate",
      slot: "forecast",
      market: "*",
      model: { id: "m", version: "3" },
      previous: { id: "m", version: "1" },
      evidence: { why: "it's better" },
    });
  });

  it("of a version that was never published is refused with how to find one; of the active one it changes nothing", async () => {
    await expect(registry.activate({ id: "m", version: "9" }, ALL, ACTIVATE)).rejects.toThrow(/m 9 was never published.*models list/);
    await register("1");
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    const rows = store.rowsOf("model_log").length;
    expect(await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE)).toMatchObject({ isNew: false });
    expect(store.rowsOf("model_log")).toHaveLength(rows);
  });

  it("makes a shadow the active one: it is asked once, not twice", async () => {
    for (const version of ["1", "2"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    await registry.shadow({ id: "m", version: "2" }, ALL, null);
    await registry.activate({ id: "m", version: "2" }, ALL, ACTIVATE);
    expect(await played()).toEqual([["2", "*", "active"]]);
  });
});

describe("publishing again", () => {
  it("the same manifest changes nothing; another of the same version takes its place, under the same key", async () => {
    await register("1");
    const [before] = await registry.versions();
    await register("1");
    expect(store.rowsOf("model_log")).toHaveLength(1);
    await register("1", "other");
    const [after] = await registry.versions();
    expect(after).toMatchObject({ key: before?.key, manifestSha256: "other" });
    expect((await registry.log(9)).map(({ action, evidence }) => [action, evidence])).toEqual([
      ["publish", { manifestSha256: "other" }],
      ["publish", { manifestSha256: "sha-1" }],
    ]);
  });
});

describe("rolling back", () => {
  it("goes back to who was active before, step by step, whatever happened in between and elsewhere", async () => {
    for (const version of ["1", "2", "3"]) await register(version);
    const activate = (version: string, seat = ALL): Promise<unknown> => registry.activate({ id: "m", version }, seat, ACTIVATE);
    const back = async (): Promise<string | null> => (await registry.rollBack(ALL, null)).active?.version ?? null;
    await activate("1");
    await activate("2");
    await activate("3", BTC);
    await registry.shadow({ id: "m", version: "3" }, ALL, null);
    await activate("3");
    expect([await back(), await back()]).toEqual(["2", "1"]);
    await activate("3");
    expect(await back()).toBe("1");
    expect((await played()).sort()).toEqual([
      ["1", "*", "active"],
      ["3", "*", "shadow"],
      ["3", BTC.market, "active"],
    ]);
  });

  it("of the first model there was leaves nobody, so that the shipped model answers again; further back is refused", async () => {
    await register("1");
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    expect(await registry.rollBack(ALL, null)).toMatchObject({ active: null, previous: { version: "1" }, isNew: true });
    expect(await played()).toEqual([]);
    expect((await registry.log(1))[0]).toMatchObject({ action: "roll-back", model: null, previous: { version: "1" } });
    await expect(registry.rollBack(ALL, null)).rejects.toThrow(/no model was ever active for forecasts of every market.*models activate/);
  });

  it("where nobody was ever active is refused with how to have somebody", async () => {
    await expect(registry.rollBack(BTC, null)).rejects.toThrow(
      /no model was ever active for forecasts of binance-spot:BTCUSDT.*models activate/,
    );
  });

  it("makes a shadow that was activated a shadow again, or says in the log why it isn't one", async () => {
    for (const version of ["1", "2", "3", "4", "5", "6"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    for (const version of ["2", "3", "4", "5"]) await registry.shadow({ id: "m", version }, ALL, null);
    await registry.activate({ id: "m", version: "2" }, ALL, { action: "promote", evidence: { ticks: 5 } });
    await registry.rollBack(ALL, { why: "it went wild" });
    expect((await played()).map(([version, , role]) => `${version} ${role}`).sort()).toEqual([
      "1 active",
      ...["2 shadow", "3 shadow", "4 shadow", "5 shadow"],
    ]);
    await registry.activate({ id: "m", version: "2" }, ALL, ACTIVATE);
    await registry.shadow({ id: "m", version: "6" }, ALL, null);
    await registry.rollBack(ALL, { why: "again" });
    expect(await played()).not.toContainEqual(["2", "*", "shadow"]);
    expect((await registry.log(1))[0]?.evidence).toEqual({ why: "again", shadowNotRestored: "4 are shadows already" });
  });

  it("undoes a promotion too, and is itself in the log with what it left", async () => {
    for (const version of ["1", "2"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    await registry.activate({ id: "m", version: "2" }, ALL, { action: "promote", evidence: { ticks: 5 } });
    await registry.rollBack(ALL, { why: "it went wild" });
    const [newest] = await registry.log(1);
    expect(newest).toMatchObject({
      action: "roll-back",
      model: { version: "1" },
      previous: { version: "2" },
      evidence: { why: "it went wild" },
    });
  });

  it("reads the log backwards as a stack would be read", () => {
    const at = (previous: number | null): ActiveChange => ({ action: "activate", previous, wasShadow: false });
    const back: ActiveChange = { action: "roll-back", previous: null, wasShadow: false };
    const undone = (...log: ActiveChange[]): number | null | undefined => undoneBy(log)?.previous;
    expect(undone()).toBeUndefined();
    expect(undone(at(null))).toBeNull();
    expect(undone(at(1), at(null))).toBe(1);
    expect(undone(back, at(1), at(null))).toBeNull();
    expect(undone(back, at(2), at(1), at(null))).toBe(1);
    expect(undone(at(1), back, at(1), at(null))).toBe(1);
    expect(undone(back, at(1), back, at(1), at(null))).toBeNull();
    expect(undone(back, at(null))).toBeUndefined();
  });
});

describe("deactivating", () => {
  it("leaves nobody there and nothing else changed, is logged, and is undone by one roll-back", async () => {
    for (const version of ["1", "2"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    await registry.activate({ id: "m", version: "2" }, BTC, ACTIVATE);
    await registry.shadow({ id: "m", version: "1" }, BTC, null);
    expect(await registry.deactivate(BTC, { why: "its own was no better" })).toMatchObject({ active: null, previous: { version: "2" } });
    expect(await played()).toEqual([
      ["1", "*", "active"],
      ["1", BTC.market, "shadow"],
    ]);
    expect((await registry.log(1))[0]).toMatchObject({
      action: "deactivate",
      market: BTC.market,
      model: null,
      previous: { version: "2" },
      evidence: { why: "its own was no better" },
    });
    expect(await registry.rollBack(BTC, null)).toMatchObject({ active: { version: "2" }, previous: null });
    expect(await registry.rollBack(BTC, null)).toMatchObject({ active: null, previous: { version: "2" } });
  });

  it("where nobody is active is refused, and writes nothing", async () => {
    await expect(registry.deactivate(ETH, null)).rejects.toThrow(/no model is active for forecasts of binance-spot:ETHUSDT/);
    expect(store.rowsOf("model_log")).toEqual([]);
  });
});

describe("shadows", () => {
  it("come and go, each with its row in the log", async () => {
    for (const version of ["1", "2"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    expect(await registry.shadow({ id: "m", version: "2" }, ALL, null)).toBe(true);
    expect(await registry.shadow({ id: "m", version: "2" }, ALL, null)).toBe(false);
    await registry.unshadow({ id: "m", version: "2" }, ALL, { why: "worse" });
    expect(await played()).toEqual([["1", "*", "active"]]);
    expect((await registry.log(2)).map(({ action }) => action)).toEqual(["unshadow", "shadow"]);
    await expect(registry.unshadow({ id: "m", version: "2" }, ALL, null)).rejects.toThrow(
      /m 2 is no shadow for forecasts of every market: those are none/,
    );
  });

  it("are never the active one, be it active for this market or for all", async () => {
    await register("1");
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    for (const seat of [ALL, BTC]) {
      await expect(registry.shadow({ id: "m", version: "1" }, seat, null)).rejects.toThrow(
        /can't be its own shadow: activate another one first/,
      );
    }
    expect(await played()).toEqual([["1", "*", "active"]]);
  });

  it("of every market may be what is active for one", async () => {
    for (const version of ["1", "2"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    await registry.activate({ id: "m", version: "2" }, BTC, ACTIVATE);
    expect(await registry.shadow({ id: "m", version: "1" }, BTC, null)).toBe(true);
    expect(await registry.shadow({ id: "m", version: "2" }, ALL, null)).toBe(true);
  });

  it("are four at most wherever they are asked, a market's own and those of every market together", async () => {
    const versions = await Promise.all(["1", "2", "3", "4", "5", "6"].map((version) => register(version)));
    const [one, two, three, four, five, six] = versions as [{ id: string; version: string }, ...{ id: string; version: string }[]];
    const names = [one, two, three, four, five, six].map((name) => name ?? one);
    const shadow = (index: number, seat: Seat): Promise<boolean> => registry.shadow(names[index] ?? one, seat, null);
    await shadow(0, ALL);
    await shadow(1, ALL);
    await shadow(2, BTC);
    await shadow(3, BTC);
    await expect(shadow(4, BTC)).rejects.toThrow(/binance-spot:BTCUSDT have 4 shadows already.*unshadow.*m 3, m 4, m 1, m 2/);
    // One more of every market would be the fifth there.
    await expect(shadow(4, ALL)).rejects.toThrow(/binance-spot:BTCUSDT have 4 shadows already/);
    expect(await shadow(4, ETH)).toBe(true);
    expect(await shadow(5, ETH)).toBe(true);
    expect(await shadow(4, { ...ALL, slot: "signal" })).toBe(true);
    await registry.unshadow(three ?? one, BTC, null);
    await expect(shadow(4, ALL)).rejects.toThrow(/binance-spot:ETHUSDT have 4 shadows already/);
  });
});

describe("the log", () => {
  it("keeps what was said as it was said, quotes and all", async () => {
    const why = `"it's" -- better'); DROP TABLE models; -- é\n`;
    await register("1");
    await registry.activate({ id: "m", version: "1" }, ALL, { action: "activate", evidence: { why } });
    expect((await registry.log(1))[0]?.evidence).toEqual({ why });
    expect(await registry.versions()).toHaveLength(1);
  });
});

describe("two people at once", () => {
  it("change one thing, and the other is told: what was judged by roles that are no more is not written", async () => {
    for (const version of ["1", "2", "3"]) await register(version);
    await registry.activate({ id: "m", version: "1" }, ALL, ACTIVATE);
    await registry.activate({ id: "m", version: "2" }, ALL, ACTIVATE);
    // Both saw 2, and want 1 again: without a guard the second would go back further, to nobody.
    const both = await Promise.allSettled([registry.rollBack(ALL, null), new ModelRegistry(store, () => now++).rollBack(ALL, null)]);
    expect(both.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(both.find(({ status }) => status === "rejected")).toMatchObject({
      reason: { name: "CommandError", message: expect.stringMatching(/somebody else .*nothing of this was done.*edgebook models list/) },
    });
    expect(await played()).toEqual([["1", "*", "active"]]);
    const shadows = await Promise.allSettled([
      registry.shadow({ id: "m", version: "2" }, ALL, null),
      registry.shadow({ id: "m", version: "3" }, ALL, null),
    ]);
    expect(shadows.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await registry.roles()).toHaveLength(2);
  });
});
