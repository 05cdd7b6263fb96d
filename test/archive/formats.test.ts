/** Each foreign format, from a file written by hand after its document: what comes out, line by line. */

import { describe, expect, it } from "vitest";
import { importTape } from "../../archive/import/wire.ts";
import { EVENTS_NPZ, VERSION_1_NPZ } from "./numpy-files.ts";
import { eventLines, freshFolder, importFiles, linesOf, put, silent } from "./workplace.ts";

function header(market: string, grids: readonly [string, string], source: string): string {
  return `{"format":"edgebook-events","version":1,"market":"${market}","tick":"${grids[0]}","lot":"${grids[1]}","source":"${source}"`;
}

describe("StandX", () => {
  const DIFFS = [
    '{"type":"snapshot","E":1000000,"R":1000400,"b":[[100.2,1.5],[100.1,2]],"a":[[100.3,0.0001]]}',
    '{"type":"diff","E":1000250,"R":1000650,"b":[[100.1,0]],"a":[]}',
    '{"type":"snapshot","gap_ms":7000,"E":1007200,"R":1007650,"b":[[100.2,1]],"a":[[100.2,3]]}',
  ].join("\n");
  const TRADES = "exch_ts_ms,recv_ts_ms,price,qty\n1000200,1000500,100.25,0.5\n1000300,1000700,100.23,0.5\n1007300,1007700,100.2,1\n";

  it("keeps every silence as a gap, and merges trades by receive time on a grid that holds them exactly", async () => {
    const report = await importFiles("standx", [put("diffL20_d.ndjson.gz", DIFFS), put("trades_d.csv", TRADES)]);
    expect(eventLines(report)).toEqual([
      `${header("standx:BTC-USD", ["0.01", "0.0001"], "diffL20_d.ndjson.gz + trades_d.csv")},"bookLevels":20}`,
      '{"kind":"snapshot","receivedAt":1000400,"venueTime":1000000,"sequence":null,"bids":[["100.20","1.5000"],["100.10","2.0000"]],"asks":[["100.30","0.0001"]]}',
      '{"kind":"trade","receivedAt":1000500,"venueTime":1000200,"tradeId":null,"price":"100.25","size":"0.5000","takerSide":null}',
      '{"kind":"depth","receivedAt":1000650,"venueTime":1000250,"sequence":null,"bids":[["100.10","0.0000"]],"asks":[]}',
      '{"kind":"trade","receivedAt":1000700,"venueTime":1000300,"tradeId":null,"price":"100.23","size":"0.5000","takerSide":null}',
      '{"kind":"gap","receivedAt":1007650,"from":1000650,"to":1007650,"reason":"silence","detail":"7000 ms without a book"}',
      '{"kind":"snapshot","receivedAt":1007650,"venueTime":1007200,"sequence":null,"bids":[["100.20","1.0000"]],"asks":[["100.20","3.0000"]]}',
      '{"kind":"trade","receivedAt":1007700,"venueTime":1007300,"tradeId":null,"price":"100.20","size":"1.0000","takerSide":null}',
    ]);
    expect(report.markets[0]).toMatchObject({ gaps: { silence: 1 }, gapMs: 7000, levels: 6, outOfOrder: 0 });
  });

  it("works sides out only when told to, and says so: above the mid bought, at the mid by the tick", async () => {
    const report = await importFiles("standx", [put("diffL20_d.ndjson", DIFFS), put("trades_d.csv", TRADES)], { sides: "inferred" });
    const [head, ...lines] = eventLines(report);
    expect(head).toContain('"sideInferred":"quote rule, then tick rule"');
    // 100.25 is the mid and the first trade: nobody knows. 100.23 lies below it. After the gap 100.2 is the locked mid, and there is no trade before.
    expect(lines.filter((line) => line.includes('"trade"')).map((line) => (JSON.parse(line) as { takerSide: unknown }).takerSide)).toEqual([
      null,
      "sell",
      null,
    ]);
    expect(report.markets[0]?.sidesInferred).toBe(1);
  });

  it("reads the book of each second, with holes where a level was missing", async () => {
    const names = Array.from({ length: 10 }, (_, depth) => `bp${depth},bq${depth},ap${depth},aq${depth}`).join(",");
    const row = (second: number): string =>
      `${second},${second + 461},${second + 782},94125.1,0.7811,94125.2,0.0171,94124,0.5,,${",".repeat(32)}`;
    const text = `second_ms,exch_ts_ms,recv_ts_ms,${names}\n${row(1767653687000)}\n${row(1767653688000)}\n${row(1767653691000)}\n`;
    const lines = eventLines(await importFiles("standx", [put("1s_L10_d.csv", text)]));
    expect(lines[1]).toBe(
      '{"kind":"snapshot","receivedAt":1767653687782,"venueTime":1767653687461,"sequence":null,"bids":[["94125.1","0.7811"],["94124.0","0.5000"]],"asks":[["94125.2","0.0171"]]}',
    );
    expect(lines.map((line) => (JSON.parse(line) as { kind?: string }).kind)).toEqual([
      undefined,
      "snapshot",
      "snapshot",
      "gap",
      "snapshot",
    ]);
  });

  it("reads the book of each half minute", async () => {
    const text = '{"t":30000,"exch_ts":29432,"recv_ts":29780,"bids":[[5,1],[4.5,2]],"asks":[[5.5,3]]}\n';
    expect(eventLines(await importFiles("standx", [put("30s_L20.ndjson", text)]))[1]).toBe(
      '{"kind":"snapshot","receivedAt":29780,"venueTime":29432,"sequence":null,"bids":[["5.0","1"],["4.5","2"]],"asks":[["5.5","3"]]}',
    );
  });
});

