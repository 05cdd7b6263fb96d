/** Split labels: a minute that is trained on and tested on is a score that means nothing, and nobody would see it. */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { DEFAULT_HORIZONS_MS } from "../../core/labels/horizons.ts";
import {
  DEFAULT_SPLIT_SCHEDULE,
  MIN_EMBARGO_MINUTES,
  parseSplitSchedule,
  type SplitLabel,
  type SplitSchedule,
  splitOf,
  splitScheduleId,
} from "../../core/labels/split.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

describe("the label of a minute", () => {
  /** 2026-01-05 is day 20,458 since 1970: the ninth of its cycle of ten, the first of test's two. */
  it.each<[string, SplitLabel]>([
    ["2025-12-28T00:00Z", "embargo"],
    ["2025-12-28T00:59Z", "embargo"],
    ["2025-12-28T01:00Z", "train"],
    ["2026-01-02T23:59Z", "train"],
    ["2026-01-03T00:00Z", "embargo"],
    ["2026-01-03T01:00Z", "validation"],
    ["2026-01-04T23:59Z", "validation"],
    ["2026-01-05T00:59Z", "embargo"],
    ["2026-01-05T01:00Z", "test"],
    ["2026-01-06T00:00Z", "test"],
    ["2026-01-06T23:59Z", "test"],
    ["2026-01-07T00:00Z", "embargo"],
    ["2026-01-07T01:00Z", "train"],
  ])("%s is %s: what is stored once must be the same on every machine, for ever", (time, label) => {
    expect(splitOf(Date.parse(time), DEFAULT_SPLIT_SCHEDULE)).toBe(label);
  });

  it("comes in blocks of whole days, each with its embargo at the head, as often as the schedule says", () => {
    const counts = new Map<SplitLabel, number>();
    for (let minute = 0; minute < 10 * DAY; minute += MINUTE) {
      const label = splitOf(minute + 400 * DAY, DEFAULT_SPLIT_SCHEDULE);
      counts.set(label, (counts.get(label) ?? 0) + 1);
    }
    expect(Object.fromEntries(counts)).toEqual({ embargo: 180, train: 6 * 1_440 - 60, validation: 2 * 1_440 - 60, test: 2 * 1_440 - 60 });
  });

  it("gives each part every day of the week equally often: a test that were always the weekend's would be a test of weekends", () => {
    const weekdays: Record<string, number[]> = { train: [], validation: [], test: [] };
    for (let day = 0; day < 70; day++) {
      const noon = day * DAY + DAY / 2;
      weekdays[splitOf(noon, DEFAULT_SPLIT_SCHEDULE)]?.push(new Date(noon).getUTCDay());
    }
    for (const [label, days] of Object.entries(weekdays)) {
      const each = Array.from({ length: 7 }, (_, weekday) => days.filter((day) => day === weekday).length);
      expect([label, new Set(each).size]).toEqual([label, 1]);
    }
  });

  it("is never of two parts within an embargo of each other, under any schedule", () => {
    const schedule = fc.record({
      trainDays: fc.integer({ min: 1, max: 9 }),
      validationDays: fc.integer({ min: 1, max: 9 }),
      testDays: fc.integer({ min: 1, max: 9 }),
      embargoMinutes: fc.integer({ min: MIN_EMBARGO_MINUTES, max: 720 }),
    });
    fc.assert(
      fc.property(schedule, fc.integer({ min: 0, max: 100_000_000 }), fc.integer({ min: 1, max: 720 }), (of, index, apart) => {
        const [one, other] = [splitOf(index * MINUTE, of), splitOf((index + apart) * MINUTE, of)];
        if (apart <= of.embargoMinutes && one !== "embargo" && other !== "embargo") expect(other).toBe(one);
      }),
    );
  });
});

describe("the embargo", () => {
  it("is longer than the longest horizon and the longest look back together: else a label of one part is made of another's prices", () => {
    const reachMs = Math.max(...DEFAULT_HORIZONS_MS) + featureSetV1.warmupMs;
    expect(MIN_EMBARGO_MINUTES * MINUTE).toBeGreaterThan(reachMs);
    expect(DEFAULT_SPLIT_SCHEDULE.embargoMinutes * MINUTE).toBeGreaterThan(5 * reachMs);
  });
});

describe("a schedule", () => {
  it("has a name that says all of it: two schedules of one name would make labels that can't be told apart", () => {
    expect(splitScheduleId(DEFAULT_SPLIT_SCHEDULE)).toBe("days-6-2-2-embargo-60min");
    const others: Partial<SplitSchedule>[] = [{ trainDays: 7 }, { validationDays: 7 }, { testDays: 7 }, { embargoMinutes: 70 }];
    expect(new Set(others.map((other) => splitScheduleId({ ...DEFAULT_SPLIT_SCHEDULE, ...other }))).size).toBe(4);
  });

  it("is read from its variable, each number in its own place; nothing said is the default", () => {
    const text = '{"trainDays":20,"validationDays":4,"testDays":5,"embargoMinutes":120}';
    expect(parseSplitSchedule(text)).toEqual({ trainDays: 20, validationDays: 4, testDays: 5, embargoMinutes: 120 });
    expect(parseSplitSchedule("")).toEqual({ trainDays: 6, validationDays: 2, testDays: 2, embargoMinutes: 60 });
  });

  it.each([
    ["that is no object", "[]", /JSON object/],
    ["that is no JSON", "train", /JSON object/],
    ["without a part", '{"trainDays":6,"validationDays":2,"embargoMinutes":60}', /needs testDays/],
    ["with a part of no days", '{"trainDays":0,"validationDays":2,"testDays":2,"embargoMinutes":60}', /needs trainDays/],
    ["with half a day", '{"trainDays":6,"validationDays":1.5,"testDays":2,"embargoMinutes":60}', /needs validationDays/],
    ["with too short an embargo", '{"trainDays":6,"validationDays":2,"testDays":2,"embargoMinutes":9}', /embargoMinutes.*from 10/],
    ["with a word of its own", '{"trainDays":6,"validationDays":2,"testDays":2,"embargoMinutes":60,"id":"x"}', /no "id"/],
  ])("%s is refused, and the text says what to change: a label of a guess would stay", (_, text, message) => {
    const parsed = parseSplitSchedule(text);
    expect("malformed" in parsed ? parsed.malformed : "it was accepted").toMatch(message);
  });

  it("that is deployed can be read", () => {
    const text = /^SPLITS = '(.*)'$/m.exec(readFileSync(resolve(import.meta.dirname, "..", "..", "wrangler.toml"), "utf8"))?.[1];
    expect(parseSplitSchedule(text ?? "none")).toEqual(DEFAULT_SPLIT_SCHEDULE);
  });
});
