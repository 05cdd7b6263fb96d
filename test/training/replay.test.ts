/** Recordings through the reducer: the same frames give the same rows whichever file they lie in, and a bad file says what is wrong with it. */

import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { ArchiveError } from "../../archive/archive-error.ts";
import { readLines } from "../../archive/line-reader.ts";
import { tapeKey } from "../../core/wire/keys.ts";
import { encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";
import { simulateTape } from "../../exchange-simulator/generative-tape.ts";
import { CommandError } from "../../training/command-error.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { fileSources } from "../../training/datasets/file-sources.ts";
import { parseSimulation, simulatedSource } from "../../training/datasets/simulated-source.ts";
import { silent } from "../../training/progress.ts";
import { faultsOf, type MarketReport, type ReplayReport, reportReplay } from "../../training/replay/replay-report.ts";
import { recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { scratchFolder } from "./toy-data.ts";

const folder = scratchFolder();
const SYMBOL = "TESTUSDT";
const START = Date.UTC(2026, 0, 1);
const tape: readonly TapeRecord[] = [...simulateTape({ preset: "small-tick", seed: 5, symbol: SYMBOL, seconds: 150, startTime: START })];
const FROM_FILES = { venue: null, market: null };

function write(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}

async function replayFiles(...paths: string[]): Promise<ReplayReport> {
  const [source, ...others] = await fileSources(paths, FROM_FILES);
  if (source === undefined) throw new Error("no source");
  expect(others).toEqual([]);
  return reportReplay(source, silent);
}

function onlyMarket({ markets }: ReplayReport): MarketReport {
  const [market, ...others] = markets;
  if (market === undefined || others.length > 0) throw new Error(`${others.length + 1} markets`);
  return market;
}

/** What must not depend on the kind of file. */
function outcome(report: ReplayReport): unknown {
  const { bookHash, rowsHash, featureRows, comparisons, lastSequence } = onlyMarket(report);
  return { bookHash, rowsHash, featureRows, comparisons, lastSequence };
}

describe("the same frames from any kind of file", () => {
  const whole = write("whole.tape", tape.map(encodeTapeRecord).join(""));

  it("a tape, its gzip in many members, and a tree of minutes under the key grammar give the same book and rows", async () => {
    const report = await replayFiles(whole);
    expect(onlyMarket(report).state).toBe("live");
    expect(onlyMarket(report).featureRows).toBeGreaterThan(140);
    expect(onlyMarket(report).comparisons).toBeGreaterThan(100);
    expect(faultsOf(report)).toEqual([]);

    const members: Uint8Array[] = [];
    for (let first = 0; first < tape.length; first += 97)
      members.push(
        gzipSync(
          tape
            .slice(first, first + 97)
            .map(encodeTapeRecord)
            .join(""),
        ),
      );
    expect(outcome(await replayFiles(write("members.tape.gz", Buffer.concat(members))))).toEqual(outcome(report));

    for (let minute = 0; minute < 3; minute++) {
      const from = START + minute * 60_000;
      const lines = tape.filter(({ receivedAt }) => receivedAt >= from && receivedAt < from + 60_000 + (minute === 2 ? 1 : 0));
      write(join("tree", tapeKey("binance-spot", SYMBOL, from)), gzipSync(lines.map(encodeTapeRecord).join("")));
    }
    write(join("tree", tapeKey("binance-spot", "_feed", START)), gzipSync(`${START} c gone\n`));
    expect(outcome(await replayFiles(join(folder, "tree")))).toEqual(outcome(report));
  });

  it("a recorded wire file too, in one piece or two", async () => {
    const lines = tape.flatMap((record) => {
      const nanoseconds = `${record.receivedAt}000000`;
      return record.kind === "frame"
        ? [`${nanoseconds} ${record.text}\n`]
        : record.kind === "snapshot"
          ? [`${nanoseconds} ${record.body}\n`]
          : [];
    });
    const report = await replayFiles(whole);
    expect(outcome(await replayFiles(write("wire.ndjson.gz", gzipSync(lines.join("")))))).toEqual(outcome(report));
    const first = write("day1.ndjson.gz", gzipSync(lines.slice(0, 1_000).join("")));
    const second = write("day2.ndjson.gz", gzipSync(lines.slice(1_000).join("")));
    expect(outcome(await replayFiles(first, second))).toEqual(outcome(report));
  });

  it("lines that are no records, and frames cut short, are counted and shown; the rest is not lost", async () => {
    const path = write("damaged.tape", readFileSync(whole));
    appendFileSync(path, `not a record\n${START + 150_000} f {"stream":"testusdt@depth@100ms","data":{"e":"depthUpd\n`);
    const report = await replayFiles(path);
    expect(report.malformedLines).toBe(1);
    expect(report.malformedFrames).toBe(1);
    expect(report.malformedSamples.length).toBe(1);
    expect(onlyMarket(report).rowsHash).toBe(onlyMarket(await replayFiles(whole)).rowsHash);
    expect(faultsOf(report)).toEqual([expect.stringMatching(/2 malformed/)]);
  });

  it("--check refuses each thing that says that the book was not the venue's, and nothing else", async () => {
    const sound = await replayFiles(whole);
    const market = onlyMarket(sound);
    const withMarket = (change: Partial<MarketReport>) => faultsOf({ ...sound, markets: [{ ...market, ...change }] });
    const name = "binance-spot:TESTUSDT";
    expect(withMarket({ state: "syncing" })).toEqual([`${name}: the book ended syncing, not live`]);
    expect(withMarket({ comparisons: 9, mismatches: 1 })).toEqual([`${name}: 1 of 9 comparisons with the venue's quote differ`]);
    expect(withMarket({ checkpointMismatches: 2 })).toEqual([`${name}: 2 checkpoints differ`]);
    expect(faultsOf({ ...sound, malformedFrames: 1 })).toEqual(["1 malformed frames or lines"]);
    expect(faultsOf({ ...sound, malformedLines: 1 })).toEqual(["1 malformed frames or lines"]);
  });

  it("a lost depth frame is a gap that --check refuses", async () => {
    const depth = tape.findIndex((record, index) => index > 1_000 && record.kind === "frame" && record.text.includes("depthUpdate"));
    const path = write(
      "lost.tape",
      tape
        .filter((_, index) => index !== depth)
        .map(encodeTapeRecord)
        .join(""),
    );
    const report = await replayFiles(path);
    expect(onlyMarket(report).gaps.map(({ reason }) => reason)).toEqual(["sequence-gap"]);
    expect(faultsOf(report).some((fault) => fault.includes("sequence-gap"))).toBe(true);
  });
});

describe("files that can't be read", () => {
  const refusal = async (path: string): Promise<string> => {
    const error: unknown = await fileSources([path], FROM_FILES).then(
      () => null,
      (reason: unknown) => reason,
    );
    // What the command line prints without a stack.
    if (error instanceof CommandError || error instanceof ArchiveError) return error.message;
    throw error;
  };

  it("a gzip cut short, one that is none, a missing one, another format", async () => {
    const gzip = gzipSync(tape.map(encodeTapeRecord).join(""));
    const cut = write("cut.tape.gz", gzip.subarray(0, gzip.length - 100));
    await expect(async () => {
      for await (const { lines } of readLines(cut)) expect(lines.length).toBeGreaterThan(0);
    }).rejects.toThrow(/can't be read beyond line \d+/);
    expect(await refusal(write("none.tape.gz", "this is no gzip"))).toMatch(/none.tape.gz can't be read/);
    expect(await refusal(join(folder, "absent.tape"))).toMatch(/there is no file/);
    expect(await refusal(write("notes.txt", "hello"))).toMatch(/a recording ends in/);
    expect(await refusal(write("empty.ndjson", ""))).toMatch(/no depth, trade or quote message/);
    mkdirSync(join(folder, "nothing-in-it"));
    expect(await refusal(join(folder, "nothing-in-it"))).toMatch(/nothing-in-it: no recording in there; expected files that end in \.day/);
  });
});

describe("a dataset from the simulator", () => {
  it("is the same bytes each time, row for row what a replay of the same frames computes", async () => {
    const make = (name: string) =>
      buildDataset({
        sources: [simulatedSource(parseSimulation("large-tick:3:0.05"))],
        folder: join(folder, name),
        command: [],
        progress: silent,
      });
    const card = await make("one");
    expect((await make("two")).sha256).toBe(card.sha256);
    const dataset = await readDataset(join(folder, "one"));
    expect(card.parts[0]?.coverage).toBe(1);
    expect(dataset.rows + (card.parts[0]?.coldRows ?? 0)).toBe(
      onlyMarket(await reportReplay(simulatedSource(parseSimulation("large-tick:3:0.05")), silent)).featureRows,
    );
  });

  it.each(["huge-tick:1:1", "large-tick:x:1", "large-tick:1:-1", "large-tick:1", "large-tick:1:NaN"])(
    "%s is refused with an example",
    (text) => {
      expect(() => parseSimulation(text)).toThrow(/large-tick:/);
    },
  );
});

const capture = recording("wire/binance-spot-btcusdt-20240808.ndjson.gz");
describe(`a real capture ${capture === null ? WITHOUT_RECORDINGS : ""}`, () => {
  it.skipIf(capture === null)("has no gap, and its book's top is the venue's own quote in every comparison", async () => {
    const report = await replayFiles(capture as string);
    expect(onlyMarket(report).comparisons).toBeGreaterThan(500);
    expect(faultsOf(report)).toEqual([]);
  });

  const next = recording("wire/binance-spot-btcusdt-20240809.ndjson.gz");
  it.skipIf(capture === null || next === null)("goes on over midnight in a second file, with one book", async () => {
    const report = await replayFiles(capture as string, next as string);
    expect(faultsOf(report)).toEqual([]);
    expect(onlyMarket(report).featureRows).toBeGreaterThan(600);
  });
});
