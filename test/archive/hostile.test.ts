/** Files that are cut, foreign, or meant ill: the error names file and line, and what came before is kept. */

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArchiveError } from "../../archive/archive-error.ts";
import { importers } from "../../archive/import/registry.ts";
import { EVENTS_NPZ } from "./numpy-files.ts";
import { eventLines, exportFiles, importFiles, put } from "./workplace.ts";

const TRADES = `exchange,symbol,timestamp,local_timestamp,id,side,price,amount\n${Array.from(
  { length: 40_000 },
  (_, index) =>
    `bitmex,XBTUSD,158569920540${String(index).padStart(4, "0")},15856992054${String(index).padStart(5, "0")},${index},buy,6425,${1 + ((index * 7919) % 1000)}`,
).join("\n")}\n`;

describe("a file that ends too early", () => {
  it("is read up to there, and the error says where", async () => {
    const whole = gzipSync(TRADES);
    const report = await importFiles("tardis", [put("cut.csv.gz", whole.subarray(0, Math.floor(whole.length / 2)))]);
    const lines = eventLines(report).length;
    expect(lines).toBeGreaterThan(10_000);
    // One line more in the file: its names; one line less here: our header.
    expect(report.failure).toMatch(new RegExp(`cut\\.csv\\.gz can't be read beyond line ${lines} `));
  });

  it("is refused when there is nothing before", async () => {
    await expect(importFiles("tardis", [put("no.csv.gz", Buffer.from("no gzip"))])).rejects.toThrow(
      /no\.csv\.gz can't be read beyond line 0/,
    );
  });

  it("of NumPy's says the row", async () => {
    const npz = Buffer.from(EVENTS_NPZ, "base64");
    for (const cut of [10, 60, 200, npz.length - 30]) {
      const file = put("cut.npz", npz.subarray(0, cut));
      await expect(importFiles("hftbacktest", [file], { market: "binance-spot:BTCUSDT" })).rejects.toThrow(ArchiveError);
    }
  });
});

describe("a line that is no record", () => {
  it("is refused with its number and reason, and the lines around it are taken", async () => {
    const text = `exchange,symbol,timestamp,local_timestamp,id,side,price,amount
bitmex,XBTUSD,1585699205400000,1585699205423000,1,buy,6425,14
bitmex,XBTUSD,1585699205400000,yesterday,2,buy,6425,14
bitmex,XBTUSD,1585699205400000,1585699205423000,3,buy
bitmex,XBTUSD,1585699205400000,1585699205423000,4,buy,-6425,14
bitmex,XBTUSD,1585699205400000,1585699205423000,5,"buy,6425,14
bitmex,XBTUSD,1585699205400000,1585699205423000,6,buy,6425,0
bitmex,XBTUSD,1585699205400000,1585699205423000,7,sell,6424.5,1
`;
    const report = await importFiles("tardis", [put("t.csv", text)]);
    expect(eventLines(report)).toHaveLength(3);
    expect(report.refusedSamples).toEqual([
      "t.csv line 3: no trade of Tardis",
      "t.csv line 4: 6 fields, where the first line names 8",
      "t.csv line 5: no trade of Tardis",
      "t.csv line 6: not a CSV record",
      "t.csv line 7: a trade of size 0",
    ]);
    expect(report.refusedBy).toMatchObject({ "no trade of Tardis": 2, "a trade of size 0": 1 });
  });

  it("is refused when it lies off the grids that were given, rather than moved onto them", async () => {
    const text = '{"t":1,"exch_ts":1,"recv_ts":1,"bids":[[5,1]],"asks":[]}\n{"t":2,"exch_ts":2,"recv_ts":2,"bids":[[5.25,1]],"asks":[]}\n';
    const grids = new Map([["BTC-USD", { tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 0, mantissa: 1 } }]]);
    const report = await importFiles("standx", [put("30s_L20.ndjson", text)], { grids });
    expect(report.markets[0]).toMatchObject({ tick: "0.5", grids: "given", byKind: { snapshot: 1, gap: 1 } });
    expect(report.refusedSamples[0]).toMatch(/line 2: a price or size off the grid.*5\.25/);
  });

  it("costs a bounded report, however many they are and whatever they say", async () => {
    const bad = Array.from({ length: 5_000 }, (_, index) => `{"date":"x${index}","time":"y"}`).join("\n");
    const good = '{"date":"2018-03-01","time":"00:00:00","prices":[1,2],"volumes":[1,1]}';
    const report = await importFiles("recorder", [put("d.json", `${bad}\n${good}\n`)]);
    expect(report.refused).toBe(5_000);
    expect(report.refusedSamples).toHaveLength(20);
    expect(Object.keys(report.refusedBy).length).toBeLessThanOrEqual(100);
  });
});

