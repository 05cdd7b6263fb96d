/**
 * Each whole network's gradient against PyTorch's in float64: rules that are right one by one may still be put together wrongly, and such a network learns all
 * the same, only worse.
 */

import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BENCH_NETWORKS } from "../../bench/networks/registry.ts";
import { familyAt } from "../../models/forecasts.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import { networkOf, trainableFamilies } from "../../training/networks/registry.ts";
import { defaultSettings } from "../../training/networks/settings.ts";
import type { Network } from "../../training/tensors/training-step.ts";
import { gradientError, ownGradient, type Reference, readReference } from "./reference-gradient.ts";

const FOLDER = new URL("./reference-gradients/", import.meta.url);
const NAMES = readdirSync(FOLDER).map((file) => file.replace(".json", ""));

/** Of the whole gradient in float32, relative. PyTorch's own float32 is as far from its float64 as ours, to a factor of 1.5. */
const TOLERANCE = 2e-6;
/** Batch norm divides by the spread of a batch, and few rows have little. */
const BATCH_NORM_TOLERANCE = 1e-3;
const BATCH_NORM = new Set(["bench-resnet1d", "family-deeplob"]);
/** Of each parameter by itself. */
const EACH_TOLERANCE = 5e-5;
/** In float64, where what is left is that attributes of ONNX are float32: 1e-9 in the worst of all. */
const DOUBLE_TOLERANCE = 1e-8;
/** Those that the plain evaluator does within a second or two. */
const DOUBLE = [
  "bench-mlp",
  "bench-lstm",
  "family-mlp",
  "family-volumes",
  "family-coded-mlp",
  "family-autoencoder",
  "family-binctabl",
  "family-dueling-q",
];

describe("a whole network's gradient is PyTorch's", () => {
  it.each(NAMES)("%s, by the kernels that train it", async (name) => {
    const reference = await readReference(new URL(`${name}.json`, FOLDER));
    const own = await ownGradient(networkFor(reference), reference, "float32");
    const error = gradientError(own, reference);
    expect(Math.abs(own.loss / reference.lossValue - 1)).toBeLessThan(1e-6);
    expect(error.whole).toBeLessThan(BATCH_NORM.has(name) ? BATCH_NORM_TOLERANCE : TOLERANCE);
    expect(error.worst.error, error.worst.name).toBeLessThan(EACH_TOLERANCE);
  });

  it.each(DOUBLE)("%s, in float64 throughout", async (name) => {
    const reference = await readReference(new URL(`${name}.json`, FOLDER));
    const error = gradientError(await ownGradient(networkFor(reference), reference, "float64"), reference);
    expect(error.whole).toBeLessThan(DOUBLE_TOLERANCE);
    expect(error.worst.error, error.worst.name).toBeLessThan(10 * DOUBLE_TOLERANCE);
  });

  it("no family and no network of the bench goes without", () => {
    const wanted = [...trainableFamilies().map((id) => `family-${id}`), ...BENCH_NETWORKS.map(({ name }) => `bench-${name}`)];
    expect(wanted.filter((name) => !NAMES.includes(name))).toEqual([]);
  });
});

describe("the measure tells a wrong gradient from a right one", () => {
  it("one element of the whole, of a parameter kept as a sketch, is off", async () => {
    const reference = await readReference(new URL("bench-mlp.json", FOLDER));
    const own = await ownGradient(networkFor(reference), reference, "float32");
    const changed = Float64Array.from(own.gradient);
    changed[1_234] = (changed[1_234] ?? 0) + 1e-4 * reference.norm;
    const { whole, worst } = gradientError({ ...own, gradient: changed }, reference);
    expect(whole).toBeCloseTo(1e-4, 6);
    expect(worst.name).toBe("hidden1.weights");
  });

  it("all elements are off by a little: the error is known to 6 percent of itself", async () => {
    const reference = await readReference(new URL("bench-mlp.json", FOLDER));
    const own = await ownGradient(networkFor(reference), reference, "float32");
    const { whole } = gradientError({ ...own, gradient: own.gradient.map((value) => 1.001 * value) }, reference);
    expect(whole).toBeGreaterThan(0.0008);
    expect(whole).toBeLessThan(0.0012);
  });

  it("a network with other parameters is refused", async () => {
    const reference = await readReference(new URL("bench-mlp.json", FOLDER));
    const lstm = await readReference(new URL("bench-lstm.json", FOLDER));
    const own = await ownGradient(networkFor(reference), reference, "float32");
    expect(() => gradientError(own, lstm)).toThrow(/other parameters/);
  });
});

function networkFor({ group, network }: Reference): Network {
  const known = group === "bench" ? BENCH_NETWORKS.find(({ name }) => name === network)?.network : familyNetwork(network);
  if (known === null || known === undefined) throw new Error(`no network ${group} ${network}`);
  return known;
}

/** As a family has it where nothing is said, at the horizons that the references were written for. */
function familyNetwork(id: string): Network | null {
  const known = MODEL_FAMILIES.get(id);
  const family = known === undefined ? null : familyAt(known, { horizonsMs: [1_000, 5_000, 10_000, 30_000], asks: null });
  return family === null ? null : networkOf(family, defaultSettings(family), family.columns ?? 40);
}
