/** Which minutes a day file holds, in a row: what it forgets would be compacted twice, what it makes up would be deleted unread. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { tapesKey } from "../../core/wire/keys.ts";
import { configuredRetention } from "../../workers/retention.ts";
import { countMinutes, isIncluded, missingMinutes, sourcesOf } from "../../workers/storage/day-sources.ts";

const START = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;

function object(minute: number, { feed = "main", part = 0, uploadedAt = 1_000 } = {}): { key: string; uploadedAt: number } {
  return { key: tapesKey({ venue: "bitmex", feed, minuteMs: START + minute * MINUTE, part }), uploadedAt };
}

describe("the sources of a day file", () => {
  it("are stretches of minutes for each feed and part", () => {
    const objects = [object(3), object(0), object(1), object(1, { part: 1, uploadedAt: 9_000 }), object(7, { feed: "b-2" })];
    expect(sourcesOf(objects, START)).toEqual({ sources: '{"b-2.00":[7,7],"main.00":[0,1,3,3],"main.01":[1,1]}', sourcesUntil: 9_000 });
  });

  it("hold exactly what they were made of, minute for minute", () => {
    const minutes = fc.uniqueArray(fc.tuple(fc.nat(1_439), fc.nat(2)), { selector: ([minute, part]) => minute * 3 + part, maxLength: 60 });
    fc.assert(
      fc.property(minutes, fc.nat(1_439), fc.nat(2), (taken, minute, part) => {
        const file = sourcesOf(
          taken.map(([each, of]) => object(each, { part: of })),
          START,
        );
        expect(isIncluded(object(minute, { part }), [file], START)).toBe(taken.some(([each, of]) => each === minute && of === part));
        const missing = missingMinutes([file]);
        expect(countMinutes(missing)).toBe(1_440 - new Set(taken.map(([each]) => each)).size);
      }),
    );
  });

  it("don't hold what was uploaded later under the same name, nor what is of another day or no tapes at all", () => {
    const file = sourcesOf([object(5)], START);
    expect(isIncluded(object(5), [file], START)).toBe(true);
    expect(isIncluded(object(5, { uploadedAt: 1_001 }), [file], START)).toBe(false);
    expect(isIncluded(object(5 + 1_440), [file], START)).toBe(false);
    expect(isIncluded({ key: "models/active.json", uploadedAt: 0 }, [file], START)).toBe(false);
  });

  it("of several parts are missing what none of them has", () => {
    const files = [sourcesOf([object(0)], START), sourcesOf([object(1_439)], START)];
    expect(missingMinutes(files)).toEqual([1, 1_438]);
    expect(missingMinutes([])).toEqual([0, 1_439]);
  });
});

describe("KEEP_MINUTES_DAYS", () => {
  it("deletes nothing unless it says a whole number of days", () => {
    expect([configuredRetention(undefined), configuredRetention(""), configuredRetention("7")]).toEqual([null, null, 7]);
    for (const text of ["0", "-1", "7.5", "a week", "1e3", " 7", "100000"])
      expect(() => configuredRetention(text)).toThrow(/KEEP_MINUTES_DAYS/);
  });
});
