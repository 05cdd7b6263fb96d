/** The real files of every format: nothing refused, what their own documents say of them found again, and the same after a way out and in. */

import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { importTape } from "../../archive/import/wire.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { bookOf } from "./books.ts";
import { eventLines, exportFiles, freshFolder, importFiles, linesOf, silent } from "./workplace.ts";

const standx = (name: string): string | null => recording(`l2/standx-btc-usd/${name}`);
const wire = (name: string): string | null => recording(`wire/${name}`);

function all(...files: readonly (string | null)[]): string[] | null {
  return files.every((file) => file !== null) ? (files as string[]) : null;
}

const firstDay = all(standx("diffL20_2026-01-05.ndjson.gz"), standx("trades_2026-01-05.csv.gz"));
const aDay = all(standx("diffL20_2026-01-06.ndjson.gz"));

describe(`StandX ${firstDay === null ? WITHOUT_RECORDINGS : ""}`, () => {
  it.skipIf(firstDay === null)("imported, exported and imported again is the same, event for event, in every form", async () => {
    const imported = await importFiles("standx", firstDay ?? [], { sides: "inferred" });
    expect(imported.refused).toBe(0);
    const lines = eventLines(imported);
    for (const form of ["ndjson", "csv", "parquet"] as const) {
      const exported = await exportFiles([imported.markets[0]?.file ?? ""], { form });
      const folder = dirname(exported.markets[0]?.files[0]?.path ?? "");
      const back = eventLines(await importFiles(form === "ndjson" ? "events" : form, [folder]));
      expect(back.length).toBe(lines.length);
      // Compared as one text: a diff of ten thousand lines helps nobody.
      expect(back.join("\n") === lines.join("\n")).toBe(true);
    }
  });

  it.skipIf(aDay === null)("has a gap for each silence that the recorder marked, and for no shorter one", async () => {
    const report = await importFiles("standx", aDay ?? []);
    const gaps = eventLines(report)
      .filter((line) => line.startsWith('{"kind":"gap"'))
      .map((line) => JSON.parse(line) as { from: number; to: number });
    const ends = new Set(gaps.map(({ to }) => to));
    // Read a second time, plainly.
    let marked = 0;
    let silences = 0;
    let last: number | null = null;
    for (const file of aDay ?? []) {
      for (const line of linesOf(file)) {
        const received = Number(/"R":(\d+)/.exec(line)?.[1]);
        if (line.includes('"gap_ms"')) {
          marked++;
          expect(ends.has(received)).toBe(true);
        }
        if (last !== null && received - last > 2_000) silences++;
        last = received;
      }
    }
    expect(marked).toBe(2_613);
    expect(gaps).toHaveLength(silences);
    expect(gaps.every(({ from, to }) => to - from > 2_000)).toBe(true);
  });

  const halfMinutes = standx("30s_L20.ndjson.gz");
  it.skipIf(firstDay === null || halfMinutes === null)(
    "gives, from its changes, the book that the recorder itself wrote each half minute",
    async () => {
      // The third form is an independent account of the first: the last book before each half minute.
      const report = await importFiles("standx", (firstDay ?? []).slice(0, 1));
      const exported = await exportFiles([report.markets[0]?.file ?? ""], { form: "recorder", intervalMs: 30_000, levels: 20 });
      const ours = new Map<number, string>();
      for (const { path } of exported.markets[0]?.files ?? []) {
        for (const line of linesOf(path)) {
          const { date, time, prices, volumes } = JSON.parse(line) as { date: string; time: string; prices: number[]; volumes: number[] };
          ours.set(Date.parse(`${date}T${time}Z`), JSON.stringify([prices, volumes]));
        }
      }
      let equal = 0;
      let compared = 0;
      for (const line of linesOf(halfMinutes ?? "")) {
        const { t, bids, asks } = JSON.parse(line) as { t: number; bids: [number, number][]; asks: [number, number][] };
        const here = ours.get(t);
        if (here === undefined) continue;
        const levels = [...bids.slice().reverse(), ...asks];
        compared++;
        if (here === JSON.stringify([levels.map(([price]) => price), levels.map(([, size]) => size)])) equal++;
      }
      expect(compared).toBeGreaterThan(80);
      expect(equal).toBe(compared);
    },
  );
});

const thin = all(wire("binance-spot-thin-2021-10-12.ws.txt.gz"), wire("binance-spot-thin-2021-10-12.rest.txt.gz"));

