/** Datasets: what is written is what is read, a target never crosses a gap, and a file that is not what its card says is refused. */

import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { featureSetVolumes10 } from "../../core/features/volumes-10/feature-set.ts";
import { anchoredMove, pointMove, smoothedMove } from "../../core/labels/averaged.ts";
import { LABEL_KINDS, labelKindOf } from "../../core/labels/moves.ts";
import { CommandError } from "../../training/command-error.ts";
import { type DatasetCard, datasetHash, parseCard } from "../../training/datasets/card.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { DatasetWriter } from "../../training/datasets/dataset-writer.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { scratchFolder, writeToyDataset } from "./toy-data.ts";

const folder = scratchFolder();
const START = 1_767_225_600_000;
const at = (name: string): string => join(folder, name);

describe("a dataset", () => {
  it("comes back as it was written, parts one after another", async () => {
    const card = await writeToyDataset(at("whole"), [
      { rows: 5_000, seed: 1, signal: 0.5, market: "toy:A" },
      { rows: 300, seed: 2, signal: 0.5, market: "toy:B", gapAt: 100 },
    ]);
    const dataset = await readDataset(at("whole"));
    expect(dataset.card).toEqual(card);
    expect(allFeatures(dataset).length).toBe(5_300 * dataset.columns);
    expect(dataset.parts[4_999]).toBe(0);
    expect(dataset.parts[5_000]).toBe(1);
    expect(card.parts.map(({ market, firstRow, rows, segments }) => ({ market, firstRow, rows, segments }))).toEqual([
      { market: "toy:A", firstRow: 0, rows: 5_000, segments: 1 },
      { market: "toy:B", firstRow: 5_000, rows: 300, segments: 2 },
    ]);
  });

  it("no target reaches over a gap or the end of its part: it would be the move of another time", async () => {
    await writeToyDataset(at("gap"), [{ rows: 300, seed: 3, signal: 0.5, gapAt: 100 }]);
    const { mask, targets, outputs, card, segments } = await readDataset(at("gap"));
    for (const [output, { horizonMs }] of card.targets.entries()) {
      const steps = horizonMs / 1_000;
      for (let row = 0; row < 300; row++) {
        const isInside = row < 100 ? row + steps < 100 : row + steps < 300;
        expect(mask[row * outputs + output]).toBe(isInside ? 1 : 0);
        if (!isInside) expect(targets[row * outputs + output]).toBe(0);
      }
    }
    expect(segments[99]).not.toBe(segments[100]);
  });

  it("holds no row whose windows were not full: its features would say calm where nothing was known", async () => {
    const writer = await DatasetWriter.create({ folder: at("cold"), featureSet: featureSetV1, horizonsMs: [1_000], command: ["test"] });
    const part = writer.openPart();
    for (const second of [0, 1, 2, 3]) {
      const row = new Float64Array(featureSetV1.columns.length).fill(second);
      part.add({
        featureTime: START + second * 1_000,
        row,
        bidTicks: 100 + second,
        askTicks: 101 + second,
        isWarm: second !== 0,
        segment: 0,
      });
    }
    await writer.closePart(part, { source: "toy", market: "toy:MARKET", frames: 4, malformedFrames: 0, gaps: {} });
    const card = await writer.finish();
    expect(card.parts[0]).toMatchObject({ from: START + 1_000, rows: 3, coldRows: 1, midTicks: 102.5 });
    const dataset = await readDataset(at("cold"));
    const { rows, times, columns } = dataset;
    const features = allFeatures(dataset);
    expect(rows).toBe(3);
    expect([...times]).toEqual([START + 1_000, START + 2_000, START + 3_000]);
    expect([0, 1, 2].map((row) => features[row * columns])).toEqual([1, 2, 3]);
  });

  it.each(LABEL_KINDS)(
    "has the %s targets of a part that is larger than what is labelled at once: those at a block's ends would have none",
    async (label) => {
      const writer = await DatasetWriter.create({
        folder: at(`long-${label}`),
        label,
        featureSet: featureSetVolumes10,
        horizonsMs: [1_000, 30_000],
        command: ["test"],
      });
      const part = writer.openPart();
      const row = new Float64Array(featureSetVolumes10.columns.length);
      const rows = 66_000;
      const bid = (second: number): number => 1_000_000 + ((second * 7_919) % 1_009);
      for (let second = 0; second < rows; second++)
        part.add({ featureTime: START + second * 1_000, row, bidTicks: bid(second), askTicks: bid(second), isWarm: true, segment: 0 });
      await writer.closePart(part, { source: "toy", market: "toy:MARKET", frames: 0, malformedFrames: 0, gaps: {} });
      await writer.finish();
      const { targets, mask, outputs } = await readDataset(at(`long-${label}`));
      const prices = Array.from({ length: rows }, (_, second) => bid(second));
      const moveOf = { point: pointMove, anchored: anchoredMove, smoothed: smoothedMove }[label];
      // Bid, mid and ask of one second, then of thirty.
      for (const [steps, output] of [
        [1, 0],
        [30, 5],
      ] as const) {
        let wrong = 0;
        for (let second = 0; second < rows; second++) {
          const move = moveOf(prices, second, steps);
          const isAsTold = mask[second * outputs + output] === (move === null ? 0 : 1);
          if (!isAsTold || Math.abs((targets[second * outputs + output] as number) - (move ?? 0)) > 1e-8) wrong++;
        }
        expect([steps, wrong]).toEqual([steps, 0]);
      }
    },
  );

  it("the same rows are the same bytes and the same hash; another row is another", async () => {
    const toy = { rows: 200, seed: 4, signal: 0.5 };
    const one = await writeToyDataset(at("one"), [toy]);
    const two = await writeToyDataset(at("two"), [toy]);
    const other = await writeToyDataset(at("other"), [{ ...toy, seed: 5 }]);
    expect(two.sha256).toBe(one.sha256);
    expect(other.sha256).not.toBe(one.sha256);
  });
});

