/** BitMEX's public day files, written by hand in their form. */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { ImportReport, RunImportOptions } from "../../archive/import/run-import.ts";
import { eventLines, freshFolder, importFiles, linesOf, put } from "./workplace.ts";

const QUOTES = `timestamp,symbol,bidSize,bidPrice,askPrice,askSize
2020-07-01D00:00:02.000000000,ADAU20,5,0.00000896,0.00000897,7
2020-07-01D00:00:00.100000000,XBTUSD,100,9136,9136.5,200
2020-07-01D00:00:05.123456000,XBTUSD,90,9136,9136.5,200
2020-07-01D00:00:06.000000000,XBTUSD,90,9136,,
`;
const TRADES = `timestamp,symbol,side,size,price,tickDirection,trdMatchID,grossValue,homeNotional,foreignNotional
2020-07-01D00:00:05.123456000,XBTUSD,Sell,10,9136,MinusTick,ab-1,109456,0.00109,10
2020-07-01D00:00:05.123999000,XBTUSD,Buy,3,9136.5,PlusTick,ab-2,32838,0.00032,3
2020-07-01D00:00:07.5,XBTUSD,,4,9136.5,ZeroPlusTick,,43784,0.00043,4
`;
const DAY = Date.parse("2020-07-01T00:00:00Z");

/** The folders as they lie at the venue. */
function putDays(files: Readonly<Record<string, string>>): string {
  const folder = freshFolder();
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(join(path, ".."), { recursive: true });
    writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  }
  return folder;
}

function importDays(files: Readonly<Record<string, string>>, options: Partial<RunImportOptions> = {}): Promise<ImportReport> {
  return importFiles("bitmex-days", [putDays(files)], { symbols: ["XBTUSD"], ...options });
}

describe("BitMEX's day files", () => {
  it("give one-level books and trades of the symbol asked for, a trade before the quote that shows it", async () => {
    const report = await importDays({ "quote/20200701.csv.gz": QUOTES, "trade/20200701.csv.gz": TRADES });
    expect(eventLines(report)).toEqual([
      '{"format":"edgebook-events","version":1,"market":"bitmex:XBTUSD","tick":"0.5","lot":"1","source":"quote 20200701.csv.gz + trade 20200701.csv.gz; receivedAt is the venue\'s time","bookLevels":1}',
      `{"kind":"snapshot","receivedAt":${DAY + 100},"venueTime":${DAY + 100},"sequence":null,"bids":[["9136.0","100"]],"asks":[["9136.5","200"]]}`,
      `{"kind":"trade","receivedAt":${DAY + 5123},"venueTime":${DAY + 5123},"tradeId":"ab-1","price":"9136.0","size":"10","takerSide":"sell"}`,
      `{"kind":"snapshot","receivedAt":${DAY + 5123},"venueTime":${DAY + 5123},"sequence":null,"bids":[["9136.0","90"]],"asks":[["9136.5","200"]]}`,
      `{"kind":"trade","receivedAt":${DAY + 5123},"venueTime":${DAY + 5123},"tradeId":"ab-2","price":"9136.5","size":"3","takerSide":"buy"}`,
      `{"kind":"snapshot","receivedAt":${DAY + 6000},"venueTime":${DAY + 6000},"sequence":null,"bids":[["9136.0","90"]],"asks":[]}`,
      `{"kind":"trade","receivedAt":${DAY + 7500},"venueTime":${DAY + 7500},"tradeId":null,"price":"9136.5","size":"4","takerSide":null}`,
    ]);
    expect(report.refused).toBe(0);
  });

  it("keep symbols apart, though a file stands by symbol and steps back in time between them", async () => {
    const report = await importDays({ "quote/20200701.csv": QUOTES }, { symbols: ["XBTUSD", "ADAU20"] });
    expect(report.markets.map(({ market, records, outOfOrder, tick }) => [market, records, outOfOrder, tick])).toEqual([
      ["bitmex:XBTUSD", 3, 0, "0.5"],
      ["bitmex:ADAU20", 1, 0, "0.00000001"],
    ]);
  });

  it("tell a day that is missing between two as a gap, and none between neighbours", async () => {
    const on = (day: string): string =>
      `timestamp,symbol,bidSize,bidPrice,askPrice,askSize\n2020-07-${day}D12:00:00.000000000,XBTUSD,1,9136,9136.5,2\n`;
    const report = await importDays({ "quote/20200702.csv": on("02"), "quote/20200704.csv": on("04"), "quote/20200701.csv": on("01") });
    const lines = linesOf(report.markets[0]?.file ?? "").slice(1);
    expect(lines.map((line) => (JSON.parse(line) as { kind: string }).kind)).toEqual(["snapshot", "snapshot", "gap", "snapshot"]);
    expect(lines[2]).toBe(
      '{"kind":"gap","receivedAt":1593864000000,"from":1593691200000,"to":1593864000000,"reason":"no-file","detail":"a day in between is missing"}',
    );
  });

  it.each([
    ["a short row", "2020-07-01D00:00:01.000000000,XBTUSD,1,9136\n"],
    ["a time of another day", "2020-07-02D00:00:01.000000000,XBTUSD,1,9136,9136.5,2\n"],
    ["a time that is none", "2020-07-01D24:00:01.000000000,XBTUSD,1,9136,9136.5,2\n"],
    ["a time that goes back", "2020-07-01D00:00:00.050000000,XBTUSD,1,9136,9136.5,2\n"],
    ["a price without a size", "2020-07-01D00:00:01.000000000,XBTUSD,,9136,9136.5,2\n"],
    ["a size that is none", "2020-07-01D00:00:01.000000000,XBTUSD,-1,9136,9136.5,2\n"],
  ])("cost the book up to the next quote where a row can't be read: %s", async (_, row) => {
    const [names, , first, ...rest] = QUOTES.split("\n");
    const report = await importDays({ "quote/20200701.csv": [names, first, row.trimEnd(), ...rest].join("\n") });
    expect(report.refused).toBe(1);
    expect(report.markets[0]).toMatchObject({ gaps: { malformed: 1 }, byKind: { snapshot: 3, gap: 1 } });
  });

  it("are refused without a symbol, under another name, and of another kind", async () => {
    await expect(importDays({ "quote/20200701.csv": QUOTES }, { symbols: [] })).rejects.toThrow(/--symbol XBTUSD/);
    await expect(importFiles("bitmex-days", [put("quotes.csv", QUOTES)], { symbols: ["XBTUSD"] })).rejects.toThrow(
      /the day is read from the name/,
    );
    await expect(importFiles("bitmex-days", [put("20200231.csv", QUOTES)], { symbols: ["XBTUSD"] })).rejects.toThrow(
      /the day is read from the name/,
    );
    await expect(importDays({ "quote/20200701.csv": "a,b\n" })).rejects.toThrow(/line 1: neither a quote nor a trade file/);
    await expect(importDays({ "quote/20200701.csv": QUOTES }, { symbols: ["NONE"] })).rejects.toThrow(/nothing to import/);
  });
});
