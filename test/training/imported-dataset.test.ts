/**
 * From imported events to a dataset. Losses prevented: targets over a silence that nobody sees, stale prices learned and scored as if they had been heard,
 * features that differ from those of the edge, and half a dataset left on a full disk.
 */

import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { featureSetLevels10 } from "../../core/features/levels-10/feature-set.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import { featureSetVolumes10 } from "../../core/features/volumes-10/feature-set.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { GENERATIVE_LOT, GENERATIVE_TICK } from "../../exchange-simulator/market/generative-records.ts";
import { type BuildOptions, buildDataset } from "../../training/datasets/build-dataset.ts";
import type { DatasetCard } from "../../training/datasets/card.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import { hasInferredSides } from "../../training/datasets/imported-source.ts";
import { recordedSources } from "../../training/datasets/recorded-sources.ts";
import { silent } from "../../training/progress.ts";
import { exportFiles, freshFolder, importFiles, linesOf, put } from "../archive/workplace.ts";

const START = 1_767_225_600_000;
const SECONDS = 460;
const FIRST_BOOK_MS = 130;
const LATENCY_MS = 300;
/** Without a book: [from, to) in seconds. The last is longer than the edge sits out, and not so long that the market's clock wants witnesses. */
const SILENCES = [
  [60, 67],
  [150, 158],
  [260, 300],
] as const;
const TICK = 0.01;

interface Book {
  readonly venueTime: number;
  readonly bidTicks: number;
}

/** A book each quarter of a second but in the silences; its bid is anywhere within a dollar of 90,000. */
const BOOKS: readonly Book[] = Array.from({ length: SECONDS * 4 }, (_, index) => ({
  venueTime: START + FIRST_BOOK_MS + index * 250,
  bidTicks: 9_000_000 + ((index * 7_919) % 101),
})).filter(({ venueTime }) => !SILENCES.some(([from, to]) => venueTime >= START + from * 1_000 && venueTime < START + to * 1_000));

function price(ticks: number): number {
  return Number((ticks * TICK).toFixed(2));
}

/** As the recorder writes it, every book whole; each side has `levels`. */
function bookLine({ venueTime, bidTicks }: Book, levels = 12): string {
  const side = (best: number, step: number) => Array.from({ length: levels }, (_, level) => [price(best + step * level), 0.5 + level / 8]);
  const [b, a] = [side(bidTicks, -1), side(bidTicks + 2, 1)];
  return JSON.stringify({ type: "snapshot", E: venueTime, R: venueTime + LATENCY_MS, b, a });
}

/** One within the second silence: it moves the market's clock, and rows are written while no book comes. Another before it. */
const TRADES = [100, 153.5].map((second) => {
  const venueTime = START + second * 1_000;
  return `${venueTime},${venueTime + LATENCY_MS},89999.5,0.25`;
});

async function imported(options: { sides?: "as-given" | "inferred" } = {}): Promise<string> {
  const books = put("diffL20_day.ndjson.gz", `${BOOKS.map((book) => bookLine(book)).join("\n")}\n`);
  const trades = put("trades_day.csv.gz", `exch_ts_ms,recv_ts_ms,price,qty\n${TRADES.join("\n")}\n`);
  const { markets, failure } = await importFiles("standx", [books, trades], options);
  if (failure !== null || markets[0] === undefined) throw new Error(failure ?? "no market");
  return markets[0].file;
}

async function datasetOf(
  paths: readonly string[],
  options: Partial<BuildOptions> = {},
): Promise<{ card: DatasetCard; data: Dataset; folder: string }> {
  const folder = freshFolder();
  const sources = await recordedSources(paths, { venue: null, market: null });
  const card = await buildDataset({ sources, folder, command: ["test"], progress: silent, ...options });
  return { card, data: await readDataset(folder), folder };
}

/** What is known of each whole second, by looking through all books: the bid before it, and whether the next book came within the recorder's bound. */
function knownAt(time: number): { bidTicks: number; isHeard: boolean } | null {
  const before = BOOKS.findLast(({ venueTime }) => venueTime < time);
  const next = BOOKS.find(({ venueTime }) => venueTime >= time);
  return before && next ? { bidTicks: before.bidTicks, isHeard: next.venueTime - before.venueTime <= 2_000 } : null;
}