describe("a file of another kind", () => {
  it.each([
    ["a missing column", "klines-csv", "BTCUSDT.csv", "time,open\n1,2\n", /BTCUSDT\.csv line 1: there is no column "open_time_ms"/],
    ["no form of StandX", "standx", "30s_x.ndjson", "{}\n", /30s_x\.ndjson line 1: no form of StandX/],
    ["no file of Tardis", "tardis", "x.csv", "a,b\n1,2\n", /x\.csv line 1: neither incremental_book_L2 nor trades/],
    ["no answer", "binance-klines", "X.json", '{"code":-1121}', /X\.json line 1: not an answer of klines: the body is no array/],
    ["a day without a name", "fx-quotes", "today.csv", "ms_of_day,bid,ask\n1,1,1\n", /today\.csv: the day is read from the name/],
    ["no events", "events", "x.ndjson", "{}\n", /x\.ndjson line 1: the first line does not say "format":"edgebook-events"/],
    ["no venue", "wire", "x.txt", "1626993367.875267: {}\n", /neither first line nor messages name one venue/],
    ["nothing at all", "recorder", "x.json", "", /nothing to import/],
    ["a table without its header", "csv", "book.csv.gz", "event\n1\n", /header\.json is missing/],
  ])("is refused: %s", async (_, format, name, text, message) => {
    await expect(importFiles(format, [put(name, text)])).rejects.toThrow(message);
  });

  it("is not exported either: a foreign format is imported first", async () => {
    await expect(exportFiles([put("x.ndjson", "{}\n")], {})).rejects.toThrow(/neither a tape record nor a header of events/);
  });

  it("is told from a wrong path", async () => {
    await expect(importFiles("tardis", ["/nowhere/at/all"])).rejects.toThrow("there is no file or folder /nowhere/at/all");
  });
});

describe("noise", () => {
  const SEEDS: readonly (readonly [format: string, name: string, text: string])[] = [
    [
      "tardis",
      "b.csv",
      "exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount\nbitmex,XBTUSD,1585699200245000,1585699205323100,true,ask,6425,14\nbitmex,XBTUSD,1585699205400999,1585699205423456,false,bid,6424.5,0\n",
    ],
    [
      "standx",
      "diffL20.ndjson",
      '{"type":"snapshot","E":1000000,"R":1000400,"b":[[100.2,1.5]],"a":[[100.3,0.0001]]}\n{"type":"diff","E":1000250,"R":1000650,"b":[[100.1,0]],"a":[]}\n',
    ],
    ["recorder", "d.json", '{"date":"2018-03-01","time":"00:01:00","prices":[10299.5,10300,10300.5,10301],"volumes":[7,5,3,9]}\n'],
    [
      "wire",
      "w.txt",
      'wss://stream.binance.com:9443/stream <-> 1633998511.159679\n1633998512.0633569: {"stream":"nknusdt@depth@100ms","data":{"e":"depthUpdate","E":1633998512068,"s":"NKNUSDT","U":2,"u":3,"b":[["0.35130000","6195.00000000"]],"a":[]}}\nhttps://api.binance.com/api/v3/depth?symbol=NKNUSDT&limit=1000 -> 1633998512.320639: {"lastUpdateId":2,"bids":[["0.35210000","672.00000000"]],"asks":[]}\n',
    ],
  ];

  it("never ends in anything but a report or an ArchiveError", async () => {
    const mutation = fc.record({ at: fc.nat(600), cut: fc.nat(12), put: fc.string({ maxLength: 8, unit: "binary" }) });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...SEEDS),
        fc.array(mutation, { minLength: 1, maxLength: 4 }),
        async ([format, name, seed], mutations) => {
          let text = seed;
          for (const { at, cut, put: noise } of mutations)
            text = text.slice(0, at % text.length) + noise + text.slice((at % text.length) + cut);
          const report = await importFiles(format, [put(name, text)]).catch((error: unknown) => {
            if (!(error instanceof ArchiveError)) throw error;
            return null;
          });
          // What was written is read again without a refusal.
          if (report !== null) for (const { file } of report.markets) expect((await importFiles("events", [file])).refused).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("finds every format in the registry by its name", () => {
    expect(new Set(importers.map(({ format }) => format)).size).toBe(importers.length);
  });
});