describe("Tardis", () => {
  const BOOK = `exchange,symbol,timestamp,local_timestamp,is_snapshot,side,price,amount
bitmex,XBTUSD,1585699200245000,1585699205323100,true,ask,6425,14
bitmex,XBTUSD,1585699200245000,1585699205323100,true,bid,6424,100
bitmex,XBTUSD,1585699200245000,1585699205323200,true,bid,6424.5,7
bitmex,XBTUSD,1585699205400999,1585699205423456,false,ask,6425,0
bitmex,XBTUSD,1585699205400999,1585699205423456,false,ask,6425.5,50
bitmex,XBTUSD,1585699205400999,1585699205423457,false,bid,6424,1
bitmex,XBTUSD,1585699300000000,1585699300100000,true,bid,6420,1
`;
  const TRADES = `exchange,symbol,timestamp,local_timestamp,id,side,price,amount
bitmex,XBTUSD,1585699205400000,1585699205423000,guid-1,buy,6425,14
bitmex,XBTUSD,1585699206000000,1585699206100000,,unknown,6424.5,2
`;

  it("gathers rows of one message, takes a run of snapshot rows as one book, and says where the recorder connected anew", async () => {
    const files = [put("bitmex_incremental_book_L2_2020-04-01_XBTUSD.csv.gz", BOOK), put("bitmex_trades_2020-04-01_XBTUSD.csv.gz", TRADES)];
    const report = await importFiles("tardis", files);
    const name = "bitmex_incremental_book_L2_2020-04-01_XBTUSD.csv.gz + bitmex_trades_2020-04-01_XBTUSD.csv.gz";
    expect(eventLines(report)).toEqual([
      `${header("bitmex:XBTUSD", ["0.5", "1"], name)}}`,
      '{"kind":"snapshot","receivedAt":1585699205323,"venueTime":1585699200245,"sequence":null,"bids":[["6424.5","7"],["6424.0","100"]],"asks":[["6425.0","14"]]}',
      '{"kind":"depth","receivedAt":1585699205423,"venueTime":1585699205400,"sequence":null,"bids":[],"asks":[["6425.0","0"],["6425.5","50"]]}',
      '{"kind":"depth","receivedAt":1585699205423,"venueTime":1585699205400,"sequence":null,"bids":[["6424.0","1"]],"asks":[]}',
      '{"kind":"trade","receivedAt":1585699205423,"venueTime":1585699205400,"tradeId":"guid-1","price":"6425.0","size":"14","takerSide":"buy"}',
      '{"kind":"trade","receivedAt":1585699206100,"venueTime":1585699206000,"tradeId":null,"price":"6424.5","size":"2","takerSide":null}',
      '{"kind":"gap","receivedAt":1585699300100,"from":1585699205423,"to":1585699300100,"reason":"resync","detail":"a new snapshot: the recorder connected anew"}',
      '{"kind":"snapshot","receivedAt":1585699300100,"venueTime":1585699300000,"sequence":null,"bids":[["6420.0","1"]],"asks":[]}',
    ]);
  });

  it("keeps markets of one file apart", async () => {
    const report = await importFiles("tardis", [put("trades.csv", TRADES.replace("XBTUSD,1585699206000000", "ETHUSD,1585699206000000"))]);
    expect(report.markets.map(({ market, records }) => [market, records])).toEqual([
      ["bitmex:XBTUSD", 1],
      ["bitmex:ETHUSD", 1],
    ]);
  });
});