function heardFromTo(from: number, to: number): boolean {
  for (let time = from; time <= to; time += 1_000) if (knownAt(time)?.isHeard !== true) return false;
  return true;
}

/** Every target of the dataset beside the reference. @param isAllowed whether a row and a later one may be joined. */
function expectTargets({ times, targets, mask, outputs, card }: Dataset, isAllowed: (from: number, to: number) => boolean): void {
  for (const [row, time] of times.entries()) {
    for (const [output, { target, horizonMs }] of card.targets.entries()) {
      const then = time + horizonMs;
      const isThere = isAllowed(time, then);
      const now = knownAt(time)?.bidTicks ?? 0;
      const later = knownAt(then)?.bidTicks ?? 0;
      const [from, to] = { bid: [now, later], mid: [now + 1, later + 1], ask: [now + 2, later + 2] }[target] as [number, number];
      const told = [(time - START) / 1_000, target, horizonMs, mask[row * outputs + output]];
      expect(told).toEqual([(time - START) / 1_000, target, horizonMs, isThere ? 1 : 0]);
      const wanted = isThere ? (10_000 * (to - from)) / from : 0;
      expect(targets[row * outputs + output]).toBeCloseTo(wanted, 9);
    }
  }
}

const LAST_ROW = START + (SECONDS - 1) * 1_000;
const isOfOneSegment = (from: number, to: number): boolean => from < START + 300_000 === to < START + 300_000 && to <= LAST_ROW;

