/** The clock decides which second a row is of: carried away, or stuck, it gives every later row a wrong time or none. */

import { describe, expect, it } from "vitest";
import { MarketClock } from "../../feed/market-clock.ts";

const NOW = Date.UTC(2026, 0, 5, 12, 0);
const HOUR = 3_600_000;

describe("a market's clock", () => {
  it("is set anew by the third in a row that agree, at the latest of them, and by no fewer", () => {
    const clock = clockAt(NOW);
    expect(judgeAll(clock, [NOW + HOUR, NOW + HOUR + 60_000, NOW + HOUR + 30_000])).toEqual(["held", "held", "set-anew"]);
    expect(clock.time).toBe(NOW + HOUR + 60_000);
    expect(judgeAll(clock, [NOW, NOW, NOW])).toEqual(["held", "held", "set-anew"]);
    expect(clock.time).toBe(NOW);
  });

  it("forgets its witnesses at an event of now, and at one that says something else", () => {
    const clock = clockAt(NOW);
    expect(judgeAll(clock, [NOW + HOUR, NOW + HOUR, NOW, NOW + HOUR, NOW + HOUR])).toEqual(["held", "held", "moved", "held", "held"]);
    expect(judgeAll(clock, [NOW + 2 * HOUR, NOW + HOUR, NOW + HOUR])).toEqual(["held", "held", "held"]);
    expect(clock.time).toBe(NOW);
    expect(judgeAll(clock, [NOW + HOUR])).toEqual(["set-anew"]);
  });

  it("is moved by an event up to a minute ahead, and left by one up to a minute late", () => {
    const clock = clockAt(NOW);
    expect(judgeAll(clock, [NOW + 60_000, NOW])).toEqual(["moved", "moved"]);
    expect(judgeAll(clock, [NOW - 1, NOW + 120_001])).toEqual(["held", "held"]);
    expect(clock.time).toBe(NOW + 60_000);
  });
});

function clockAt(time: number): MarketClock {
  const clock = new MarketClock();
  expect(clock.judge(time, time)).toBe("moved");
  return clock;
}

function judgeAll(clock: MarketClock, times: readonly number[]): string[] {
  return times.map((time) => clock.judge(time, NOW));
}
