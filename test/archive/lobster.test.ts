/** LOBSTER's two files a day, written by hand after its document, and at random beside the books that they hold. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArchiveError } from "../../archive/archive-error.ts";
import type { ImportReport, RunImportOptions } from "../../archive/import/run-import.ts";
import { eventLines, freshFolder, importFiles } from "./workplace.ts";

const STEM = "AMZN_2012-06-21_34200000_57600000";
const HEAD =
  '{"format":"edgebook-events","version":1,"market":"nasdaq:AMZN","tick":"0.01","lot":"1","source":"AMZN_2012-06-21_34200000_57600000_message_2.csv + AMZN_2012-06-21_34200000_57600000_orderbook_2.csv; receivedAt is the exchange\'s time","bookLevels":2}';

/** [message, book] a line. */
type Line = readonly [message: string, book: string];

const LINES: readonly Line[] = [
  ["34200.017459617,1,11885113,21,2238100,1", "2239500,100,2238100,21,2239900,100,2237500,40"],
  // A better bid: 223.75 leaves the two that are shown.
  ["34200.18960767,1,3911376,20,2238200,1", "2239500,100,2238200,20,2239900,100,2238100,21"],
  // Hidden: the book stays.
  ["34200.5,5,0,7,2239000,-1", "2239500,100,2238200,20,2239900,100,2238100,21"],
  // The resting bid is hit: 223.75 is seen again, with another size.
  ["34200.6,4,3911376,20,2238200,1", "2239500,100,2238100,21,2239900,100,2237500,35"],
  // Nothing behind the best ask.
  ["34201,3,1,100,2239900,-1", "2239500,100,2238100,21,9999999999,0,2237500,35"],
  ["34202,6,-1,500,2239000,-1", "2239500,100,2238100,21,9999999999,0,2237500,35"],
];

/** 9:30 in New York on that day is 13:30 UTC. */
const OPEN = Date.parse("2012-06-21T13:30:00Z");

function putDay(lines: readonly Line[], stem = STEM, folder = freshFolder()): string[] {
  mkdirSync(folder, { recursive: true });
  const paths = [join(folder, `${stem}_message_2.csv`), join(folder, `${stem}_orderbook_2.csv`)];
  for (const [which, path] of paths.entries()) writeFileSync(path, lines.map((line) => `${line[which]}\n`).join(""));
  return paths;
}

function importDay(lines: readonly Line[], options: Partial<RunImportOptions> = {}): Promise<ImportReport> {
  return importFiles("lobster", putDay(lines), options);
}

function kindsOf(report: ImportReport): string[] {
  return eventLines(report)
    .slice(1)
    .map((line) => (JSON.parse(line) as { kind: string }).kind);
}

