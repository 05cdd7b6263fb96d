/** Rows of a source know nothing of what was received after them; and a pipeline that peeks is caught. Loss prevented: skill from a future that no edge has. */

import { describe, expect, it } from "vitest";
import { featureSets, featureSetV1 } from "../../core/features/registry.ts";
import { Random } from "../../core/math/random.ts";
import { importedSources } from "../../training/datasets/imported-source.ts";
import { simulatedSource } from "../../training/datasets/simulated-source.ts";
import { cutHistory, type Pipeline } from "../../training/leaks/cut-history.ts";
import { sourceLeaks } from "../../training/leaks/source-leaks.ts";
import type { LeakVerdict } from "../../training/leaks/verdict.ts";
import { silent } from "../../training/progress.ts";
import { importFiles, put } from "../archive/workplace.ts";

/** The detectors that gave an alarm. */
function alarms(verdicts: readonly LeakVerdict[]): string[] {
  return verdicts.flatMap(({ detector, failure }) => (failure === null ? [] : [detector]));
}

const told = { featureSet: featureSetV1, cuts: 3, mostRecords: 200_000, progress: silent };

describe("a pipeline", () => {
  const records = Array.from({ length: 1_000 }, (_, index) => (index * 7_919) % 1_009);
  const verdictsOf = async (pipeline: Pipeline<number>, seed = 5): Promise<string[]> =>
    alarms((await cutHistory("toy", records, { pipeline, random: new Random(seed), cuts: 4 })).verdicts);

  it("that reads only backwards passes: a mean of all so far", async () => {
    const meansSoFar: Pipeline<number> = async (some) => {
      let sum = 0;
      return some.map((record, place) => {
        sum += record;
        return String(sum / (place + 1));
      });
    };
    expect(await verdictsOf(meansSoFar)).toEqual([]);
  });

  it("that looks one record ahead is caught, by what is missing and by what comes instead", async () => {
    const peeking: Pipeline<number> = async (some) => some.map((record, place) => `${record} ${some[place + 1] ?? "none"}`);
    expect(await verdictsOf(peeking)).toEqual(["history cut", "future shuffled"]);
  });

  it("whose scaler is fitted to all records is caught: the first half's own mean is another", async () => {
    const scaled: Pipeline<number> = async (some) => {
      const mean = some.reduce((sum, record) => sum + record, 0) / some.length;
      return some.map((record) => String(record / mean));
    };
    expect(await verdictsOf(scaled)).toEqual(["history cut", "future shuffled"]);
  });

  it("that minds only the order of what follows is caught by the shuffle", async () => {
    const isLong = (some: readonly number[]): boolean => some.length === records.length;
    const ordered: Pipeline<number> = async (some) => some.map((record) => `${record} ${isLong(some) && some.at(-1) !== records.at(-1)}`);
    expect(await verdictsOf(ordered)).toEqual(["future shuffled"]);
  });
});

describe("our own rows", () => {
  it.each(featureSets.map((set) => [set.id, set] as const))(
    "of %s don't move with what a simulated venue sends after them",
    async (_, featureSet) => {
      const source = simulatedSource({ preset: "small-tick", seed: 3, hours: 0.05 });
      const verdicts = await sourceLeaks([source], { ...told, featureSet, random: new Random(11) });
      expect(verdicts.map(({ detector }) => detector)).toEqual(["history cut", "future shuffled"]);
      expect(alarms(verdicts)).toEqual([]);
      // Rows were compared: three minutes give some 150, and each cut leaves a quarter of them at least.
      expect(Number(/(\d+) rows compared/.exec(verdicts[0]?.found ?? "")?.[1])).toBeGreaterThan(100);
    },
  );

  it("that aren't there prove nothing, and that is said", async () => {
    const options = { ...told, mostRecords: 3, random: new Random(1) };
    await expect(sourceLeaks([simulatedSource({ preset: "small-tick", seed: 3, hours: 0.05 })], options)).rejects.toThrow(
      "no row was written before any cut",
    );
  });

  it("of imported events don't move with the events after them", async () => {
    const lines = Array.from({ length: 800 }, (_, index) => {
      const time = 1_767_225_600_000 + index * 250;
      const bid = 90_000 + ((index * 7_919) % 101) / 100;
      const side = (best: number, step: number) => [0, 1, 2].map((level) => [Number((best + step * level).toFixed(2)), 0.5 + level]);
      return JSON.stringify({ type: "snapshot", E: time, R: time + 30, b: side(bid, -0.01), a: side(bid + 0.02, 0.01) });
    });
    const { markets } = await importFiles("standx", [put("diffL20_leaks.ndjson.gz", `${lines.join("\n")}\n`)], {});
    const sources = await importedSources([markets[0]?.file ?? ""], null);
    const verdicts = await sourceLeaks(sources, { ...told, random: new Random(7) });
    expect(verdicts.map(({ detector, failure }) => [detector, failure])).toEqual([
      ["history cut", null],
      ["future shuffled", null],
    ]);
  });
});