describe("hftbacktest", () => {
  it("reads what NumPy itself wrote: clear and snapshot as one book, local events once, and no order-by-order event", async () => {
    const report = await importFiles("hftbacktest", [put("d.npz", Buffer.from(EVENTS_NPZ, "base64"))], { market: "binance-spot:BTCUSDT" });
    expect(eventLines(report).slice(1)).toEqual([
      '{"kind":"snapshot","receivedAt":1700000000001,"venueTime":1700000000000,"sequence":null,"bids":[["100.5","2.50"],["99.5","1.00"]],"asks":[["101.0","0.25"],["101.5","4.00"]]}',
      '{"kind":"depth","receivedAt":1700000000012,"venueTime":1700000000010,"sequence":null,"bids":[["100.5","0.00"]],"asks":[["101.0","0.50"]]}',
      '{"kind":"trade","receivedAt":1700000000025,"venueTime":1700000000020,"tradeId":null,"price":"101.0","size":"0.25","takerSide":"buy"}',
      '{"kind":"trade","receivedAt":1700000000031,"venueTime":1700000000030,"tradeId":null,"price":"99.5","size":"0.75","takerSide":"sell"}',
    ]);
    expect(report.refusedSamples).toEqual(["d.npz line 12: an event that is not of a book by price"]);
  });

  it("reads arrays of many blocks, row after row", async () => {
    const rows = 20_000;
    const dictionary =
      "{'descr': [('ev', '<u8'), ('exch_ts', '<i8'), ('local_ts', '<i8'), ('px', '<f8'), ('qty', '<f8')], 'fortran_order': False, 'shape': (20000,), }";
    const header = Buffer.from(
      `\x93NUMPY\x01\x00${String.fromCharCode(dictionary.length & 255, dictionary.length >> 8)}${dictionary}`,
      "latin1",
    );
    const bytes = Buffer.alloc(rows * 40);
    for (let row = 0; row < rows; row++) {
      const flags = (1n << 30n) | (row % 2 === 0 ? 1n << 29n : 1n << 28n) | 2n;
      bytes.writeBigUInt64LE(flags, row * 40);
      bytes.writeBigInt64LE(BigInt(row) * 1_000_000n, row * 40 + 8);
      bytes.writeBigInt64LE(BigInt(row + 5) * 1_000_000n, row * 40 + 16);
      bytes.writeDoubleLE(100 + row, row * 40 + 24);
      bytes.writeDoubleLE(1 + (row % 3), row * 40 + 32);
    }
    const lines = eventLines(await importFiles("hftbacktest", [put("d.npy", Buffer.concat([header, bytes]))], { market: "x:Y" }));
    expect(lines).toHaveLength(rows + 1);
    expect(lines[12_346]).toBe(
      '{"kind":"trade","receivedAt":12350,"venueTime":12345,"tradeId":null,"price":"12445","size":"1","takerSide":"sell"}',
    );
  });

  it("refuses version 1, whose columns mean something else", async () => {
    const old = put("old.npz", Buffer.from(VERSION_1_NPZ, "base64"));
    await expect(importFiles("hftbacktest", [old], { market: "binance-spot:BTCUSDT" })).rejects.toThrow(
      /old\.npz: not a one-dimensional array of records, as hftbacktest 2 writes them/,
    );
  });

  it("refuses to guess the market", async () => {
    await expect(importFiles("hftbacktest", [put("d.npz", Buffer.from(EVENTS_NPZ, "base64"))])).rejects.toThrow(/--market/);
  });
});

describe("the classic recorder's form", () => {
  const line = (time: string): string =>
    `{"date":"2018-03-01","time":"${time}","prices":[10299.5,10300,10300.5,10301],"volumes":[7,5,3,9]}`;

  it("takes bids from the worst to the best, then asks, and sees a missing minute", async () => {
    const text = [line("00:01:00"), line("00:02:00"), line("00:04:00")].join("\n");
    expect(eventLines(await importFiles("recorder", [put("2018-03-01.json", text)]))).toEqual([
      `${header("bitmex:XBTUSD", ["0.5", "1"], "2018-03-01.json; receivedAt is the recorder's time")}}`,
      '{"kind":"snapshot","receivedAt":1519862460000,"venueTime":null,"sequence":null,"bids":[["10300.0","5"],["10299.5","7"]],"asks":[["10300.5","3"],["10301.0","9"]]}',
      '{"kind":"snapshot","receivedAt":1519862520000,"venueTime":null,"sequence":null,"bids":[["10300.0","5"],["10299.5","7"]],"asks":[["10300.5","3"],["10301.0","9"]]}',
      '{"kind":"gap","receivedAt":1519862640000,"from":1519862520000,"to":1519862640000,"reason":"missing-lines","detail":"120000 ms between two lines"}',
      '{"kind":"snapshot","receivedAt":1519862640000,"venueTime":null,"sequence":null,"bids":[["10300.0","5"],["10299.5","7"]],"asks":[["10300.5","3"],["10301.0","9"]]}',
    ]);
  });
});

