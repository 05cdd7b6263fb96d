/**
 * From the minute rows of an instance to a dataset. Losses prevented: moves over a hole, rows of a book that was not there or of another market, prices of the future in a row, and a test minute
 * that is trained on.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { featureSetV1, featureSetV2, featureSetVolumes10 } from "../../core/features/registry.ts";
import { logOnePlus } from "../../core/math/elementary.ts";
import type { DatasetCard } from "../../training/datasets/card.ts";
import { type Dataset, readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { recordingsIn } from "../../training/datasets/file-sources.ts";
import { buildMinuteDataset, type MinuteDatasetOptions } from "../../training/datasets/minute-dataset.ts";
import { silent } from "../../training/progress.ts";
import { freshFolder, put } from "../archive/workplace.ts";

/** 2026-01-05T12:00Z, as seconds. */
const NOON = 1_767_614_400;
const MARKET = "binance-spot:TESTUSDT";
const TRAIN = { label: "train", schedule: "days-6-2-2-embargo-10min" };
const TEST = { label: "test", schedule: "days-6-2-2-embargo-10min" };

type Fields = Record<string, unknown>;

/** Ten levels a side, a tick apart: `lots` at the best, one more at each level behind it. */
function side(bestTicks: number, step: number, lots: number, levels = 10): { priceTicks: number; sizeLots: number }[] {
  return Array.from({ length: levels }, (_, depth) => ({ priceTicks: bestTicks + step * depth, sizeLots: lots + depth }));
}

/** The minute so many after noon, whose clock stands 300 ms behind its second-last second: a bid of `bid` ticks with an ask a tick above, and every second of its path. */
function minuteOf(index: number, bid: number, fields: Fields = {}): Fields {
  const start = NOON + index * 60;
  return {
    market: MARKET,
    minute: start * 1_000,
    tick: "0.01",
    lot: "0.001",
    state: "live",
    bids: side(bid, -1, 3),
    asks: side(bid + 1, 1, 7),
    marketTime: (start + 58) * 1_000 + 300,
    features: { featureTime: (start + 58) * 1_000, fingerprint: featureSetV1.fingerprint, row: featureSetV1.columns.map(() => index) },
    events: 60,
    split: TRAIN,
    pricePath: pathFrom(index === 0 ? "@" : "+", start - 1, bid),
    ...fields,
  };
}

/** Sixty seconds from `second` on: all at `bid`, and in the tenth second the bid is a tick higher, for that second. */
function pathFrom(mark: "@" | "+", second: number, bid: number): string {
  const later = Array.from({ length: 59 }, (_, index) => (index === 9 ? ";1" : index === 10 ? ";-1" : ";"));
  return `${mark}${second}/${bid}/1${later.join("")}`;
}

function fileOf(records: readonly (Fields | string)[], name = "2026-01-05.ndjson"): string {
  return put(name, records.map((record) => `${typeof record === "string" ? record : JSON.stringify(record)}\n`).join(""));
}

async function datasetOf(
  paths: readonly string[],
  options: Partial<MinuteDatasetOptions> = {},
): Promise<{ card: DatasetCard; data: Dataset }> {
  const folder = freshFolder();
  const card = await buildMinuteDataset({
    ...{ paths, folder, featureSet: featureSetVolumes10, horizonsMs: [1_000, 60_000], label: "point", market: null, splits: [] },
    command: ["test"],
    progress: silent,
    ...options,
  });
  return { card, data: await readDataset(folder) };
}

function secondsOf({ times }: Dataset): number[] {
  return [...times].map((time) => time / 1_000 - NOON);
}

/** Bid targets by row, null where there is none: of a second and of a minute. */
function bidMoves({ targets, mask, rows, outputs }: Dataset): (number | null)[][] {
  return Array.from({ length: rows }, (_, row) =>
    [0, 3].map((output) => (mask[row * outputs + output] === 1 ? (targets[row * outputs + output] as number) : null)),
  );
}

