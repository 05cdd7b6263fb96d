/** Ranges and ETags: an answer to another question than was asked would be joined to a file on somebody's disk. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { askedRange, isNamed } from "../../workers/api/preconditions.ts";

describe("a range of 100 bytes", () => {
  it.each<[string | undefined, ReturnType<typeof askedRange>]>([
    [undefined, "whole"],
    ["bytes=0-", { offset: 0, length: 100 }],
    ["bytes=0-0", { offset: 0, length: 1 }],
    ["bytes=10-19", { offset: 10, length: 10 }],
    ["bytes=99-", { offset: 99, length: 1 }],
    ["bytes=90-1000", { offset: 90, length: 10 }],
    ["bytes=-7", { offset: 93, length: 7 }],
    ["bytes=-1000", { offset: 0, length: 100 }],
    ["bytes=100-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    // What is no single range of bytes is answered with the whole.
    ["bytes=", "whole"],
    ["bytes=-", "whole"],
    ["bytes=5-2", "whole"],
    ["bytes=0-1,5-6", "whole"],
    ["lines=0-1", "whole"],
    ["bytes=a-b", "whole"],
  ])("%s is %o", (range, expected) => {
    expect(askedRange(range, 100)).toEqual(expected);
  });

  it("never leaves the file, whatever is asked for", () => {
    fc.assert(
      fc.property(fc.nat(300), fc.option(fc.nat(300)), fc.integer({ min: 1, max: 200 }), (from, to, bytes) => {
        const range = askedRange(`bytes=${from}-${to ?? ""}`, bytes);
        if (typeof range === "string") return;
        expect(range.length).toBeGreaterThan(0);
        expect(range.offset + range.length).toBeLessThanOrEqual(bytes);
      }),
    );
  });
});

describe("a list of ETags", () => {
  it.each<[string | undefined, boolean]>([
    ['"a"', true],
    ['W/"a"', true],
    ['"b", "a"', true],
    ["*", true],
    ['"b"', false],
    ["a", false],
    [undefined, false],
    ['"a" and more', false],
  ])("%s names it: %s", (list, expected) => {
    expect(isNamed('"a"', list)).toBe(expected);
  });
});
