/** Losses prevented: a forecast scored against a price that wasn't, or over a stretch that nobody saw. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { joinPaths, type MinutePath } from "../../core/wire/joined-path.ts";
import { decodePricePath, encodePathRow, isPathRow, MAX_PATH_CHARACTERS, type PathRow } from "../../core/wire/price-path.ts";

const T = Date.UTC(2026, 0, 5, 12, 0);
const MINUTE_MS = 60_000;

function textOf(rows: readonly PathRow[]): string {
  return rows.map((row, index) => encodePathRow(row, rows[index - 1] ?? null)).join("");
}

function row(seconds: number, bidTicks: number, askTicks: number, isBreak = false): PathRow {
  return { featureTime: T + seconds * 1_000, bidTicks, askTicks, isBreak };
}

/** Segments of rows, the first of which may go on from the path before; the clock may leap back between them. */
const anyRows = fc
  .array(
    fc.record({
      start: fc.integer({ min: -100_000, max: 2_000_000_000 }),
      prices: fc.array(fc.tuple(fc.integer({ min: 1, max: 9_000_000_000_000_000 }), fc.integer({ min: 0, max: 7_000_000_000_000 })), {
        minLength: 1,
        maxLength: 8,
      }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .chain((segments) =>
    fc.boolean().map((goesOn) =>
      segments.flatMap(({ start, prices }, segment) =>
        prices.map(
          ([bidTicks, spread], index): PathRow => ({
            featureTime: (start + index) * 1_000,
            bidTicks,
            askTicks: bidTicks + spread,
            isBreak: index === 0 && !(segment === 0 && goesOn),
          }),
        ),
      ),
    ),
  )
  .filter((rows) => rows.every(isPathRow) && textOf(rows).length <= MAX_PATH_CHARACTERS);

describe("a price path", () => {
  it("is told by what changes", () => {
    const rows = [
      row(-1, 8_812_345, 8_812_346, true),
      row(0, 8_812_345, 8_812_346),
      row(1, 8_812_346, 8_812_347),
      row(2, 8_812_345, 8_812_348),
    ];
    expect(textOf(rows)).toBe("@1767614399/8812345/1;;1;-1,2");
    expect(decodePricePath("@1767614399/8812345/1;;1;-1,2")).toEqual(rows);
  });

  it("goes on with the minute before only where it says so, and begins anew in its middle", () => {
    expect(decodePricePath("+1767614400/10/0@1767614340/9/2;,-2")).toEqual([row(0, 10, 10), row(-60, 9, 11, true), row(-59, 9, 9)]);
  });

  it("comes back as it was, whatever the prices and wherever it breaks", () => {
    fc.assert(
      fc.property(anyRows, (rows) => {
        expect(decodePricePath(textOf(rows))).toEqual(rows);
      }),
    );
  });

  it.each([
    "",
    " ",
    ";",
    ";1",
    "@",
    "@1/2",
    "@1/2/3/4",
    "@01/2/3",
    "@-0/2/3",
    "@1/0/3",
    "@1/02/3",
    "@1/-2/3",
    "@1/2/-3",
    "@1/2/00",
    "@1.5/2/3",
    "@1e3/2/3",
    "@9999999999999/2/3",
    "@1/9007199254740992/0",
    "@1/9007199254740991/1",
    "@1/2/3;0",
    "@1/2/3;,0",
    "@1/2/3;1,",
    "@1/2/3;+1",
    "@1/2/3;1;;x",
    "@1/2/3;-2",
    "@1/2/3;,-4",
    "@1/2/3;9007199254740991",
    "@1/2/3;-9007199254740993",
    "@1/2/3 ;",
    "@1/2/3;\n",
    "@1/2/3+2/2/3",
    "+1/2/3+2/2/3",
    "null",
    "[[1,2,3]]",
  ])("%j is none", (text) => {
    expect(decodePricePath(text)).toEqual({ malformed: expect.any(String) });
  });

  it("is at most so long, and a long one is refused before it is read", () => {
    const rest = ";".repeat(MAX_PATH_CHARACTERS - 6);
    expect(decodePricePath(`@1/2/3${rest}`)).toHaveLength(MAX_PATH_CHARACTERS - 5);
    expect(decodePricePath(`@1/2/3${rest};`)).toEqual({ malformed: "a price path of 1025 characters" });
  });

  it("is read as nothing else by any text at all", () => {
    const characters = fc.constantFrom(..."@+;,/-0123456789");
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 60 }), (text) => {
        const rows = decodePricePath(text);
        if (!("malformed" in rows)) expect(textOf(rows)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe("minutes of it, joined,", () => {
  const ALL = { from: 0, to: Number.MAX_SAFE_INTEGER };

  function minute(of: number, path: string, tick = "0.01"): MinutePath {
    return { minute: T + of * MINUTE_MS, tick, path };
  }

  function joined(minutes: readonly MinutePath[], range = ALL): { rows: number[][]; malformed: readonly number[] } {
    const { times, bidTicks, askTicks, segments, malformed } = joinPaths(minutes, range);
    const rows = Array.from(times, (time, at) => [
      (time - T) / 1_000,
      bidTicks[at] as number,
      askTicks[at] as number,
      segments[at] as number,
    ]);
    return { rows, malformed };
  }

  const at = (seconds: number): number => T / 1_000 + seconds;

  it("are one segment where one goes on with the other", () => {
    const minutes = [minute(0, `@${at(58)}/10/1;1`), minute(1, `+${at(60)}/12/1;`)];
    expect(joined(minutes).rows).toEqual([
      [58, 10, 11, 0],
      [59, 11, 12, 0],
      [60, 12, 13, 0],
      [61, 12, 13, 0],
    ]);
  });

  it.each([
    ["a break is written", `@${at(60)}/12/1`, "0.01"],
    ["a second is missing", `+${at(61)}/12/1`, "0.01"],
    ["the grid of prices is another", `+${at(60)}/12/1`, "0.1"],
  ])("are two segments where %s", (_, path, tick) => {
    const { rows } = joined([minute(0, `@${at(59)}/10/1`), minute(1, path, tick)]);
    expect(rows.map(([, , , segment]) => segment)).toEqual([0, 1]);
  });

  it("are cut where a minute can't be read, which is named", () => {
    const minutes = [minute(0, `@${at(59)}/10/1`), minute(1, "?"), minute(2, `+${at(60)}/12/1`)];
    expect(joined(minutes)).toEqual({
      rows: [
        [59, 10, 11, 0],
        [60, 12, 13, 1],
      ],
      malformed: [T + MINUTE_MS],
    });
  });

  it("keep the first row of a time that was written twice, and don't lead from it to the second's", () => {
    const minutes = [minute(0, `@${at(0)}/10/1;;`), minute(1, `@${at(1)}/20/1;;`)];
    expect(joined(minutes).rows).toEqual([
      [0, 10, 11, 0],
      [1, 10, 11, 0],
      [2, 10, 11, 0],
      [3, 20, 21, 1],
    ]);
  });

  it("are in the order of the market's clock where it was set back", () => {
    const minutes = [minute(0, `@${at(100)}/10/1;@${at(50)}/20/1;`)];
    expect(joined(minutes).rows).toEqual([
      [50, 20, 21, 0],
      [51, 20, 21, 0],
      [100, 10, 11, 1],
      [101, 10, 11, 1],
    ]);
  });

  it("are given from a time on, up to another that is not in it, with prices that a row before told", () => {
    const minutes = [minute(0, `@${at(57)}/10/1;1;1`), minute(1, `+${at(60)}/13/1;1`)];
    expect(joined(minutes, { from: T + 59_000, to: T + 61_000 }).rows).toEqual([
      [59, 12, 13, 0],
      [60, 13, 14, 0],
    ]);
    expect(joined([], ALL)).toEqual({ rows: [], malformed: [] });
  });
});
