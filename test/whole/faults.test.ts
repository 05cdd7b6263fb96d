/**
 * Losses prevented: what the fault matrix (test/faults) shows of the reducer, and real sockets, runtimes and alarms don't do: an ended connection that nobody
 * notices, a close that was announced and cost something all the same, a ledger without it.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { FaultOrder } from "../../exchange-simulator/faults/fault.ts";
import type { FaultEntry } from "../../exchange-simulator/faults/record.ts";
import { gapsOf, marketsOf } from "./recorded.ts";
import { endEverything, type System, scratchData, startSystem, until } from "./system.ts";

const data = scratchData();
let system: System;
let simulator: string;
let markets: string[];

beforeAll(async () => {
  system = await startSystem(data, ["--venues", "binance-spot,coinbase-advanced,bitmex", "--markets", "2", "--seed", "5"]);
  markets = await marketsOf(system);
  const [ready = ""] = readFileSync(join(data, "logs", "simulator.log"), "utf8").split("\n");
  simulator = `http://127.0.0.1:${(JSON.parse(ready) as { listening: number }).listening}`;
});

afterAll(endEverything);

/**
 * Orders a fault and waits until it is done. @returns the simulator's own record of it, and when it was ordered by this machine's clock, which the ledger's
 * is too: the simulator's falls behind for good where the machine is slow for some seconds.
 */
async function broken(order: FaultOrder): Promise<FaultEntry & { orderedAt: number }> {
  const orderedAt = Date.now();
  const response = await fetch(`${simulator}/faults`, { method: "POST", body: JSON.stringify(order) });
  const [number] = ((await response.json()) as { numbers: number[] }).numbers;
  const done = await until(`the fault ${order.fault}`, 10_000, async () => {
    const text = await (await fetch(`${simulator}/faults/record`)).text();
    const entries = text.split("\n").filter((line) => line !== "");
    return entries.map((line) => JSON.parse(line) as FaultEntry).find((entry) => entry.order === number) ?? null;
  });
  return { ...done, orderedAt };
}

/** What the simulator's clock says: what it does by that clock is done by then. */
async function simulatedNow(market: string): Promise<number> {
  const response = await fetch(`${simulator}/truth/${market.replace(":", "/")}`);
  return ((await response.json()) as { time: number }).time;
}

/** What the ledger has that began after a fault. A trade lost in an earlier one is noted only when the next trade comes. */
async function gapsSince(names: readonly string[], at: number): Promise<unknown[]> {
  const gaps = await Promise.all(names.map((market) => gapsOf(system, market)));
  return gaps.flat().filter(({ from }) => from >= at);
}

it.each([
  ["close-1006", "binance-spot"],
  ["tcp-reset", "bitmex"],
  ["close-24h", "coinbase-advanced"],
] as const)(
  "a connection ended by %s is dialled again, and the ledger of each market of %s has it, and of no other",
  async (fault, venue) => {
    const others = markets.filter((each) => !each.startsWith(`${venue}:`));
    const { orderedAt } = await broken({ fault, venue });
    for (const market of markets.filter((each) => each.startsWith(`${venue}:`))) {
      const gap = await until(`the gap of ${market}`, 30_000, async () => {
        await system.cron();
        return (await gapsOf(system, market)).find(({ reason, to }) => reason === "connection-down" && (to ?? 0) > orderedAt);
      });
      // The last change of a book was a moment before.
      expect(gap.from).toBeGreaterThan(orderedAt - 5_000);
    }
    expect(await gapsSince(others, orderedAt)).toEqual([]);
  },
);

it("a close that the venue announces costs nothing: the next connection has everything before", async () => {
  const own = markets.filter((each) => each.startsWith("binance-spot:"));
  const { orderedAt, detail, until: closedAt } = await broken({ fault: "close-24h", venue: "binance-spot", isAnnounced: true });
  expect(detail).toBe("closed with a notice before");
  await until(
    "the close, and an alarm behind it",
    90_000,
    async () => (await simulatedNow(own[0] ?? "")) > (closedAt ?? Number.NaN) + 12_000,
  );
  await system.cron();
  expect(await gapsSince(own, orderedAt)).toEqual([]);
  await system.untilLive(30_000);
});
