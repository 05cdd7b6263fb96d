/** The REST answers: grids that come from the venue alone, and bars that are what their columns say. */

import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Instrument } from "../../core/market/instrument.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { binanceCoinM } from "../../exchanges/binance/coin-m.ts";
import { decodeExchangeInfo } from "../../exchanges/binance/instruments.ts";
import { decodeKlines, klinesRequest, MAX_KLINES } from "../../exchanges/binance/klines.ts";
import { binanceUsdM } from "../../exchanges/binance/usd-m.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { fixtureOf } from "./fixtures.ts";

const BTCUSDT = fixtureOf("binance-spot").instrument;

describe("exchangeInfo", () => {
  const withFilters = (...filters: unknown[]) => JSON.stringify({ symbols: [{ symbol: "BTCUSDT", filters }] });
  const price = { filterType: "PRICE_FILTER", tickSize: "0.50000000" };
  const lot = { filterType: "LOT_SIZE", stepSize: "10.00000000" };

  it("gives grids that are no powers of ten as they are", () => {
    expect(decodeExchangeInfo("binance-spot", withFilters(price, lot), ["BTCUSDT"])).toEqual({
      instruments: [{ ...BTCUSDT, tick: { decimals: 1, mantissa: 5 }, lot: { decimals: 0, mantissa: 10 } }],
    });
  });

  it("refuses one symbol of which there is no grid, and gives the others", () => {
    const symbols = [
      { symbol: "ETHUSDT", filters: [lot] },
      { symbol: "BTCUSDT", filters: [price, lot] },
    ];
    expect(decodeExchangeInfo("binance-spot", JSON.stringify({ symbols }), ["BTCUSDT", "ETHUSDT"])).toMatchObject({
      instruments: [{ symbol: "BTCUSDT" }],
      unreadable: [{ symbol: "ETHUSDT", reason: "ETHUSDT has no PRICE_FILTER" }],
    });
  });

  it.each([
    ["a symbol without a price filter", withFilters(lot), "BTCUSDT has no PRICE_FILTER"],
    ["a symbol without a lot", withFilters(price), "BTCUSDT has no LOT_SIZE"],
    ["a tick that is switched off", withFilters({ ...price, tickSize: "0.00000000" }, lot), "PRICE_FILTER.tickSize"],
    ["a tick as a number", withFilters({ ...price, tickSize: 0.5 }, lot), '"tickSize" is 0.5'],
    ["the venue's error", '{"code":-1121,"msg":"Invalid symbol."}', "the venue answered -1121"],
    ["no symbols", "{}", '"symbols" is nothing'],
    ["no JSON", "busy", "not JSON"],
  ])("refuses %s", (_, body, reason) => {
    expect(decodeExchangeInfo("binance-spot", body, ["BTCUSDT"])).toEqual({ malformed: expect.stringContaining(reason) });
  });
});

describe("the futures lines", () => {
  it("say what a contract is worth, without which COIN-M's sizes would read as coins", () => {
    const contractOf = (adapter: ExchangeAdapter) => {
      const { instrument, instrumentsBody } = fixtureOf(adapter.venue);
      const decoded = adapter.decodeInstruments(instrumentsBody, [instrument.symbol]);
      return "malformed" in decoded ? decoded.malformed : decoded.instruments[0]?.contract;
    };
    expect(contractOf(binanceCoinM)).toEqual({ kind: "inverse", size: "100", unit: "USD" });
    expect(contractOf(binanceUsdM)).toEqual({ kind: "linear", size: "1", unit: "BTC" });
    const without = fixtureOf("binance-coin-m").instrumentsBody.replace('"contractSize":100,', "");
    expect(binanceCoinM.decodeInstruments(without, ["BTCUSD_PERP"])).toEqual({
      malformed: expect.stringContaining('"contractSize" is nothing'),
    });
  });

  it("asks USD-M for its streams on the path that has them: elsewhere they are acknowledged and never sent", () => {
    expect(binanceUsdM.streamUrl(binanceUsdM.hosts, ["BTCUSDT", "ETHUSDT"])).toBe(
      "wss://fstream.binance.com/public/stream?streams=btcusdt@depth@100ms/btcusdt@trade/btcusdt@bookTicker/ethusdt@depth@100ms/ethusdt@trade/ethusdt@bookTicker",
    );
    expect(binanceUsdM.limits.symbolsPerConnection).toBe(341);
    expect(binanceCoinM.streamUrl(binanceCoinM.hosts, ["BTCUSD_PERP"])).toBe(
      "wss://dstream.binance.com/stream?streams=btcusd_perp@depth@100ms/btcusd_perp@trade/btcusd_perp@bookTicker/btcusd_perp@kline_1m",
    );
  });

  it("asks each line's own REST path", () => {
    const hosts = { stream: "ws://s", rest: "http://r" };
    const urls = [binanceUsdM, binanceCoinM].flatMap((adapter) => [
      adapter.instrumentsRequest(hosts, ["A"]).url,
      adapter.snapshots.kind === "request" ? adapter.snapshots.request(hosts, "A").url : "",
    ]);
    expect(urls).toEqual([
      "http://r/fapi/v1/exchangeInfo",
      "http://r/fapi/v1/depth?symbol=A&limit=1000",
      "http://r/dapi/v1/exchangeInfo",
      "http://r/dapi/v1/depth?symbol=A&limit=1000",
    ]);
  });
});

