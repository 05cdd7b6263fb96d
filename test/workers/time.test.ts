/** Times and ranges as callers write them. */

import { describe, expect, it } from "vitest";
import { MAX_RANGE_MS, parseTime, timeRange } from "../../workers/api/time.ts";

const NOON = Date.UTC(2026, 0, 5, 12);

describe("a time", () => {
  it.each([
    [String(NOON), NOON],
    ["2026-01-05T12:00:00Z", NOON],
    ["2026-01-05T12:00Z", NOON],
    ["2026-01-05T12:00:00.250Z", NOON + 250],
    ["2026-01-05T14:00:00+02:00", NOON],
    ["2026-01-05", Date.UTC(2026, 0, 5)],
    ["0", 0],
  ])("%s is read", (text, time) => {
    expect(parseTime(text)).toBe(time);
  });

  it.each([
    "2026-01-05T12:00:00",
    "2026-01-05 12:00Z",
    "2026-02-30T00:00Z-",
    "12:00",
    "-1",
    "1e12",
    "",
    "2026-13-01",
    "2026-02-30",
    "2026-02-30T00:00Z",
    "2026-06-31T12:00:00+02:00",
    "9999999999999999",
  ])('"%s" is refused: it means nothing, or another moment to each reader', (text) => {
    expect(parseTime(text)).toBeNull();
  });
});

describe("a range", () => {
  it("left out is the hour before now; half left out is completed", () => {
    expect(timeRange(undefined, undefined, NOON)).toEqual({ from: NOON - 3_600_000, to: NOON });
    expect(timeRange(NOON - 5, undefined, NOON)).toEqual({ from: NOON - 5, to: NOON });
    expect(timeRange(undefined, 7_200_000, NOON)).toEqual({ from: 3_600_000, to: 7_200_000 });
    expect(timeRange(undefined, 1_000, NOON)).toEqual({ from: 0, to: 1_000 });
  });

  it("that is empty, backwards or too long is refused", () => {
    for (const [from, to] of [
      [NOON, NOON],
      [NOON, NOON - 1],
      [0, MAX_RANGE_MS + 1],
    ] as const) {
      expect(timeRange(from, to, NOON)).toEqual({ refused: expect.any(String) });
    }
    expect(timeRange(0, MAX_RANGE_MS, NOON)).toEqual({ from: 0, to: MAX_RANGE_MS });
  });
});
