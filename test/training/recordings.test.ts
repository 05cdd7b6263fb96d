/**
 * Recorders' files of every venue through the reducer: whole connections, told by what they hold. Losses prevented: a market of a recording that nobody
 * replays, a recording taken for another venue's, a book that is called proved though nothing was compared, a mismatch without an explanation.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { CommandError } from "../../training/command-error.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import { silent } from "../../training/progress.ts";
import { faultsOf, type MarketReport, type ReplayReport, reportReplay } from "../../training/replay/replay-report.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { scratchFolder } from "./toy-data.ts";

const folder = scratchFolder();

function write(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  const text = lines.map((line) => `${line}\n`).join("");
  writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  return path;
}

type Options = Partial<Parameters<typeof fileSources>[1]>;

async function replayOf(path: string, options: Options = {}): Promise<ReplayReport> {
  const [source, ...others] = await fileSources([path], { venue: null, market: null, ...options });
  if (source === undefined || others.length > 0) throw new Error(`${others.length + 1} sources`);
  return reportReplay(source, silent);
}

async function refusalOf(path: string, options: Options = {}): Promise<string> {
  const error: unknown = await fileSources([path], { venue: null, market: null, ...options }).catch((reason: unknown) => reason);
  if (!(error instanceof CommandError)) throw new Error(`${path} was not refused`);
  return error.message;
}

function tableOf({ markets }: ReplayReport): Record<string, unknown> {
  return Object.fromEntries(
    markets.map(({ market, state, comparisons, mismatches, quotes }) => [market, [state, comparisons, mismatches, quotes.passedOver]]),
  );
}

function marketOf({ markets }: ReplayReport, name: string): MarketReport {
  const market = markets.find((each) => each.market === name);
  if (market === undefined) throw new Error(`no ${name}`);
  return market;
}

/** A line of Coinbase Exchange, `seconds` after the connection was opened. */
function sent(seconds: number, message: unknown): string {
  return `${(1_600_000_000 + seconds).toFixed(3)}: ${JSON.stringify(message)}`;
}

const TIME = "2020-09-13T12:26:40.000000Z";
const snapshot = (product_id: string) => ({ type: "snapshot", product_id, bids: [["10.00", "1.5"]], asks: [["10.02", "2.5"]] });
const change = (product_id: string, price: string, size: string) => ({
  ...{ type: "l2update", product_id, time: TIME },
  changes: [["buy", price, size]],
});
const ticker = (product_id: string, trade_id: number, best_bid: string) => ({
  ...{ type: "ticker", sequence: trade_id, product_id, price: best_bid, best_bid, best_ask: "10.02" },
  ...{ side: "sell", time: TIME, trade_id, last_size: "1" },
});
const OPENED = ["wss://ws-feed.example <-> 1600000000.0", 'wss://ws-feed.example <- 1600000000.1: {"type":"subscribe"}'];
const TWO_PRODUCTS = [
  ...OPENED,
  sent(1, snapshot("AAA-USD")),
  sent(1, snapshot("BBB-USD")),
  sent(1, ticker("AAA-USD", 6, "9.00")),
  sent(2, change("AAA-USD", "10.01", "1.0")),
  sent(2, change("BBB-USD", "10.01", "1.0")),
  sent(2.1, ticker("AAA-USD", 7, "10.01")),
];

