/** Coverage says which minutes a study may use: time that was not covered and is counted makes a hole look like data. */

import { describe, expect, it } from "vitest";
import { Coverage } from "../../feed/coverage.ts";

const MINUTE = Date.UTC(2026, 0, 5, 12, 0);
const ALLOWED = 30_000;

describe("coverage", () => {
  it("stops where silence has outlasted the pace, also when the loss is noticed later", () => {
    const coverage = new Coverage();
    coverage.begin(MINUTE + 5_000, ALLOWED);
    coverage.end(MINUTE + 50_000);
    expect(coverage.openMinuteMs(MINUTE + 55_000)).toBe(30_000);
    expect(coverage.closeMinute(MINUTE)).toBe(30_000);
  });

  it("belongs to its minute: nothing is carried into the next, and a stretch over the minute's end is shared out", () => {
    const coverage = new Coverage();
    coverage.begin(MINUTE + 10_000, ALLOWED);
    coverage.end(MINUTE + 20_000);
    coverage.begin(MINUTE + 50_000, ALLOWED);
    // 10 s to 20 s, and 50 s to the end.
    expect(coverage.closeMinute(MINUTE)).toBe(20_000);
    expect(coverage.openMinuteMs(MINUTE + 75_000)).toBe(15_000);
    // Silent from 50 s on, which is excused up to 80 s; heard again at 95 s.
    coverage.heard(MINUTE + 95_000, ALLOWED);
    expect(coverage.closeMinute(MINUTE + 60_000)).toBe(20_000 + 25_000);
    expect(coverage.closeMinute(MINUTE + 120_000)).toBe(5_000);
    expect(coverage.closeMinute(MINUTE + 180_000)).toBe(0);
  });

  it("that turns out to have been of a wrong book is taken back, as far as its minute is open", () => {
    const coverage = new Coverage();
    coverage.begin(MINUTE + 10_000, ALLOWED);
    coverage.heard(MINUTE + 20_000, ALLOWED);
    // Silent for longer than is excused: another stretch begins at 55 s.
    coverage.heard(MINUTE + 55_000, ALLOWED);
    expect(coverage.openMinuteMs(MINUTE + 58_000)).toBe(40_000 + 3_000);
    coverage.end(MINUTE + 12_000);
    expect(coverage.openMinuteMs(MINUTE + 58_000)).toBe(12_000);
    coverage.begin(MINUTE + 59_000, ALLOWED);
    expect(coverage.closeMinute(MINUTE)).toBe(13_000);
    coverage.heard(MINUTE + 70_000, ALLOWED);
    coverage.end(MINUTE + 30_000);
    expect(coverage.closeMinute(MINUTE + 60_000)).toBe(0);
  });

  it("as a share is of the last minute and the open one together, and nothing before there was any", () => {
    const coverage = new Coverage();
    expect(coverage.share(MINUTE)).toBe(0);
    coverage.begin(MINUTE + 15_000, ALLOWED);
    coverage.heard(MINUTE + 40_000, ALLOWED);
    expect(coverage.closeMinute(MINUTE)).toBe(45_000);
    expect(coverage.share(MINUTE + 60_000)).toBe(45 / 60);
    // Excused up to 70 s.
    expect(coverage.share(MINUTE + 90_000)).toBe((45 + 10) / 90);
    coverage.end(MINUTE + 65_000);
    expect(coverage.share(MINUTE + 100_000)).toBe((45 + 5) / 100);
    coverage.closeMinute(MINUTE + 60_000);
    expect(coverage.share(MINUTE + 120_000)).toBe(5 / 60);
  });
});
