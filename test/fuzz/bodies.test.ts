/** The texts beside the frames: lists of instruments, lines of tapes, lines of events. Whatever is in them, they are read right or refused. */

import { describe, expect, it } from "vitest";
import { decodeMarketRecord, type EventsHeader, encodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { decodeTapeLine, encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { Draws } from "./draws.ts";
import { type MutationMaterial, mutate } from "./mutations.ts";
import { decimalOf, stepOf } from "./naive-values.ts";
import { fuzzChanges, fuzzSeed } from "./settings.ts";
import { fuzzVenues } from "./venues.ts";

/** Bodies are read once a day, and lines by tools: they get a fortieth of what frames get. */
const CHANGES = Math.ceil(fuzzChanges / 40);

/** Calls `hold` with changed texts, and with texts of the same meaning. */
function eachChange(texts: readonly string[], material: MutationMaterial, hold: (text: string, of: string, isSame: boolean) => void): void {
  const draws = new Draws(fuzzSeed);
  for (let count = 0; count < CHANGES; count++) {
    const text = draws.pick(texts);
    const kind = draws.pick(["characters", "values", "values", "same"] as const);
    hold(mutate(kind, text, { draws, material }), text, kind === "same");
  }
}

/** Where each venue writes a market's steps, as text. */
const STEPS: Readonly<Record<string, (body: unknown, symbol: string) => readonly (readonly [string, string])[]>> = {
  binance: (body, symbol) =>
    all((body as { symbols?: unknown }).symbols, "symbol", symbol).map((entry) => {
      const step = (filter: string, key: string) => String(all(entry.filters, "filterType", filter)[0]?.[key]);
      return [step("PRICE_FILTER", "tickSize"), step("LOT_SIZE", "stepSize")];
    }),
  bitmex: (body, symbol) => all(body, "symbol", symbol).map((entry) => [decimalOf(entry.tickSize), decimalOf(entry.lotSize)]),
  "coinbase-exchange": (body, symbol) =>
    all(body, "id", symbol).map((entry) => [String(entry.quote_increment), String(entry.base_increment)]),
  "coinbase-advanced": (body, symbol) =>
    all((body as { products?: unknown }).products, "product_id", symbol).map((entry) => {
      const isNamed = typeof entry.price_increment === "string" && entry.price_increment !== "";
      return [String(isNamed ? entry.price_increment : entry.quote_increment), String(entry.base_increment)];
    }),
};

function all(list: unknown, key: string, value: string): Record<string, unknown>[] {
  return Array.isArray(list) ? (list as Record<string, unknown>[]).filter((entry) => entry?.[key] === value) : [];
}

describe.each(fuzzVenues.map((venue) => [venue.adapter.venue, venue] as const))(
  "instruments of %s",
  (name, { adapter, instruments, instrumentsBody }) => {
    const [instrument] = instruments;
    const symbol = instrument?.symbol ?? "";
    const stepsIn = STEPS[name] ?? STEPS[name.replace(/-.*/, "")];

    it("have the steps that the venue wrote, or there are none: a price on a wrong grid is another price", () => {
      let accepted = 0;
      const material = { others: [instrumentsBody], symbols: [symbol, "NOSUCH"] };
      eachChange([instrumentsBody], material, (text, _, isSame) => {
        const decoded = adapter.decodeInstruments(text, [symbol]);
        if (isSame) expect(decoded, text).toEqual({ instruments: [instrument] });
        if ("malformed" in decoded) return;
        for (const { venue, symbol: named, tick, lot } of decoded.instruments) {
          accepted++;
          const written = stepsIn?.(JSON.parse(text), named).map(([price, size]) => [stepOf(price), stepOf(size)].join()) ?? [];
          expect([venue, named], text).toEqual([name, symbol]);
          expect(written, text).toContain([tick, lot].map(({ mantissa, decimals }) => `${mantissa}e-${decimals}`).join());
        }
      });
      expect(accepted).toBeGreaterThan(CHANGES / 20);
    });
  },
);

const RECORDS: readonly TapeRecord[] = [
  { kind: "frame", receivedAt: 1_700_000_000_123, text: '{"stream":"btcusdt@trade","data":{"e":"trade"}}' },
  { kind: "frame", receivedAt: 1_700_000_000_123, text: "two\nlines\r" },
  { kind: "standby-frame", receivedAt: 1_700_000_000_124, text: '{"a":[1,2]}' },
  { kind: "standby-frame", receivedAt: 1_700_000_000_124, text: "\n" },
  { kind: "binary", receivedAt: 1_700_000_000_125, base64: "AAEC" },
  { kind: "snapshot", receivedAt: 1_700_000_000_126, symbol: "BTCUSDT", body: '{"lastUpdateId":7,"bids":[],"asks":[]}' },
  { kind: "snapshot", receivedAt: 1_700_000_000_126, symbol: "BTCUSDT", body: "<html>\n" },
  { kind: "asked", receivedAt: 1_700_000_000_127, symbol: "BTCUSDT" },
  { kind: "open", receivedAt: 1_700_000_000_128, connection: "7" },
  { kind: "down", receivedAt: 1_700_000_000_129, reason: "stale: nothing received" },
  { kind: "standby-open", receivedAt: 1_700_000_000_130, connection: "8" },
  { kind: "standby-down", receivedAt: 1_700_000_000_131, reason: "1006" },
  { kind: "takeover", receivedAt: 1_700_000_000_132, connection: "8: rotation" },
  { kind: "hole", receivedAt: 1_700_000_000_133, symbol: null, reason: "restarted" },
  { kind: "hole", receivedAt: 1_700_000_000_134, symbol: "BTCUSDT", reason: "stale" },
  { kind: "checkpoint", receivedAt: 1_700_000_000_135, symbol: "BTCUSDT", body: '{"lastSequence":7}' },
  {
    kind: "instrument",
    receivedAt: 1_700_000_000_136,
    symbol: "BTCUSDT",
    tick: { decimals: 2, mantissa: 1 },
    lot: { decimals: 5, mantissa: 5 },
  },
];

describe("lines of a tape", () => {
  const lines = RECORDS.map((record) => encodeTapeRecord(record).slice(0, -1));

  it("are a record that can be written again and is the same then, or are refused", () => {
    const draws = new Draws(fuzzSeed);
    let accepted = 0;
    for (let count = 0; count < CHANGES; count++) {
      const changed = mutate("characters", draws.pick(lines), { draws, material: { others: lines, symbols: [] } });
      // A line has no line feed: its reader cuts there.
      for (const line of changed.split("\n")) {
        const record = decodeTapeLine(line);
        if ("malformed" in record) continue;
        accepted++;
        const again = encodeTapeRecord(record);
        expect(again.endsWith("\n") && again.indexOf("\n") === again.length - 1, line).toBe(true);
        expect(decodeTapeLine(again.slice(0, -1)), line).toEqual(record);
      }
    }
    expect(accepted).toBeGreaterThan(CHANGES / 4);
  });
});

const HEADER: EventsHeader = { market: "a:B", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 4, mantissa: 5 }, source: "" };
const EVENTS: readonly MarketRecord[] = [
  {
    kind: "snapshot",
    receivedAt: 1_000,
    venueTime: 990,
    sequence: 5,
    bids: [[10_001, 2]],
    asks: [
      [10_003, 1],
      [10_004, 7],
    ],
  },
  { kind: "depth", receivedAt: 1_001, venueTime: null, sequence: 7, bids: [[10_001, 0]], asks: [] },
  { kind: "trade", receivedAt: 1_002, venueTime: 1_001, tradeId: "a-1", priceTicks: 10_002, sizeLots: 3, takerSide: "buy" },
  { kind: "quote", receivedAt: 1_003, venueTime: 1_002, sequence: 8, bid: [10_001, 5], ask: [10_003, 4] },
  { kind: "gap", receivedAt: 1_010, from: 1_003, to: 1_009, reason: "silence", detail: "7 s" },
];

describe("lines of events", () => {
  const lines = EVENTS.map((record) => encodeMarketRecord(record, HEADER));

  it("are an event that can be written again and is the same then, or are refused", () => {
    let accepted = 0;
    eachChange(lines, { others: lines, symbols: ["depth", "trade", "quote"] }, (line, of, isSame) => {
      const record = decodeMarketRecord(line, HEADER);
      if (isSame) expect(record, line).toEqual(decodeMarketRecord(of, HEADER));
      if ("malformed" in record) return;
      accepted++;
      expect(decodeMarketRecord(encodeMarketRecord(record, HEADER), HEADER), line).toEqual(record);
    });
    expect(accepted).toBeGreaterThan(CHANGES / 4);
  });
});