describe("a connection of several markets", () => {
  it("is replayed whole, its venue told from its messages and its grids from its decimals", async () => {
    const report = await replayOf(write("two.ws.txt.gz", TWO_PRODUCTS));
    expect(report).toMatchObject({ venue: "coinbase-exchange", frames: 6, malformedFrames: 0, malformedLines: 0 });
    expect(report.ignored).toEqual([{ reason: "the quote of a trade before the subscription", frames: 1 }]);
    expect(tableOf(report)).toEqual({ "coinbase-exchange:AAA-USD": ["live", 1, 0, 0], "coinbase-exchange:BBB-USD": ["live", 0, 0, 0] });
    expect(marketOf(report, "coinbase-exchange:AAA-USD")).toMatchObject({ tick: "0.01", lot: "0.5", bidTicks: 1_001, askTicks: 1_002 });
  });

  it("is no fault of a market so thin that no quote came of it, and is one where none was compared at all", async () => {
    expect(faultsOf(await replayOf(write("thin.ws.txt", TWO_PRODUCTS)))).toEqual([]);
    const alone = await replayOf(write("thin.ws.txt", TWO_PRODUCTS), { market: "coinbase-exchange:BBB-USD" });
    expect(alone.markets.map(({ market }) => market)).toEqual(["coinbase-exchange:BBB-USD"]);
    expect(faultsOf(alone)).toEqual(["no book was ever compared with the venue's own quote"]);
  });

  it("explains a quote that the book never showed, and one that stayed alone is a mismatch that --check refuses", async () => {
    const lines = [...TWO_PRODUCTS, sent(3, ticker("AAA-USD", 8, "10.00")), sent(3.25, ticker("AAA-USD", 9, "10.01"))];
    const passed = await replayOf(write("passed.ws.txt", lines));
    // 10.00 was the top until 2 s: within the race of the two channels.
    expect(tableOf(passed)).toMatchObject({ "coinbase-exchange:AAA-USD": ["live", 3, 0, 0] });
    const inside = [...TWO_PRODUCTS, sent(3, ticker("AAA-USD", 8, "9.99")), sent(3.25, ticker("AAA-USD", 9, "10.01"))];
    const report = await replayOf(write("inside.ws.txt", inside));
    expect(tableOf(report)).toMatchObject({ "coinbase-exchange:AAA-USD": ["live", 2, 0, 1] });
    expect(marketOf(report, "coinbase-exchange:AAA-USD").unmatched).toMatchObject([
      { outcome: "passed-over", quote: { bidTicks: 999, askTicks: 1_002 }, receivedAt: 1_600_000_003_000, settledAt: 1_600_000_003_250 },
    ]);
    expect(faultsOf(report)).toEqual([]);
    // Where a venue lists its best levels, they are refused in the same way.
    const listed = report.markets.map((market) => ({ ...market, topLevels: { comparisons: 5, mismatches: market.mismatches + 1 } }));
    expect(faultsOf({ ...report, markets: listed.slice(0, 1) })).toEqual([
      "coinbase-exchange:AAA-USD: 1 of 5 comparisons with the venue's best levels differ",
    ]);
    const wrong = [...TWO_PRODUCTS, sent(3, ticker("AAA-USD", 8, "9.99")), sent(6, change("AAA-USD", "10.00", "3.0"))];
    const mismatched = await replayOf(write("wrong.ws.txt", wrong));
    expect(faultsOf(mismatched)).toEqual(["coinbase-exchange:AAA-USD: 1 of 2 comparisons with the venue's quote differ"]);
    expect(marketOf(mismatched, "coinbase-exchange:AAA-USD").unmatched).toMatchObject([
      { outcome: "mismatch", receivedAt: 1_600_000_003_000, settledAt: 1_600_000_006_000 },
    ]);
  });

  it("is two connections where it was opened twice: the book of the first is not continued, and that shows", async () => {
    const again = ["wss://ws-feed.example <-> 1600000010.0", sent(11, change("AAA-USD", "10.01", "9.0"))];
    const report = await replayOf(write("again.ws.txt", [...TWO_PRODUCTS, ...again]));
    expect(faultsOf(report)).toContainEqual("coinbase-exchange:AAA-USD: the book ended syncing, not live");
  });

  it("counts lines that are none", async () => {
    const report = await replayOf(write("torn.ws.txt", [...TWO_PRODUCTS, "160000000"]));
    expect(report.malformedLines).toBe(1);
    expect(faultsOf(report)).toEqual(["1 malformed frames or lines"]);
  });

  it("over two files that share a market is one source; files that share none are two", async () => {
    const first = write("day1.ws.txt", TWO_PRODUCTS);
    const second = write("day2.ws.txt", [sent(5, change("AAA-USD", "9.00", "1.0"))]);
    const other = write("other.ws.txt", [sent(1, snapshot("CCC-USD"))]);
    const sources = await fileSources([first, second, other], { venue: null, market: null });
    expect(sources.map(({ instruments }) => instruments.map(({ symbol }) => symbol))).toEqual([["AAA-USD", "BBB-USD"], ["CCC-USD"]]);
    const [joined] = sources;
    if (joined === undefined) throw new Error("no source");
    expect((await reportReplay(joined, silent)).frames).toBe(7);
  });
});