describe("klines", () => {
  const row = (changes: Record<number, unknown> = {}) => {
    const columns: unknown[] = [1_000, "2.00", "4.00", "1.00", "3.00", "10.00", 60_999, "25.00", 7, "6.00", "15.00", "0"];
    for (const [column, value] of Object.entries(changes)) columns[Number(column)] = value;
    return columns;
  };
  const decode = (rows: unknown, asOf = 1_000_000) => decodeKlines(BTCUSDT, JSON.stringify(rows) ?? "busy", { asOf });

  it("asks for a bounded number of bars", () => {
    const { url } = klinesRequest({ stream: "", rest: "http://rest.test" }, "BTCUSDT", { from: 5, to: 6 });
    expect(url).toBe(`http://rest.test/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime=5&endTime=6&limit=${MAX_KLINES}`);
  });

  it("reads its columns into ticks and lots", () => {
    expect(decode([row()])).toEqual({
      klines: [
        {
          kind: "kline",
          symbol: "BTCUSDT",
          venueTime: 60_999,
          openTime: 1_000,
          closeTime: 60_999,
          openTicks: 200,
          highTicks: 400,
          lowTicks: 100,
          closeTicks: 300,
          volumeLots: 1_000_000,
          takerBuyLots: 600_000,
          trades: 7,
          isClosed: true,
        },
      ],
    });
  });

  it("knows the bar that is still running, which no score may count as final", () => {
    expect(decode([row()], 60_999)).toMatchObject({ klines: [{ isClosed: false }] });
  });

  it.each([
    ["eleven columns", [row().slice(0, 11)], "not 12 columns"],
    ["a price as a number", [row({ 1: 2 })], "open of bar 0"],
    ["time as text", [row({ 0: "1000" })], "open time of bar 0"],
    ["a high below the close", [row({ 2: "2.50" })], "high or a low inside"],
    ["a low above the open", [row({ 3: "2.50" })], "high or a low inside"],
    ["a bar that ends before it begins", [row({ 6: 999 })], "opens at 1000 and closes at 999"],
    ["more taker buying than volume", [row({ 9: "11.00" })], "more taker buying"],
    ["more bars than were asked for", Array.from({ length: MAX_KLINES + 1 }, () => row()), "at most"],
    ["an object", {}, "not an array"],
    ["no bars at all", undefined, "not JSON"],
    ["the venue's error", { code: -1100, msg: "Illegal characters" }, "the venue answered -1100"],
  ])("refuses %s", (_, rows, reason) => {
    expect(decode(rows)).toEqual({ malformed: expect.stringContaining(reason) });
  });
});

const folder = recording("wire/binance-klines-rest-2021-12");

describe(`recorded klines ${WITHOUT_RECORDINGS}`, () => {
  it.skipIf(folder === null)("of 20 symbols are read whole, each minute once", () => {
    const files = readdirSync(folder ?? "");
    expect(files.length).toBeGreaterThan(0);
    for (const file of files) {
      const body = gunzipSync(readFileSync(resolve(folder ?? "", file))).toString("utf8");
      const instrument: Instrument = {
        venue: "binance-spot",
        symbol: file.replace(".json.gz", ""),
        tick: { decimals: 8, mantissa: 1 },
        lot: { decimals: file.startsWith("SHIB") ? 2 : 8, mantissa: 1 },
      };
      const decoded = decodeKlines(instrument, body, { asOf: Number.MAX_SAFE_INTEGER });
      if ("malformed" in decoded) throw new Error(`${file}: ${decoded.malformed}`);
      expect(decoded.klines).toHaveLength(MAX_KLINES);
      const steps = new Set(decoded.klines.slice(1).map(({ openTime }, at) => openTime - (decoded.klines[at]?.openTime ?? 0)));
      expect([...steps], file).toEqual([MS_PER_MINUTE]);
    }
  });
});