/** Of point labels, by hand. */
function plainHash({ featureSet, targets, files }: DatasetCard, markets: readonly string[]): string {
  const hash = createHash("sha256").update(`${featureSet.fingerprint}\n`);
  for (const { target, horizonMs } of targets) hash.update(`${target} ${horizonMs}\n`);
  for (const market of markets) hash.update(market);
  for (const file of ["features", "targets", "mask", "times", "segments"] as const) hash.update(`${file} ${files[file].sha256}\n`);
  return hash.digest("hex");
}

describe("the name of a dataset", () => {
  const toy = { rows: 100, seed: 9, signal: 0.5 };

  it("is over its markets: the same numbers of another market would pass for the rows that a model has seen", async () => {
    const one = await writeToyDataset(at("named"), [{ ...toy, market: "toy:A" }]);
    const other = await writeToyDataset(at("renamed"), [{ ...toy, market: "toy:B" }]);
    expect(other.files).toEqual(one.files);
    expect(other.sha256).not.toBe(one.sha256);
    expect(other.sha256).toBe(plainHash(other, ["market 0 toy:B\n"]));
  });

  it("is over which rows are of which", async () => {
    const two = await writeToyDataset(at("both"), [
      { ...toy, market: "toy:A" },
      { ...toy, market: "toy:B" },
    ]);
    expect(two.sha256).toBe(plainHash(two, ["market 0 toy:A\n", "market 100 toy:B\n"]));
  });

  it("leaves out markets of the simulator, which preset and seed make: the shipped model names such a dataset", async () => {
    const source = "simulated large-tick seed 7, 1 h";
    const card = await writeToyDataset(at("simulated"), [{ ...toy, source }]);
    expect(card.sha256).toBe(plainHash(card, []));
  });

  it("of a card of format 1 is what it was, without markets: it would have to be made again", async () => {
    const card = await writeToyDataset(at("first"), [toy]);
    const before = { ...card, format: "edgebook-dataset/1" as const };
    const named = { ...before, sha256: datasetHash(before) };
    expect(named.sha256).toBe(plainHash(card, []));
    writeFileSync(join(at("first"), "dataset.json"), JSON.stringify(named));
    expect((await readDataset(at("first"))).card.sha256).toBe(named.sha256);
    writeFileSync(join(at("first"), "dataset.json"), JSON.stringify({ ...named, format: "edgebook-dataset/2" }));
    await expect(readDataset(at("first"))).rejects.toThrow("has been changed since it was written");
  });
});