describe("answers beside a recording", () => {
  const depth = (U: number, u: number, bid: string) => ({
    stream: "aaabtc@depth@100ms",
    data: { e: "depthUpdate", E: 1_600_000_000_000, s: "AAABTC", U, u, b: [[bid, "1.00000000"]], a: [] },
  });
  const answer = (seconds: number, url: string, body: unknown) =>
    `https://api.example${url} -> ${1_600_000_000 + seconds}: ${JSON.stringify(body)}`;
  const snapshotBody = { lastUpdateId: 11, bids: [["0.00100000", "5.00000000"]], asks: [["0.00200000", "5.00000000"]] };
  const frames = [sent(1, depth(10, 11, "0.00100000")), sent(2, depth(12, 12, "0.00110000")), sent(4, depth(13, 13, "0.00120000"))];

  it("come where they were received, and hold the venue's own grids", async () => {
    const path = write("rest/a.ws.txt.gz", frames);
    write("rest/a.rest.txt.gz", [
      answer(0, "/api/v3/exchangeInfo", {
        symbols: [
          {
            ...{ symbol: "AAABTC", status: "TRADING", baseAsset: "AAA", quoteAsset: "BTC" },
            filters: [
              { filterType: "PRICE_FILTER", minPrice: "0.00000100", maxPrice: "1000.00000000", tickSize: "0.00000100" },
              { filterType: "LOT_SIZE", minQty: "0.00100000", maxQty: "90000.00000000", stepSize: "0.00100000" },
            ],
          },
        ],
      }),
      answer(3, "/api/v3/depth?symbol=AAABTC&limit=1000", snapshotBody),
      answer(3, "/api/v3/ticker?symbol=AAABTC", {}),
    ]);
    const report = await replayOf(path);
    expect(report.markets).toMatchObject([
      { market: "binance-spot:AAABTC", state: "live", lastSequence: 13, tick: "0.000001", lot: "0.001", bidTicks: 1_200, gaps: [] },
    ]);
    const known = new Map([["AAABTC", { tick: { decimals: 5, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } }]]);
    expect((await replayOf(path, { grids: known })).markets).toMatchObject([{ tick: "0.00001", lot: "1", bidTicks: 120 }]);
  });

  it("are part of what grids are told from, where they hold no list of instruments", async () => {
    const path = write("rest/b.ws.txt", frames);
    const finer = { ...snapshotBody, bids: [["0.00100050", "0.25000000"]] };
    write("rest/b.rest.txt", [answer(3, "/api/v3/depth?symbol=AAABTC&limit=1000", finer)]);
    expect((await replayOf(path)).markets).toMatchObject([{ tick: "0.0000005", lot: "0.25", state: "live" }]);
  });

  it("are no recording by themselves, and are passed over in a folder", async () => {
    expect(await refusalOf(write("rest/c.rest.txt", []))).toMatch(/read with the \.ws\.txt beside it/);
    const sources = await fileSources([join(folder, "rest")], { venue: null, market: null });
    expect(sources.flatMap(({ instruments }) => instruments.map(({ symbol }) => symbol))).toEqual(["AAABTC"]);
  });
});

describe("the venue of a recording", () => {
  const binance = (data: unknown) => sent(1, { stream: "aaausdt@x", data });
  const bar = binance({ e: "kline", E: 1, s: "AAAUSDT", k: {} });
  const trade = (more: object) => binance({ e: "trade", E: 1, T: 1, s: "AAAUSDT", t: 1, p: "1.0", q: "1.0", m: true, ...more });
  const update = (more: object) => binance({ e: "depthUpdate", E: 1, s: "AAAUSDT", U: 1, u: 1, b: [["1.0", "1.0"]], a: [], ...more });

  it.each([
    ["binance-spot", [bar, trade({ M: true })]],
    ["binance-spot", [binance({ u: 1, s: "AAAUSDT", b: "1.0", B: "1.0", a: "1.1", A: "1.0" })]],
    ["binance-usd-m", [trade({ X: "MARKET" }), update({ pu: 0 })]],
    ["binance-coin-m", [trade({ X: "MARKET" }), update({ pu: 0, ps: "AAAUSD" })]],
    ["bitmex", [sent(1, { table: "trade", action: "insert", data: [{ symbol: "XBTUSD", price: 1.5, size: 100 }] })]],
    ["coinbase-exchange", [sent(1, snapshot("AAA-USD"))]],
    [
      "coinbase-advanced",
      [sent(1, { channel: "l2_data", sequence_num: 0, events: [{ product_id: "A-B", updates: [{ price_level: "1" }] }] })],
    ],
  ] as const)("is told from its messages: %s", async (venue, lines) => {
    const [source] = await fileSources([write("venue.ws.txt", lines)], { venue: null, market: null });
    expect(source?.venue).toBe(venue);
  });

  it("is asked for where messages fit several, or are of several, and taken as said", async () => {
    const futures = write("futures.ws.txt", [trade({ X: "MARKET" })]);
    expect(await refusalOf(futures)).toMatch(/may be of binance-usd-m or binance-coin-m: say which with --venue/);
    expect(await refusalOf(write("mixed.ws.txt", [...TWO_PRODUCTS, update({})]))).toMatch(/coinbase-exchange or binance-spot/);
    const [source] = await fileSources([futures], { venue: "binance-coin-m", market: null });
    expect(source?.venue).toBe("binance-coin-m");
  });

  it("is no question of imported events, which no adapter reads: they are refused as what they are", async () => {
    const events = write("standx.BTC-USD.events.ndjson.gz", ['{"format":"edgebook-events","version":1}']);
    expect(await refusalOf(events)).toMatch(/holds imported market events, not what a venue sent/);
    expect(await refusalOf(events, { venue: "bitmex" })).toMatch(/holds imported market events/);
  });

  it("is one that is spoken here", async () => {
    expect(await refusalOf(write("strange.ws.txt", [sent(1, { hello: "world" })]))).toMatch(/no depth, trade or quote message/);
    expect(await refusalOf(write("known.ws.txt", TWO_PRODUCTS), { venue: "nasdaq" })).toMatch(/no adapter speaks the venue "nasdaq"/);
  });
});