describe("a dataset of imported events", () => {
  it("has a row each second that the edge would have, and says which lie in silences: they would pass for seconds that were heard", async () => {
    const { card, data } = await datasetOf([await imported()]);
    const seconds = [...data.times].map((time) => (time - START) / 1_000);
    const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);
    // Windows are full 31 s after the first book, and after the first behind the hole, at 300.13 s.
    expect(seconds).toEqual([...range(32, 259), ...range(332, 459)]);
    expect(card.parts[0]).toMatchObject({ market: "standx:BTC-USD", segments: 2, silentRows: 17, unbrokenMs: 5_000, overGapsFromMs: null });
    expect(card.parts[0]?.coverage).toBeCloseTo((356 - 17) / 428, 12);
    expect(card.parts[0]?.gaps).toEqual({ silence: 3 });
    expect(card.parts[0]?.frames).toBe(BOOKS.length + TRADES.length + 3);
  });

  it("has targets only where each second to the horizon was heard, and 5 s before: the price within a silence is nobody's", async () => {
    const { data } = await datasetOf([await imported()]);
    expectTargets(data, (from, to) => isOfOneSegment(from, to) && heardFromTo(from - 5_000, to) && from - 5_000 >= startOf(from));
    expect(data.mask.some((value) => value === 1)).toBe(true);
  });

  it("lets far targets reach over a silence where it is told to, from a heard second to another, and never over the end of a segment", async () => {
    const { data, card } = await datasetOf([await imported()], { rule: { overGapsFromMs: 10_000 } });
    const near = (from: number, to: number): boolean => to - from < 10_000 && heardFromTo(from, to);
    const far = (from: number, to: number): boolean => to - from >= 10_000 && knownAt(to)?.isHeard === true;
    expectTargets(
      data,
      (from, to) =>
        isOfOneSegment(from, to) && heardFromTo(from - 5_000, from) && from - 5_000 >= startOf(from) && (near(from, to) || far(from, to)),
    );
    expect(card.parts[0]).toMatchObject({ overGapsFromMs: 10_000 });
  });

  it.each([null, 10_000])(
    "of averaged targets has those alone of which each second is allowed (over gaps from %s ms): a mean would hide a price that nobody heard",
    async (overGapsFromMs) => {
      const path = await imported();
      for (const label of ["anchored", "smoothed"] as const) {
        const { data } = await datasetOf([path], { label, rule: { overGapsFromMs } });
        const { times, targets, mask, outputs, card } = data;
        let known = 0;
        for (const [row, time] of times.entries()) {
          for (const [output, { target, horizonMs }] of card.targets.entries()) {
            const isFar = overGapsFromMs !== null && horizonMs >= overGapsFromMs;
            const first = label === "smoothed" ? time - horizonMs + 1_000 : time;
            const then = time + horizonMs;
            const isHeard = isFar ? [first, time, then].every((one) => knownAt(one)?.isHeard === true) : heardFromTo(first, then);
            const isThere =
              first >= startOf(time) &&
              isOfOneSegment(time, then) &&
              time - 5_000 >= startOf(time) &&
              heardFromTo(time - 5_000, time) &&
              isHeard;
            expect([label, (time - START) / 1_000, horizonMs, mask[row * outputs + output]]).toEqual([
              label,
              (time - START) / 1_000,
              horizonMs,
              isThere ? 1 : 0,
            ]);
            const price = (at: number): number => (knownAt(at)?.bidTicks ?? 0) + { bid: 0, mid: 1, ask: 2 }[target];
            const mean = (from: number, to: number): number => {
              let sum = 0;
              for (let at = from; at <= to; at += 1_000) sum += price(at);
              return sum / ((to - from) / 1_000 + 1);
            };
            const from = mean(first, time);
            expect(targets[row * outputs + output]).toBeCloseTo(isThere ? (10_000 * (mean(time + 1_000, then) - from)) / from : 0, 8);
            if (isThere) known++;
          }
        }
        expect(known).toBeGreaterThan(500);
      }
    },
  );

  function secondsOf({ times }: Dataset, from: number, to: number): number[] {
    return [...times].map((time) => (time - START) / 1_000).filter((second) => second >= from && second <= to);
  }

  /** The first row of the segment. */
  function startOf(time: number): number {
    return time < START + 300_000 ? START + 32_000 : START + 332_000;
  }

  it("has the bytes that the tape gives of which the events are an export: a model would meet other numbers at the edge", async () => {
    const simulation = { preset: "large-tick", seed: 5, symbol: "LARGEUSDT", seconds: 400, startTime: START } as const;
    const grids: TapeRecord = { kind: "instrument", receivedAt: START, symbol: "LARGEUSDT", tick: GENERATIVE_TICK, lot: GENERATIVE_LOT };
    // An export has no bars that are not over, and the last of them would write a row.
    const sent = [...simulateTape(simulation)].filter((record) => !(record.kind === "frame" && record.text.includes('"e":"kline"')));
    const records = [grids, ...sent];
    const tape = put("binance-spot.tape.gz", records.map((record) => `${encodeTapeRecord(record)}\n`).join(""));
    const sources = await fileSources([tape], { venue: "binance-spot", market: null });
    const [source] = sources;
    if (source === undefined) throw new Error("no source");
    const { markets } = await exportFiles([tape], {});
    const events = markets[0]?.files[0]?.path;
    if (events === undefined) throw new Error("no export");
    for (const featureSet of [featureSetV1, featureSetLevels10, featureSetVolumes10]) {
      const folder = freshFolder();
      const rule = { unbrokenMs: 0 };
      const ofTape = await buildDataset({ sources, folder, featureSet, command: ["test"], progress: silent });
      const { card: ofEvents } = await datasetOf([events], { featureSet, rule });
      expect(ofEvents.rows).toBe(ofTape.rows);
      expect(ofEvents.sha256).toBe(ofTape.sha256);
    }
  });

  it("counts trades whose side nobody knows: their volume is in no column", async () => {
    const { card, data } = await datasetOf([await imported()]);
    expect(card.parts[0]?.sidelessTrades).toBe(2);
    const column = card.featureSet.columns.indexOf("signed_volume_10s");
    const volumes = (of: Dataset): number[] =>
      Array.from({ length: of.rows }, (_, row) => allFeatures(of)[row * of.columns + column] as number);
    expect(volumes(data).every((volume) => volume === 0)).toBe(true);
    // That in the silence stays without one: the book it would be told by is old.
    const inferred = await datasetOf([await imported({ sides: "inferred" })]);
    expect(inferred.card.parts[0]).toMatchObject({ sidelessTrades: 1, source: expect.stringMatching(/takers' sides by quote rule/) });
    // Whoever has asked for sides isn't told to ask for them.
    expect([card, inferred.card].map(({ parts }) => hasInferredSides(parts[0]?.source ?? ""))).toEqual([false, true]);
    expect(volumes(inferred.data).some((volume) => volume < 0)).toBe(true);
  });

  it("is on the receive clock where the source tells no other, all of it", async () => {
    const lines = linesOf(await imported()).map((line) => line.replace(/"venueTime":\d+/, '"venueTime":null'));
    const { data } = await datasetOf([put("standx.BTC-USD.events.ndjson", `${lines.join("\n")}\n`)]);
    // The last book was received at 460.18 s.
    expect(((data.times.at(-1) as number) - START) / 1_000).toBe(460);
  });

  it("ends the segment at a line that is no event, and begins anew with the next whole book: it may have been a change of the book", async () => {
    const lines = linesOf(await imported());
    const at = lines.findIndex((line) => line.includes(`"venueTime":${START + 200_630}`));
    lines[at] = '{"kind":"depth"';
    lines[at + 1] = (lines[at + 1] as string).replace('"kind":"snapshot"', '"kind":"depth"');
    const { card, data } = await datasetOf([put("standx.BTC-USD.events.ndjson", `${lines.join("\n")}\n`)]);
    expect(card.parts[0]).toMatchObject({ segments: 3, malformedFrames: 1, gaps: { malformed: 1, silence: 3 } });
    // The next whole book is of 201.13 s.
    expect(secondsOf(data, 198, 235)).toEqual([198, 199, 200, 233, 234, 235]);
  });

  it("knows no book before the first whole one: a change says nothing of the other levels", async () => {
    const lines = linesOf(await imported());
    for (const at of [1, 2, 3, 4]) lines[at] = (lines[at] as string).replace('"kind":"snapshot"', '"kind":"depth"');
    const { data } = await datasetOf([put("standx.BTC-USD.events.ndjson", `${lines.join("\n")}\n`)]);
    // The fifth book is of 1.13 s.
    expect(secondsOf(data, 0, 34)).toEqual([33, 34]);
  });

  it.each([
    ["of which the source says that it lost something", 500, "sequence-gap"],
    ["that nobody has seen the end of", null, "silence"],
  ])("ends the segment at a gap %s, however short: what was lost can't be told", async (_, lengthMs, reason) => {
    const lines = linesOf(await imported());
    const at = lines.findIndex((line) => line.includes(`"venueTime":${START + 200_130}`));
    const receivedAt = START + 199_880 + LATENCY_MS;
    const gap = { kind: "gap", receivedAt, from: receivedAt, to: lengthMs === null ? null : receivedAt + lengthMs, reason, detail: "" };
    lines.splice(at, 0, JSON.stringify(gap));
    const { card, data } = await datasetOf([put("standx.BTC-USD.events.ndjson", `${lines.join("\n")}\n`)]);
    expect(card.parts[0]).toMatchObject({ segments: 3 });
    expect(secondsOf(data, 198, 233)).toEqual([198, 199, 232, 233]);
  });

  it("takes a whole book for all there is: levels of the one before would stay in it for good", async () => {
    const lines = [[90_000, 90_002] as const, [90_010, 90_012] as const].map(([bid, ask], index) => ({ bid, ask, index }));
    const header = { format: "edgebook-events", version: 1, market: "toy:A", tick: "1", lot: "1", source: "" };
    const book = (second: number, bid: number, ask: number) => {
      const venueTime = START + second * 1_000 + 10;
      return JSON.stringify({
        kind: "snapshot",
        receivedAt: venueTime,
        venueTime,
        sequence: null,
        bids: [[String(bid), "1"]],
        asks: [[String(ask), "1"]],
      });
    };
    // From 90,010 back to 90,000: the bid at 90,010 is gone, or it would cross.
    const rows = Array.from({ length: 80 }, (_, second) => {
      const { bid, ask } = lines[second % 2] as (typeof lines)[number];
      return book(second, bid, ask);
    });
    const { data } = await datasetOf([put("toy.A.events.ndjson", `${[JSON.stringify(header), ...rows].join("\n")}\n`)]);
    expect(secondsOf(data, 32, 79)).toEqual(Array.from({ length: 48 }, (_, index) => 32 + index));
  });

  it("finds silences that the source doesn't tell, where it is asked to", async () => {
    const lines = linesOf(await imported()).filter((line) => !line.includes('"kind":"gap"'));
    const events = put("standx.BTC-USD.events.ndjson", `${lines.join("\n")}\n`);
    const plain = await datasetOf([events]);
    // By its own pace, twenty quarters of a second, at least 30 s: what the edge takes for stale.
    expect(plain.card.parts[0]?.gaps).toEqual({ stale: 1 });
    const asked = await datasetOf([events], { silenceMs: 2_000 });
    expect(asked.card.parts[0]).toMatchObject({ gaps: { silence: 2, stale: 1 }, silentRows: 17 });
    expect(asked.card.sha256).toBe((await datasetOf([await imported()])).card.sha256);
  });

  it("takes all that lies in a folder, what a venue sent and what was imported: a market would be missed", async () => {
    const folder = freshFolder();
    copyFileSync(await imported(), join(folder, "standx.BTC-USD.events.ndjson.gz"));
    const records = [...simulateTape({ preset: "large-tick", seed: 5, symbol: "LARGEUSDT", seconds: 5, startTime: START })];
    writeFileSync(join(folder, "spot.tape"), records.map((record) => `${encodeTapeRecord(record)}\n`).join(""));
    const kindsOf = async (market: string | null) =>
      (await recordedSources([folder], { venue: null, market })).map((source) => ("kind" in source ? source.header.market : source.venue));
    expect(await kindsOf(null)).toEqual(["binance-spot", "standx:BTC-USD"]);
    expect(await kindsOf("standx:BTC-USD")).toEqual(["standx:BTC-USD"]);
    expect(await kindsOf("binance-spot:LARGEUSDT")).toEqual(["binance-spot"]);
  });

  it("takes no market twice, no grid that isn't its own, and says what isn't there", async () => {
    const events = await imported();
    await expect(datasetOf([events, await imported()])).rejects.toThrow(/standx:BTC-USD is there twice from 2026-01-01T00:00:32.000Z on/);
    await expect(
      recordedSources([events], {
        venue: null,
        market: null,
        grids: new Map([["BTC-USD", { tick: { decimals: 1, mantissa: 1 }, lot: { decimals: 1, mantissa: 1 } }]]),
      }),
    ).rejects.toThrow(/--grid is of what a venue sent/);
    await expect(recordedSources([events], { venue: null, market: "bitmex:XBTUSD" })).rejects.toThrow(
      /no imported events of bitmex:XBTUSD/,
    );
  });
});

describe("a dataset that can't be written to its end", () => {
  it("leaves nothing of itself on a full disk", async () => {
    const folder = freshFolder();
    // A device that is always full: ENOSPC.
    mkdirSync(join(folder, ".making"));
    symlinkSync("/dev/full", join(folder, ".making", "features.f64"));
    writeFileSync(join(folder, "notes.txt"), "mine");
    const sources = await recordedSources([await imported()], { venue: null, market: null });
    const building = buildDataset({ sources, folder, command: ["test"], progress: silent });
    await expect(building).rejects.toMatchObject({ code: "ENOSPC" });
    expect(readdirSync(folder)).toEqual(["notes.txt"]);
    expect(existsSync("/dev/full")).toBe(true);
  });

  it("leaves nothing when the recording is cut, and takes away what a killed attempt has left", async () => {
    const folder = freshFolder();
    mkdirSync(join(folder, ".making"));
    writeFileSync(join(folder, ".making", ".part-7.f64"), "left");
    writeFileSync(join(folder, "dataset.json"), "an earlier one");
    const whole = readFileSync(await imported());
    const cut = put("standx.BTC-USD.events.ndjson.gz", whole.subarray(0, whole.length - 500));
    const sources = await recordedSources([cut], { venue: null, market: null });
    await expect(buildDataset({ sources, folder, command: ["test"], progress: silent })).rejects.toThrow(/can't be read beyond line/);
    // Not of the earlier dataset: a folder named twice costs nobody what was there.
    expect(readdirSync(folder)).toEqual(["dataset.json"]);
  });
});