describe("the label of a dataset", () => {
  const toy = { rows: 100, seed: 8, signal: 0.5 };

  it("is part of its name, and of its card where it isn't point: a run would be scored on moves that it wasn't taught", async () => {
    const hashes = new Set<string>();
    for (const label of LABEL_KINDS) {
      const card = await writeToyDataset(at(label), [toy], { label });
      expect(card.label).toBe(label === "point" ? undefined : label);
      expect((await readDataset(at(label))).card).toEqual(card);
      hashes.add(card.sha256);
      // The same files under another label are another dataset.
      for (const other of LABEL_KINDS) if (other !== label) expect(datasetHash({ ...card, label: other })).not.toBe(card.sha256);
    }
    expect(hashes.size).toBe(3);
  });

  it("is point where a card tells none, by the hash that it was written with: datasets of before would have to be made again", async () => {
    const card = await writeToyDataset(at("before"), [toy]);
    expect(card.sha256).toBe(plainHash(card, ["market 0 toy:MARKET\n"]));
    expect(Object.keys(card)).not.toContain("label");
    expect(labelKindOf(card)).toBe("point");
  });

  it("of another kind is refused", async () => {
    const text = readFileSync(join(at("point"), "dataset.json"), "utf8").replace('"unit"', '"label": "averaged", "unit"');
    expect(parseCard(text)).toEqual({ malformed: expect.stringMatching(/^label: /) });
  });
});

describe("bad datasets are refused with the file's name and what to do", () => {
  const damage = async (name: string, change: (path: string) => void): Promise<string> => {
    await writeToyDataset(at(name), [{ rows: 200, seed: 6, signal: 0.5 }]);
    change(at(name));
    const error: unknown = await readDataset(at(name)).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(CommandError);
    return error instanceof CommandError ? error.message : "";
  };
  const flip = (path: string, position: number): void => {
    const bytes = readFileSync(path);
    bytes[position] = (bytes[position] as number) ^ 1;
    writeFileSync(path, bytes);
  };

  it.each(["features.f64", "targets.f64", "mask.u8", "times.f64", "segments.u32"])("a flipped bit in %s", async (file) => {
    expect(await damage(`flip-${file}`, (path) => flip(join(path, file), 77))).toMatch(
      new RegExp(`${file} is corrupt.*make the dataset again`),
    );
  });

  it("a file cut short", async () => {
    expect(
      await damage("short", (path) => writeFileSync(join(path, "times.f64"), readFileSync(join(path, "times.f64")).subarray(8))),
    ).toMatch(/bytes where its card says/);
  });

  it("a missing file, and a missing card", async () => {
    expect(await damage("missing", (path) => rmSync(join(path, "mask.u8")))).toMatch(/mask.u8 is missing/);
    expect(await damage("no-card", (path) => rmSync(join(path, "dataset.json")))).toMatch(/edgebook dataset --out/);
  });

  it("a card that was edited", async () => {
    const edit = (from: string, to: string) => (path: string) => {
      const card = join(path, "dataset.json");
      const text = readFileSync(card, "utf8");
      expect(text).toContain(from);
      writeFileSync(card, text.replace(from, to));
    };
    expect(await damage("edited", edit('"horizonMs": 1000', '"horizonMs": 2000'))).toMatch(/has been changed/);
    expect(await damage("rows", edit('"rows": 200', '"rows": 201'))).toMatch(/rows/);
    expect(await damage("json", (path) => writeFileSync(join(path, "dataset.json"), "{"))).toMatch(/not JSON/);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("a %d among the features, though every hash is right", async (value) => {
    const name = `bad-${value}`;
    await writeToyDataset(at(name), [{ rows: 200, seed: 7, signal: 0.5, spoil: (row, index) => index === 150 && row.fill(value, 3, 4) }]);
    await expect(readDataset(at(name))).rejects.toThrow(/row 150 has (NaN|Infinity) in column log_volume_ask/);
  });

  it("recordings that overlap, or stand in the wrong order: their rows would be there twice, or out of time", async () => {
    const writer = await DatasetWriter.create({ folder: at("twice"), featureSet: featureSetV1, horizonsMs: [1_000], command: ["test"] });
    const rows = writer.openPart();
    for (const second of [0, 1, 2, 1, 2, 3]) {
      const row = new Float64Array(featureSetV1.columns.length);
      rows.add({ featureTime: START + second * 1_000, row, bidTicks: 100, askTicks: 101, isWarm: true, segment: 0 });
    }
    const facts = { source: "one.tape + copy.tape", market: "toy:MARKET", frames: 0, malformedFrames: 0, gaps: {} };
    await expect(writer.closePart(rows, facts)).rejects.toThrow(/one\.tape \+ copy\.tape.*step back in time.*oldest first/s);
  });

  it("a dataset without a single row is not written", async () => {
    await expect(writeToyDataset(at("empty"), [{ rows: 0, seed: 8, signal: 0.5 }])).rejects.toThrow(/no feature row/);
    expect(parseCard("{}")).toHaveProperty("malformed");
  });
});