describe("Hyperliquid", () => {
  it("makes one quote of a bid row and an ask row, keeps the taker's side, and refuses a side alone", async () => {
    const prices = `timestamp,price,size,side,exchange_timestamp
1757015216.8747032,109755.0,3.24457,bid,1757015216253
1757015216.8747032,109756.0,15.17236,ask,1757015216253
1757015217.1,109755.0,1,bid,1757015216900
`;
    const trades = `timestamp,price,size,side,trade_id,exchange_timestamp
1757015216.673878,109741.0,0.91116,buy,833120162794147,1757015209306
`;
    const report = await importFiles("hyperliquid", [put("BTC_prices.csv.gz", prices), put("BTC_trades.csv.gz", trades)]);
    expect(eventLines(report).slice(1)).toEqual([
      '{"kind":"trade","receivedAt":1757015216673,"venueTime":1757015209306,"tradeId":"833120162794147","price":"109741","size":"0.91116","takerSide":"buy"}',
      '{"kind":"quote","receivedAt":1757015216874,"venueTime":1757015216253,"sequence":null,"bid":["109755","3.24457"],"ask":["109756","15.17236"]}',
    ]);
    expect(report.refusedSamples).toEqual(["BTC_prices.csv.gz line 4: one side of a quote alone"]);
  });
});

describe("quotes of a currency pair", () => {
  it("takes the day from the name, and no size from nowhere", async () => {
    const report = await importFiles("fx-quotes", [put("20140501.csv.gz", "ms_of_day,bid,ask\n292,1.38676,1.38686\n")]);
    expect(eventLines(report)[1]).toBe(
      '{"kind":"quote","receivedAt":1398902400292,"venueTime":1398902400292,"sequence":null,"bid":["1.38676",null],"ask":["1.38686",null]}',
    );
  });
});

describe("a capture of a socket", () => {
  const WS = `wss://stream.binance.com:9443/stream?streams=aaausdt@depth <-> 1633998511.159679
wss://stream.binance.com:9443/stream <- 1633998511.2: {"method":"SUBSCRIBE"}
configuration: {"l2_book":["AAA-USDT"]}
1633998512.0633569: {"stream":"aaausdt@depth","data":{"e":"depthUpdate","E":1633998512068,"s":"AAAUSDT","U":11,"u":12,"b":[["0.35130000","6195.00000000"]],"a":[]}}
1633998512.564785: {"stream":"aaausdt@depth","data":{"e":"depthUpdate","E":1633998512568,"s":"AAAUSDT","U":13,"u":14,"b":[],"a":[["0.35290000","0.50000000"]]}}
`;
  const REST = `https://api.binance.com/api/v3/exchangeInfo -> 1633998511.9: {"symbols":[]}
https://api.binance.com/api/v3/depth?symbol=AAAUSDT&limit=1000 -> 1633998512.320639: {"lastUpdateId":12,"bids":[["0.35210000","672.00000000"]],"asks":[["0.35300000","1.00000000"]]}
`;

  it("is a tape of what was received, answers in their place, with the grids at its head", async () => {
    const files = [put("a.ws.txt.gz", WS), put("a.rest.txt.gz", REST)];
    const report = await importTape(files, { venue: null, out: freshFolder(), progress: silent });
    const lines = linesOf(report.file);
    expect(lines.map((line) => line.slice(0, 40))).toEqual([
      "1633998511159 i AAAUSDT 0.0001 0.5",
      "1633998511159 o 1",
      '1633998512063 f {"stream":"aaausdt@depth',
      '1633998512320 s AAAUSDT {"lastUpdateId":',
      '1633998512564 f {"stream":"aaausdt@depth',
    ]);
    expect(report).toMatchObject({ venue: "binance-spot", records: 4, refused: 0 });
  });

  it("is events where an adapter speaks the venue", async () => {
    const report = await importFiles("wire", [put("a.ws.txt.gz", WS), put("a.rest.txt.gz", REST)]);
    expect(eventLines(report).slice(1)).toEqual([
      '{"kind":"snapshot","receivedAt":1633998512320,"venueTime":null,"sequence":12,"bids":[["0.3521","672.0"]],"asks":[["0.3530","1.0"]]}',
      '{"kind":"depth","receivedAt":1633998512564,"venueTime":1633998512568,"sequence":14,"bids":[],"asks":[["0.3529","0.5"]]}',
    ]);
  });

  it("of a logger of nanoseconds takes a bare body for the snapshot of its one symbol, and the opening for granted", async () => {
    const text = WS.split("\n")
      .slice(3, 5)
      .map((line) => line.replace(/^(\d+)\.\d+: /, "$1000000000 "))
      .join("\n");
    const body = REST.split("\n")[1]?.replace(/^.*?: /, "1633998512500000000 ") ?? "";
    const report = await importTape([put("a.ndjson", `${text}\n${body}\n`)], {
      venue: "binance-spot",
      out: freshFolder(),
      progress: silent,
    });
    expect(linesOf(report.file).map((line) => line.slice(14, 26))).toEqual([
      "i AAAUSDT 0.",
      "o 1",
      'f {"stream":',
      'f {"stream":',
      's AAAUSDT {"',
    ]);
  });
});