describe("rows of the levels of a snapshot", () => {
  it("are the feature set's own of that book, at the first second that it can't know of", async () => {
    const { data, card } = await datasetOf([fileOf([minuteOf(0, 1_000), minuteOf(1, 1_000)])]);
    expect(secondsOf(data)).toEqual([59, 119]);
    const lots = [12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
    expect([...allFeatures(data)].slice(0, 20)).toEqual(lots.map(logOnePlus));
    expect(card.parts).toMatchObject([
      { market: MARKET, rows: 2, segments: 2, coverage: 1, minutes: 2, gaps: {}, splits: { train: 2 }, midTicks: 1_000.5 },
    ]);
  });

  it("move by the path of the next minutes, a second ahead and a minute ahead; without a next minute there is no move", async () => {
    // Second 59 is the first of the second minute's path. A second on: nothing. A minute on: the third minute's bid, 10 ticks of 1,000 above.
    const { data } = await datasetOf([fileOf([minuteOf(0, 1_000), minuteOf(1, 1_000), minuteOf(2, 1_010)])]);
    expect(bidMoves(data)).toEqual([[0, 99.99999999999987].map((move) => expect.closeTo(move, 6)), [null, null], [null, null]]);
  });

  it("have no move where the book was another by the second of the row: its levels would be of other prices than it starts from", async () => {
    const { data } = await datasetOf([fileOf([minuteOf(0, 990, { pricePath: pathFrom("@", NOON - 1, 1_000) }), minuteOf(1, 1_000)])]);
    expect(bidMoves(data)[0]).toEqual([null, null]);
  });
});

describe("rows that the feed had stored", () => {
  it("are taken with their own time and the path's prices, so that they are those of a dataset of the tape", async () => {
    const { data, card } = await datasetOf([fileOf([minuteOf(0, 1_000), minuteOf(1, 1_010)])], { featureSet: featureSetV1 });
    expect(secondsOf(data)).toEqual([58, 118]);
    expect(allFeatures(data)[featureSetV1.columns.length]).toBe(1);
    // From second 58 to 59 the bid rises from 1,000 to 1,010, and to second 118 as well.
    expect(bidMoves(data)).toEqual([
      [expect.closeTo(100, 6), expect.closeTo(100, 6)],
      [null, null],
    ]);
    expect(card.featureSet.id).toBe("v1");
  });

  it("of another set are refused, with the set that there is", async () => {
    await expect(datasetOf([fileOf([minuteOf(0, 1_000)])], { featureSet: featureSetV2 })).rejects.toThrow(
      `minute rows hold no rows of v2 (${featureSetV2.fingerprint}), but of ${featureSetV1.fingerprint}: the feed stores its first set`,
    );
  });

  it("of a second that the path left out have no price to start from, and are left out", async () => {
    const cut = minuteOf(1, 1_000, { pricePath: `+${NOON + 59}/1000/1;;` });
    const { card } = await datasetOf([fileOf([minuteOf(0, 1_000), cut])], { featureSet: featureSetV1 });
    expect(card.parts[0]).toMatchObject({ rows: 1, gaps: { "no-price": 1 } });
  });
});

describe("bad input", () => {
  it("a hole of minutes is counted, and no move looks over it", async () => {
    const { card, data } = await datasetOf([fileOf([minuteOf(0, 1_000), minuteOf(1, 1_000), minuteOf(4, 1_000), minuteOf(5, 1_000)])]);
    expect(card.parts[0]).toMatchObject({ rows: 4, minutes: 6, coverage: 4 / 6, gaps: { missing: 2 } });
    // Of the first the minute ahead is second 119, which only the missing minute told.
    expect(bidMoves(data)).toEqual([
      [0, null],
      [null, null],
      [0, null],
      [null, null],
    ]);
  });

  it("a minute that is there twice is refused: it would count twice", async () => {
    const text = "the minute 2026-01-05T12:00:00.000Z of binance-spot:TESTUSDT is there twice";
    await expect(datasetOf([fileOf([minuteOf(0, 1_000), minuteOf(0, 1_000)])])).rejects.toThrow(text);
    const file = fileOf([minuteOf(0, 1_000)]);
    await expect(datasetOf([file, file])).rejects.toThrow(text);
    await expect(datasetOf([fileOf([minuteOf(1, 1_000), minuteOf(0, 1_000)])])).rejects.toThrow("comes behind 2026-01-05T12:01:00.000Z");
  });

  it.each([
    ["empty-side", { asks: [] }],
    ["crossed", { asks: side(999, 1, 7) }],
    ["shallow", { bids: side(1_000, -1, 3, 9) }],
    ["stale", { state: "stale", bids: null, asks: null }],
    ["syncing", { state: "syncing", bids: null, asks: null }],
    ["silent", { events: 0 }],
    ["silent", { marketTime: (NOON + 58) * 1_000 + 999 }],
  ])("a minute that is %s gives no row: %j", async (reason, fields) => {
    const { card, data } = await datasetOf([fileOf([minuteOf(0, 1_000), minuteOf(1, 1_000, fields), minuteOf(2, 1_000)])]);
    expect(card.parts[0]).toMatchObject({ rows: 2, minutes: 3, gaps: { [reason]: 1 } });
    expect(secondsOf(data)).toEqual([59, 179]);
  });

  it("a line that is none is counted and its minute missing; a row of an older pull is refused", async () => {
    const { card } = await datasetOf([fileOf([minuteOf(0, 1_000), "{", minuteOf(2, 1_000)])]);
    expect(card.parts[0]).toMatchObject({ frames: 3, malformedFrames: 1, gaps: { missing: 1 } });
    const { pricePath, ...older } = minuteOf(0, 1_000);
    expect(pricePath).toBeDefined();
    await expect(datasetOf([fileOf([older])])).rejects.toThrow("line 1: a minute row without the prices of its seconds");
    await expect(datasetOf([fileOf(["{}"])])).rejects.toThrow("holds no minute row");
  });

  it("another market in a file is refused; in a file of its own it is a part of its own, and so is another tick", async () => {
    const other = (index: number, fields: Fields = {}): Fields => minuteOf(index, 500, { market: "binance-spot:OTHERUSDT", ...fields });
    await expect(datasetOf([fileOf([minuteOf(0, 1_000), other(1)])])).rejects.toThrow(
      `holds minutes of ${MARKET} and of binance-spot:OTHERUSDT`,
    );
    const files = [fileOf([minuteOf(0, 1_000)]), fileOf([other(0), other(1, { tick: "0.02" })])];
    const { card } = await datasetOf(files);
    expect(card.parts.map(({ market, rows, midTicks }) => [market, rows, midTicks])).toEqual([
      [MARKET, 1, 1_000.5],
      ["binance-spot:OTHERUSDT", 1, 500.5],
      ["binance-spot:OTHERUSDT", 1, 500.5],
    ]);
    expect((await datasetOf(files, { market: MARKET })).card.parts).toHaveLength(1);
    await expect(datasetOf(files, { market: "binance-spot:NONE" })).rejects.toThrow("no minute row of binance-spot:NONE is in these files");
  });

  it("the minute rows of a pull are no recording: they would be read as frames of a venue", async () => {
    const file = fileOf([minuteOf(0, 1_000)], "snapshots/v1/binance-spot/TESTUSDT/2026-01-05.ndjson");
    const pulled = file.slice(0, file.indexOf("/snapshots/"));
    expect(await recordingsIn(pulled)).toEqual([]);
    expect((await datasetOf([pulled])).card.parts[0]).toMatchObject({ rows: 1, source: "TESTUSDT/2026-01-05.ndjson" });
  });

  it("what fails leaves no file behind", async () => {
    const folder = freshFolder();
    await expect(datasetOf([fileOf([minuteOf(0, 1_000, { state: "stale" })])], { folder })).rejects.toThrow("no minute has a live book");
    expect(["features.f64", "targets.f64", "dataset.json"].filter((name) => existsSync(join(folder, name)))).toEqual([]);
  });
});

describe("the split that the instance gave", () => {
  const file = (): string =>
    fileOf([minuteOf(0, 1_000), minuteOf(1, 1_000, { split: null }), minuteOf(2, 1_000, { split: TEST }), minuteOf(3, 1_000)]);

  it("is on the card, by label", async () => {
    const { card } = await datasetOf([file()]);
    expect(card.parts[0]).toMatchObject({ splits: { train: 2, none: 1, test: 1 }, splitSchedules: ["days-6-2-2-embargo-10min"] });
  });

  it("chooses rows: not one minute of another label is among them", async () => {
    const { card, data } = await datasetOf([file()], { splits: ["test"] });
    expect(secondsOf(data)).toEqual([179]);
    expect(card.parts[0]).toMatchObject({ rows: 1, minutes: 1, coverage: 1, splits: { test: 1 } });
    // Prices behind it count, whatever their label.
    expect(bidMoves(data)).toEqual([[0, null]]);
    await expect(datasetOf([file()], { splits: ["validation"] })).rejects.toThrow("no minute of validation gives a row");
  });

  it("makes each block a part, so that a run knows which days it was taught: between them lie those that judge it", async () => {
    const { card } = await datasetOf([file()], { splits: ["train"] });
    expect(card.parts.map(({ rows, from, to }) => [rows, from / 1_000 - NOON, to / 1_000 - NOON])).toEqual([
      [1, 59, 59],
      [1, 239, 239],
    ]);
  });

  it("refuses a horizon that reaches over the embargo: its moves would be prices of the part beyond", async () => {
    const horizonsMs = [1_000, 600_001 + 999];
    await expect(datasetOf([file()], { splits: ["train"], horizonsMs })).rejects.toThrow(
      "a horizon of 601000 ms reaches over the 10 minutes",
    );
    expect((await datasetOf([file()], { horizonsMs })).card.rows).toBe(4);
  });
});