describe("LOBSTER", () => {
  it("gives the book behind each message and the taker's side, the opposite of the resting order's", async () => {
    const report = await importDay(LINES);
    expect(eventLines(report)).toEqual([
      HEAD,
      `{"kind":"snapshot","receivedAt":${OPEN + 17},"venueTime":${OPEN + 17},"sequence":null,"bids":[["223.81","21"],["223.75","40"]],"asks":[["223.95","100"],["223.99","100"]]}`,
      `{"kind":"depth","receivedAt":${OPEN + 189},"venueTime":${OPEN + 189},"sequence":null,"bids":[["223.75","0"],["223.82","20"]],"asks":[]}`,
      `{"kind":"trade","receivedAt":${OPEN + 500},"venueTime":${OPEN + 500},"tradeId":null,"price":"223.90","size":"7","takerSide":"buy"}`,
      `{"kind":"trade","receivedAt":${OPEN + 600},"venueTime":${OPEN + 600},"tradeId":null,"price":"223.82","size":"20","takerSide":"sell"}`,
      `{"kind":"depth","receivedAt":${OPEN + 600},"venueTime":${OPEN + 600},"sequence":null,"bids":[["223.82","0"],["223.75","35"]],"asks":[]}`,
      `{"kind":"depth","receivedAt":${OPEN + 1000},"venueTime":${OPEN + 1000},"sequence":null,"bids":[],"asks":[["223.99","0"]]}`,
    ]);
    // Said, so that nobody misses the auction's shares, and no loss of the book.
    expect(report.refusedSamples).toEqual([`${STEM}_message_2.csv line 6: a cross, which nobody took`]);
  });

  it("tells a halt as a gap from its beginning to the resumption of trading, not of quoting", async () => {
    const book = LINES[0]?.[1] ?? "";
    const report = await importDay([
      ["34200.5,1,1,21,2238100,1", book],
      ["34210,7,0,0,-1,-1", book],
      ["34220,7,0,0,0,-1", book],
      ["34221,1,2,5,2238000,1", book.replace(",21,", ",26,")],
      ["34230,7,0,0,1,-1", book.replace(",21,", ",26,")],
      ["34300,7,0,0,-1,-1", book.replace(",21,", ",26,")],
    ]);
    expect(kindsOf(report)).toEqual(["snapshot", "depth", "gap", "gap"]);
    expect(eventLines(report).slice(3)).toEqual([
      `{"kind":"gap","receivedAt":${OPEN + 30_000},"from":${OPEN + 10_000},"to":${OPEN + 30_000},"reason":"halt","detail":"trading was halted"}`,
      `{"kind":"gap","receivedAt":${OPEN + 100_000},"from":${OPEN + 100_000},"to":null,"reason":"halt","detail":"trading was halted"}`,
    ]);
  });

  it("takes days in the order of their dates with the night between them as a gap, each by the offset of its season", async () => {
    const folder = freshFolder();
    putDay([LINES[0] as Line], "AMZN_2012-12-03_34200000_57600000", folder);
    putDay([LINES[0] as Line], STEM, folder);
    const lines = eventLines(await importFiles("lobster", [folder]));
    const winter = Date.parse("2012-12-03T14:30:00Z") + 17;
    expect(lines.slice(2)).toEqual([
      `{"kind":"gap","receivedAt":${winter},"from":${OPEN + 17},"to":${winter},"reason":"no-file","detail":"between the files of two days"}`,
      expect.stringContaining(`{"kind":"snapshot","receivedAt":${winter},`),
    ]);
  });

  it("takes day, market and offset from whoever knows them better than the names", async () => {
    const [first] = LINES;
    const options = { market: "x:Y", date: "2013-01-02", utcOffsetMs: 0 };
    const report = await importFiles("lobster", putDay([first as Line], "data"), options);
    expect(report.markets[0]).toMatchObject({ market: "x:Y", from: Date.parse("2013-01-02T09:30:00.017Z") });
    await expect(importFiles("lobster", putDay([first as Line], "data"))).rejects.toThrow(/neither its name nor --date says a day/);
    await expect(importFiles("lobster", putDay([first as Line], "data"), { date: "2013-01-02" })).rejects.toThrow(/give --market/);
    await expect(importFiles("lobster", putDay([first as Line], "data"), { ...options, date: "2013-02-30" })).rejects.toThrow(
      /a day such as/,
    );
  });

  it("reads the attribution of newer files over", async () => {
    expect(kindsOf(await importDay([["34200.5,1,1,21,2238100,1,null", LINES[0]?.[1] ?? ""]]))).toEqual(["snapshot"]);
  });
});

describe("a line of LOBSTER that is none", () => {
  const [first, second] = LINES as [Line, Line];

  it.each([
    ["a short message", ["34200.1,1,1,21,2238100", second[1]]],
    ["a type that isn't there", ["34200.1,8,1,21,2238100,1", second[1]]],
    ["a direction that is none", ["34200.1,4,1,21,2238100,0", second[1]]],
    ["a negative price", ["34200.1,4,1,21,-2238100,1", second[1]]],
    ["a time of another day", ["90000.1,1,1,21,2238100,1", second[1]]],
    ["a time that goes back", ["34200.016,1,1,21,2238100,1", second[1]]],
    ["a book of fewer levels", [second[0], "2239500,100,2238200,20"]],
    ["a book of more levels", [second[0], `${second[1]},1,1,1,1`]],
    ["asks that don't rise", [second[0], "2239500,100,2238200,20,2239400,100,2238100,21"]],
    ["a level of no shares", [second[0], "2239500,0,2238200,20,2239900,100,2238100,21"]],
    ["an empty line", ["", second[1]]],
  ] as const)("costs the book up to the next line, and no more: %s", async (_, bad) => {
    const report = await importDay([first, bad, ["34200.2,1,3,20,2238200,1", second[1]]]);
    expect(report.refused).toBe(1);
    expect(kindsOf(report)).toEqual(["snapshot", "gap", "snapshot"]);
    expect(report.markets[0]?.gaps).toEqual({ malformed: 1 });
  });

  it("ends the import where one file is shorter, with what came before it", async () => {
    const folder = freshFolder();
    const [messages = "", books = ""] = putDay(LINES, STEM, folder);
    writeFileSync(books, `${LINES[0]?.[1]}\n${LINES[1]?.[1]}\n`);
    const report = await importFiles("lobster", [messages, books]);
    expect(report.failure).toMatch(/orderbook_2\.csv ends at line 2, and the file beside it goes on/);
    expect(kindsOf(report)).toEqual(["snapshot", "depth"]);
  });

  it("refuses files without their partner, of the same day twice, and of no book", async () => {
    const [messages = ""] = putDay(LINES);
    await expect(importFiles("lobster", [messages])).rejects.toThrow(/its order book file is missing beside it/);
    await expect(importFiles("lobster", [...putDay(LINES), ...putDay(LINES)])).rejects.toThrow(/has that day twice/);
    await expect(importFiles("lobster", putDay([["34200,1,1,21,2238100,1", "a,b,c,d"]]))).rejects.toThrow(
      /orderbook_2\.csv line 1: no ask price/,
    );
  });

  it("never ends in anything but a report or an ArchiveError, and what is written is read again", async () => {
    const noise = fc.record({ line: fc.nat(5), file: fc.nat(1), at: fc.nat(60), put: fc.string({ maxLength: 6, unit: "binary" }) });
    await fc.assert(
      fc.asyncProperty(fc.array(noise, { minLength: 1, maxLength: 3 }), async (changes) => {
        const lines = LINES.map((line) => [...line] as [string, string]);
        for (const { line, file, at, put } of changes) {
          const target = lines[line] as [string, string];
          const text = target[file] as string;
          target[file] = text.slice(0, at) + put + text.slice(at + put.length);
        }
        const report = await importDay(lines).catch((error: unknown) => {
          if (!(error instanceof ArchiveError)) throw error;
          return null;
        });
        if (report !== null) for (const { file } of report.markets) expect((await importFiles("events", [file])).refused).toBe(0);
      }),
      { numRuns: 100 },
    );
  });
});