describe("bars", () => {
  it("of Binance's answers end where the next begin, with turnover, taker volume and count", async () => {
    const rows = [
      [
        1640044740000,
        "1.23700000",
        "1.23800000",
        "1.23500000",
        "1.23700000",
        "77007.90000000",
        1640044799999,
        "95236.83880000",
        113,
        "29254.60000000",
        "36180.75070000",
        "0",
      ],
      [
        1640044920000,
        "1.23800000",
        "1.24000000",
        "1.23700000",
        "1.23800000",
        "135543.70000000",
        1640044979999,
        "167868.41400000",
        188,
        "64370.10000000",
        "79722.58440000",
        "0",
      ],
    ];
    expect(eventLines(await importFiles("binance-klines", [put("ADAUSDT.json.gz", JSON.stringify(rows))]))).toEqual([
      `${header("binance-spot:ADAUSDT", ["0.001", "0.1"], "ADAUSDT.json.gz")}}`,
      '{"kind":"bar","receivedAt":1640044800000,"venueTime":1640044800000,"openTime":1640044740000,"closeTime":1640044800000,"open":"1.237","high":"1.238","low":"1.235","close":"1.237","volume":"77007.9","turnover":"95236.83880000","takerBuyVolume":"29254.6","trades":113}',
      '{"kind":"gap","receivedAt":1640044980000,"from":1640044800000,"to":1640044920000,"reason":"missing-bars","detail":"2 bars missing"}',
      '{"kind":"bar","receivedAt":1640044980000,"venueTime":1640044980000,"openTime":1640044920000,"closeTime":1640044980000,"open":"1.238","high":"1.240","low":"1.237","close":"1.238","volume":"135543.7","turnover":"167868.41400000","takerBuyVolume":"64370.1","trades":188}',
    ]);
  });

  it("of CSV take their coin from the file's name, a file each", async () => {
    const text = "open_time_ms,open,high,low,close,volume\n1618951320000,56738.76,56840.3,56733.23,56813.98,50.9752\n";
    const report = await importFiles("klines-csv", [put("BTCUSDT.csv.gz", text), put("ETHUSDT.csv.gz", text)]);
    expect(report.markets.map(({ market }) => market)).toEqual(["binance-spot:BTCUSDT", "binance-spot:ETHUSDT"]);
    expect(linesOf(report.markets[1]?.file ?? "")[1]).toBe(
      '{"kind":"bar","receivedAt":1618951380000,"venueTime":1618951380000,"openTime":1618951320000,"closeTime":1618951380000,"open":"56738.76","high":"56840.30","low":"56733.23","close":"56813.98","volume":"50.9752","turnover":null,"takerBuyVolume":null,"trades":null}',
    );
  });

  it("of BitMEX carry the bucket's end as their time: they began a minute before", async () => {
    const row = {
      timestamp: "2020-07-01T00:01:00.000Z",
      symbol: "XBTUSD",
      open: 9138.5,
      high: 9139,
      low: 9128.5,
      close: 9132.5,
      trades: 747,
      volume: 2130629,
      turnover: 23327821911,
    };
    expect(eventLines(await importFiles("bitmex-bars", [put("2020-07.ndjson.gz", JSON.stringify(row))]))[1]).toBe(
      '{"kind":"bar","receivedAt":1593561660000,"venueTime":1593561660000,"openTime":1593561600000,"closeTime":1593561660000,"open":"9138.5","high":"9139.0","low":"9128.5","close":"9132.5","volume":"2130629","turnover":"23327821911","takerBuyVolume":null,"trades":747}',
    );
  });
});