describe(`the recorded captures ${WITHOUT_RECORDINGS}`, () => {
  const bitmex = recording("wire/bitmex-2021-07-22.ws.txt.gz");
  it.skipIf(bitmex === null)("BitMEX: ten books, no orphan id, no gap, no quote that is not explained", async () => {
    const report = await replayOf(bitmex ?? "");
    expect(faultsOf(report)).toEqual([]);
    expect(report).toMatchObject({ venue: "bitmex", frames: 1_297, malformedFrames: 0, malformedLines: 0 });
    expect(report.markets.map(({ state }) => state)).toEqual(Array.from({ length: 10 }, () => "live"));
    const sum = (of: (market: MarketReport) => number): number => report.markets.reduce((total, market) => total + of(market), 0);
    // The image of each market's last quote comes before its book's.
    expect([sum(({ quotes }) => quotes.all), sum(({ quotes }) => quotes.withoutBook)]).toEqual([236, 10]);
    expect([sum(({ comparisons }) => comparisons), sum(({ mismatches }) => mismatches)]).toEqual([195, 0]);
    expect(sum(({ quotes }) => quotes.passedOver)).toBe(31);
    expect(sum(({ unmatched }) => unmatched.length)).toBe(31);
    expect(marketOf(report, "bitmex:XBTUSD")).toMatchObject({ tick: "0.5", lot: "100" });
  });

  const coinbase = recording("wire/coinbase-exchange-2021-04-17.ws.txt.gz");
  it.skipIf(coinbase === null)("Coinbase Exchange: ten books, every ticker since the subscription is the top", async () => {
    const report = await replayOf(coinbase ?? "");
    expect(faultsOf(report)).toEqual([]);
    expect(report.ignored).toEqual([
      { reason: "the quote of a trade before the subscription", frames: 10 },
      { reason: "the last trade before the subscription", frames: 10 },
    ]);
    expect(report.markets.reduce((total, { comparisons }) => total + comparisons, 0)).toBe(31);
    expect(report.markets.flatMap(({ unmatched }) => unmatched)).toEqual([]);
    expect(report.markets.filter(({ quotes }) => quotes.all === 0)).toHaveLength(4);
  });

  const thin = recording("wire/binance-spot-thin-2021-10-12.ws.txt.gz");
  it.skipIf(thin === null)("four thin pairs of Binance, with the snapshots beside them: no gap, the top at equal ids", async () => {
    const report = await replayOf(thin ?? "");
    expect(faultsOf(report)).toEqual([]);
    expect(tableOf(report)).toEqual({
      "binance-spot:NKNUSDT": ["live", 19, 0, 0],
      "binance-spot:BLZETH": ["live", 1, 0, 0],
      "binance-spot:LRCBTC": ["live", 6, 0, 0],
      "binance-spot:RUNEEUR": ["live", 0, 0, 0],
    });
  });

  const perpetual = recording("wire/binance-cm-btcusd-perp-20240808.ndjson.gz");
  it.skipIf(perpetual === null)("COIN-M, told apart from USD-M by its pair: no gap, the top at equal ids", async () => {
    const report = await replayOf(perpetual ?? "");
    expect(faultsOf(report)).toEqual([]);
    expect(report.venue).toBe("binance-coin-m");
    expect(report.markets[0]?.comparisons).toBeGreaterThan(1_000);
  });
});