describe("the book that comes of LOBSTER's lines", () => {
  /** Distinct prices of each side, apart from each other. */
  const sides = fc.record({
    asks: fc.uniqueArray(fc.integer({ min: 101, max: 112 }), { maxLength: 3 }),
    bids: fc.uniqueArray(fc.integer({ min: 88, max: 99 }), { maxLength: 3 }),
    size: fc.integer({ min: 1, max: 5 }),
  });

  it("is at each line what the file shows, level for level, whatever comes into view and leaves it", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sides, { minLength: 2, maxLength: 12 }), async (books) => {
        const lines = books.map(({ asks, bids, size }, index): Line => {
          const rising = asks.toSorted((left, right) => left - right);
          const falling = bids.toSorted((left, right) => right - left);
          const cells = [0, 1, 2].flatMap((level) => [
            ...(rising[level] === undefined ? [9_999_999_999, 0] : [rising[level] * 100, size + level]),
            ...(falling[level] === undefined ? [-9_999_999_999, 0] : [falling[level] * 100, size]),
          ]);
          return [`${34_200 + index},1,1,1,100,1`, cells.join(",")];
        });
        const shown = new Map<number, Record<"bids" | "asks", Map<string, string>>>();
        const book = { bids: new Map<string, string>(), asks: new Map<string, string>() };
        for (const line of eventLines(await importDay(lines)).slice(1)) {
          const event = JSON.parse(line) as { kind: string; receivedAt: number } & Record<"bids" | "asks", [string, string][]>;
          for (const side of ["bids", "asks"] as const) {
            if (event.kind === "snapshot") book[side].clear();
            for (const [price, size] of event[side]) {
              if (Number(size) === 0) book[side].delete(price);
              else book[side].set(price, size);
            }
          }
          shown.set((event.receivedAt - OPEN) / 1000, { bids: new Map(book.bids), asks: new Map(book.asks) });
        }
        let last: Record<"bids" | "asks", Map<string, string>> | undefined;
        for (const [index, { asks, bids, size }] of books.entries()) {
          last = shown.get(index) ?? last;
          const rising = asks.toSorted((left, right) => left - right);
          const wantedAsks = rising.map((price, level): [number, number] => [price / 100, size + level]);
          const wantedBids = bids.map((price): [number, number] => [price / 100, size]);
          const numbers = (side: Map<string, string> | undefined): [number, number][] =>
            [...(side ?? [])]
              .map(([price, shares]): [number, number] => [Number(price), Number(shares)])
              .sort(([left], [right]) => left - right);
          expect(numbers(last?.asks)).toEqual(wantedAsks);
          expect(numbers(last?.bids)).toEqual(wantedBids.sort(([left], [right]) => left - right));
        }
      }),
      { numRuns: 100 },
    );
  });
});
