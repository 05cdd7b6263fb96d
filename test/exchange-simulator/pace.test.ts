/** The pace of a replay, on a clock that the test moves: one that is off makes a recorded hour another length, and every timing with it. */

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Hub } from "../../exchange-simulator/hub.ts";
import { Pace } from "../../exchange-simulator/pace.ts";

const START = Date.UTC(2026, 0, 5, 12);
let hub: Hub;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout"] });
  hub = new Hub();
});

afterEach(() => {
  hub.stop();
  vi.useRealTimers();
});

describe("a replay's pace", () => {
  it("lets a message go when its time has come, N times as fast as recorded", async () => {
    const pace = new Pace(20, hub);
    await pace.reach(START);
    // 10 s of the recording are 500 ms; a further 2 s, 100 ms.
    expect(await passes(pace.reach(START + 10_000))).toBe(500);
    expect(await passes(pace.reach(START + 12_000))).toBe(100);
  });

  it("makes no message late for another's sake: what is due already goes at once, and the next in its own time", async () => {
    const pace = new Pace(1, hub);
    await pace.reach(START);
    await vi.advanceTimersByTimeAsync(700);
    expect(await passes(pace.reach(START + 500))).toBe(0);
    expect(await passes(pace.reach(START + 1_000))).toBe(300);
  });

  it("waits with what it is told to wait for, and hurries nothing afterwards", async () => {
    const pace = new Pace(1, hub);
    await pace.reach(START);
    await pace.hold(() => vi.advanceTimersByTimeAsync(5_000).then(() => undefined));
    expect(await passes(pace.reach(START + 1_000))).toBe(1_000);
  });
});

/** @returns how many ms pass, of the test's clock, until it is done. */
async function passes(reached: Promise<void>): Promise<number> {
  const began = performance.now();
  let isDone = false;
  void reached.then(() => {
    isDone = true;
  });
  await vi.advanceTimersByTimeAsync(0);
  while (!isDone) await vi.advanceTimersByTimeAsync(1);
  return Math.round(performance.now() - began);
}