describe(`captures of sockets ${thin === null ? WITHOUT_RECORDINGS : ""}`, () => {
  it.skipIf(thin === null)("of Binance are the same events whether they come straight or by a tape", async () => {
    const straight = await importFiles("wire", thin ?? []);
    expect(straight).toMatchObject({ refused: 0, failure: null });
    const tape = await importTape(thin ?? [], { venue: null, out: freshFolder(), progress: silent });
    const exported = await exportFiles([tape.file], { form: "ndjson" });
    expect(exported.markets.map(({ market }) => market).sort()).toEqual(straight.markets.map(({ market }) => market).sort());
    for (const { market, file } of straight.markets) {
      const other = exported.markets.find((found) => found.market === market)?.files[0]?.path ?? "";
      expect(linesOf(other).slice(1)).toEqual(linesOf(file).slice(1));
      expect((await bookOf(other)).state).toBe("normal");
    }
  });

  const bitmex = all(wire("bitmex-2021-07-22.ws.txt.gz"), wire("bitmex-2021-07-22.rest.txt.gz"));
  it.skipIf(bitmex === null)("of BitMEX are a tape of every frame, byte for byte, with the grids of its ten markets", async () => {
    const report = await importTape(bitmex ?? [], { venue: null, out: freshFolder(), progress: silent });
    expect(report).toMatchObject({ venue: "bitmex", refused: 0 });
    expect(report.instruments).toContainEqual({ symbol: "XBTUSD", tick: "0.5", lot: "100" });
    expect(framesOf(report.file)).toEqual(sentFrames(bitmex?.[0] ?? ""));
  });

  const coinbase = wire("coinbase-exchange-2021-04-17.ws.txt.gz");
  it.skipIf(coinbase === null)("of Coinbase are too", async () => {
    const report = await importTape([coinbase ?? ""], { venue: null, out: freshFolder(), progress: silent });
    expect(report).toMatchObject({ venue: "coinbase-exchange", refused: 0 });
    expect(report.instruments).toHaveLength(10);
    expect(framesOf(report.file)).toEqual(sentFrames(coinbase ?? ""));
  });

  it.skipIf(bitmex === null || coinbase === null)("of BitMEX and Coinbase give the reducer's own books at their end", async () => {
    for (const file of [bitmex?.[0] ?? "", coinbase ?? ""]) {
      const report = await importFiles("wire", [file]);
      const instruments = report.markets.map(({ market, tick, lot }) => instrumentOf(market, tick, lot));
      const adapter = findAdapter(instruments[0]?.venue ?? "");
      if (adapter === null) throw new Error(`no adapter for ${file}`);
      const feed = new FeedReducer({ adapter, instruments, featureSet: featureSetV1 });
      const tape = await importTape([file], { venue: null, out: freshFolder(), progress: silent });
      for (const line of linesOf(tape.file)) {
        const record = decodeTapeLine(line);
        if ("kind" in record) feed.record(record);
      }
      for (const { market, file: events } of report.markets) {
        const tracker = feed.markets.get(market.slice(market.indexOf(":") + 1));
        if (tracker?.state === "live") expect([market, (await bookOf(events)).contentHash()]).toEqual([market, tracker.book.contentHash()]);
      }
      expect([...feed.markets.values()].filter(({ state }) => state === "live").length).toBeGreaterThan(5);
    }
  });

  const coinM = wire("binance-cm-btcusd-perp-20240808.ndjson.gz");
  it.skipIf(coinM === null)("of COIN-M have no gap", async () => {
    const report = await importFiles("wire", [coinM ?? ""], { venue: "binance-coin-m" });
    expect(report.markets[0]).toMatchObject({ market: "binance-coin-m:BTCUSD_PERP", tick: "0.1", lot: "1", gaps: {} });
    expect(report.refused).toBe(0);
  });
});

const TABLES: readonly (readonly [format: string, path: string, expected: object])[] = [
  [
    "hyperliquid",
    "tob-trades/hyperliquid-2025-09-04",
    { market: "hyperliquid:BTC", byKind: { snapshot: 2_161, trade: 3_889, quote: 8_006 } },
  ],
  ["fx-quotes", "tob-trades/fx-oanda-eurusd", { market: "oanda:EURUSD", tick: "0.00001" }],
  ["binance-klines", "wire/binance-klines-rest-2021-12/ADAUSDT.json.gz", { byKind: { bar: 1_000 }, gaps: {} }],
  // The venue was down for 285 minutes on 2021-04-25; the one bar more is the hole's own end.
  ["klines-csv", "klines-1m/binance-usdt/BTCUSDT.csv.gz", { market: "binance-spot:BTCUSDT", gaps: { "missing-bars": 1 } }],
  ["bitmex-bars", "klines-1m/bitmex-xbtusd/2020-07.ndjson.gz", { market: "bitmex:XBTUSD", tick: "0.5", byKind: { bar: 44_640 }, gaps: {} }],
];

describe(`tables ${recording("tob-trades") === null ? WITHOUT_RECORDINGS : ""}`, () => {
  it.skipIf(recording("tob-trades") === null).each(TABLES)("of %s are taken whole: %s", async (format, path, expected) => {
    const report = await importFiles(format, [recording(path) ?? ""]);
    expect(report).toMatchObject({ refused: 0, failure: null });
    expect(report.markets[0]).toMatchObject(expected);
  });
});

function framesOf(tape: string): string[] {
  return linesOf(tape).flatMap((line) => /^\d+ f (.*)$/s.exec(line)?.[1] ?? []);
}

/** What stands behind "<seconds>: ", read plainly. */
function sentFrames(file: string): string[] {
  return gunzipSync(readFileSync(file))
    .toString("utf8")
    .split("\n")
    .filter((line) => /^\d+\.\d+: /.test(line))
    .map((line) => line.slice(line.indexOf(": ") + 2));
}

function instrumentOf(market: string, tickText: string, lotText: string): Instrument {
  const [venue = "", symbol = ""] = market.split(":");
  const tick = parseGrid(tickText);
  const lot = parseGrid(lotText);
  if (tick === null || lot === null) throw new Error(`no grids of ${market}`);
  return { venue, symbol, tick, lot };
}
