/** What venues really sent, changed: decoder and naive reader must read it alike, in the layouts of the captures, which no generator here made up. */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { inferInstruments, readRecording } from "../../bench/recording.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { bitmex } from "../../exchanges/bitmex/bitmex.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { comparable, readingOf } from "./decoded.ts";
import { Draws } from "./draws.ts";
import { mutate } from "./mutations.ts";
import { fuzzChanges, fuzzSeed } from "./settings.ts";
import { fuzzVenues } from "./venues.ts";

/** Recorded frames are ten times as long as made-up ones. */
const CHANGES = Math.ceil(fuzzChanges / 50);
/** Frames longer than this are images of whole books, and would take all the time. */
const LONGEST = 8_000;
const LARGEST_IMAGE = 100_000;
const SLICE = 300;

interface Capture {
  readonly frames: readonly string[];
  readonly instruments: readonly Instrument[];
}

function binanceCapture(venue: string): (file: string) => Capture {
  return (file) => {
    const recorded = readRecording(file).slice(0, 4_000);
    const frames = recorded.filter((frame) => frame.kind === "frame").map(({ text }) => text);
    return { frames, instruments: inferInstruments(venue, recorded) };
  };
}

function bitmexCapture(file: string): Capture {
  const answers = recording("wire/bitmex-2021-07-22.rest.txt.gz");
  const [answer = ""] = answers === null ? [] : gunzipSync(readFileSync(answers)).toString("utf8").split("\n");
  const decoded = bitmex.decodeInstruments(answer.slice(answer.indexOf(": ") + 2), [
    "BCHUSD",
    "ADAUSDT",
    "SOLUSDT",
    "UNIUSDT",
    "XRPU21",
    "TRXU21",
  ]);
  if ("malformed" in decoded) throw new Error(decoded.malformed);
  const lines = gunzipSync(readFileSync(file)).toString("utf8").split("\n");
  return { frames: lines.flatMap((line) => /^\d+\.\d+: (.*)$/.exec(line)?.[1] ?? []), instruments: decoded.instruments };
}

function exchangeCapture(file: string): Capture {
  const recorded = readRecording(file);
  return { frames: recorded.map(({ text }) => text), instruments: inferInstruments("coinbase-exchange", recorded) };
}

const CAPTURES: readonly (readonly [venue: string, path: string, read: (file: string) => Capture])[] = [
  ["binance-spot", "wire/binance-spot-btcusdt-20240808.ndjson.gz", binanceCapture("binance-spot")],
  ["binance-coin-m", "wire/binance-cm-btcusd-perp-20240808.ndjson.gz", binanceCapture("binance-coin-m")],
  ["bitmex", "wire/bitmex-2021-07-22.ws.txt.gz", bitmexCapture],
  ["coinbase-exchange", "wire/coinbase-exchange-2021-04-17.ws.txt.gz", exchangeCapture],
];

describe.each(CAPTURES)("%s, as captured", (venue, path, read) => {
  const file = recording(path);

  it.skipIf(file === null)(`is read as it says, whatever became of it on its way ${WITHOUT_RECORDINGS}`, () => {
    const { frames, instruments } = read(file ?? "");
    const fuzzed = fuzzVenues.find(({ adapter }) => adapter.venue === venue);
    if (fuzzed === undefined) throw new Error(`no ${venue}`);
    const decoder = fuzzed.adapter.createDecoder(instruments);
    const reader = fuzzed.createReader(instruments);
    const isNumbered = fuzzed.adapter.continuity !== "none";
    const check = (text: string): string => {
      const [ours, plainly] = comparable(readingOf(decoder.decode(text), isNumbered), reader.read(text));
      if (ours !== plainly) throw new Error(`seed ${fuzzSeed}: read as ${ours}, and plainly as ${plainly}: ${text}`);
      return ours;
    };
    // Images of books first, so that the changes have something to refer to.
    // The largest is left out: a reader that looks through all levels for each takes a second for it.
    const images = frames.filter((text) => text.length > LONGEST && text.length < LARGEST_IMAGE);
    const names = instruments.map(({ symbol }) => `"${symbol}"`);
    const slice = frames.filter((text) => text.length <= LONGEST && names.some((name) => text.includes(name))).slice(0, SLICE);
    const draws = new Draws(fuzzSeed);
    const material = { others: slice, symbols: instruments.map(({ symbol }) => symbol) };
    const readings = new Set<string>();
    for (let count = 0; count < CHANGES; count++) {
      if (count % slice.length === 0) for (const text of images) check(text);
      const text = slice[count % slice.length] ?? "";
      const asSent = check(text);
      const kind = draws.pick(["characters", "values", "values", "same"] as const);
      const changed = check(mutate(kind, text, { draws, material }));
      // A row that names a level by id may change the table, so that the second reading of it is another.
      if (kind === "same" && venue.startsWith("binance")) expect(changed).toBe(asSent);
      readings.add(changed);
    }
    expect(readings.size).toBeGreaterThan(CHANGES / 100);
  });
});
