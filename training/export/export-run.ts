/**
 * From a run to what is served: model.onnx and manifest.json. Both runtimes answer the golden vectors before anything is written; where they
 * disagree by more than the tolerance, nothing is. The manifest holds no time of making and no path, so equal runs give equal bytes.
 */

import { createHash } from "node:crypto";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ModelManifest, ModelOutput, Score } from "../../models/contract.ts";
import { parseManifest } from "../../models/manifest.ts";
import { inputShape, outputWidth } from "../../models/shapes.ts";
import { CommandError } from "../command-error.ts";
import type { Dataset } from "../datasets/dataset-reader.ts";
import type { Evaluation } from "../evaluate/evaluate-run.ts";
import type { DetailedScore } from "../evaluate/scores.ts";
import { outputFor } from "../networks/settings.ts";
import { OPSET } from "../onnx/model.ts";
import type { RuntimeName } from "../runtime/contract.ts";
import { loadRuntime } from "../runtime/registry.ts";
import { buildServedGraph, weightsFrom } from "../tensors/served-graph.ts";
import type { Run } from "../train/run-folder.ts";
import { familyFor } from "../train/train-run.ts";
import { goldenInputs } from "./golden.ts";

/** In basis points: far below a tick, far above what two runtimes' float32 kernels differ by. */
const GOLDEN_TOLERANCE_BPS = 1e-4;
/** Hex digits of the file's hash that make the version: the same weights have the same version, on any machine. */
const VERSION_DIGITS = 12;

export interface ExportOptions {
  readonly id: string;
  /** The dataset of the run: typical golden rows come from it. */
  readonly dataset: Dataset;
  /** Null: the model has not been scored, and its manifest says so. */
  readonly evaluation: Evaluation | null;
}

export interface ExportedModel {
  readonly model: Uint8Array;
  readonly manifest: ModelManifest;
  readonly manifestText: string;
  /** The largest difference between the two runtimes on the golden vectors, basis points. */
  readonly parityBps: number;
}

/** Builds both files in memory. Throws CommandError when the runtimes disagree. */
export async function exportRun(run: Run, options: ExportOptions): Promise<ExportedModel> {
  const { card, parameters } = run;
  const { dataset } = options;
  const { family, network, settings } = familyFor(card.family, dataset);
  const output = outputFor(family, settings.answer);
  const columns = card.featureSet.columns.length;
  const model = buildServedGraph(network, {
    columns,
    inputName: family.inputName,
    outputName: output.name,
    outputScale: card.targetScale,
    weights: weightsFrom(parameters, card.slots),
  });
  const inputs = goldenInputs(dataset, card.normaliser);
  const prepared = new Float32Array(inputs.length * columns);
  for (const [index, row] of inputs.entries()) family.prepareInput(row, card.normaliser, prepared, index * columns);
  const answer = (runtime: RuntimeName): Promise<number[][]> =>
    answerGolden(model, { runtime, prepared, columns, inputName: family.inputName, output });
  const outputs = await answer("wasm");
  const parityBps = largestDifference(outputs, await answer("node"));
  if (!(parityBps <= GOLDEN_TOLERANCE_BPS)) {
    throw new CommandError(
      `onnxruntime-node and onnxruntime-web differ by ${parityBps} bps on the golden vectors, more than ${GOLDEN_TOLERANCE_BPS}: the model is not exported`,
    );
  }
  const sha256 = createHash("sha256").update(model).digest("hex");
  const manifest: ModelManifest = {
    format: "edgebook-model/1",
    id: options.id,
    version: sha256.slice(0, VERSION_DIGITS),
    family: family.id,
    featureSet: { id: card.featureSet.id, fingerprint: card.featureSet.fingerprint, columns: card.featureSet.columns },
    intervalMs: card.intervalMs,
    input: { name: family.inputName, shape: inputShape(family, columns) },
    output,
    normaliser: card.normaliser,
    opset: OPSET,
    artifact: { file: "model.onnx", sha256, bytes: model.length },
    trainedOn: {
      source: card.data.source,
      datasetSha256: card.data.sha256,
      from: card.split.trainFrom,
      to: card.split.trainTo,
      rows: card.split.trainRows,
      seed: card.settings.seed,
      commit: card.commit,
    },
    ...scoresFor(options.evaluation),
    golden: { inputs, outputs, tolerance: GOLDEN_TOLERANCE_BPS },
  };
  const manifestText = `${JSON.stringify(manifest, null, 2)}\n`;
  const read = parseManifest(manifestText);
  if ("malformed" in read) throw new Error(`the manifest that was just written is not one: ${read.malformed}`);
  return { model, manifest, manifestText, parityBps };
}

/** The manifest is written last: a folder with one is whole. */
export async function writeExport(folder: string, exported: ExportedModel): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "model.onnx"), exported.model);
  const path = join(folder, "manifest.json");
  await writeFile(`${path}.tmp`, exported.manifestText);
  await rename(`${path}.tmp`, path);
}

async function answerGolden(
  model: Uint8Array,
  options: {
    runtime: RuntimeName;
    prepared: Float32Array;
    columns: number;
    inputName: string;
    output: ModelOutput;
  },
): Promise<number[][]> {
  const { prepared, columns, inputName, output } = options;
  const session = await (await loadRuntime(options.runtime)).open(model);
  const answer = await session.run({ [inputName]: { shape: [prepared.length / columns, columns], data: prepared } });
  await session.release();
  const flat = Array.from(answer[output.name] as Float32Array);
  const width = outputWidth(output, columns);
  return Array.from({ length: prepared.length / columns }, (_, row) => flat.slice(row * width, (row + 1) * width));
}

/** Infinity when an answer is missing or not a number. */
function largestDifference(one: number[][], other: number[][]): number {
  let largest = 0;
  for (const [row, values] of one.entries()) {
    for (const [column, value] of values.entries()) {
      const difference = Math.abs(value - (other[row]?.[column] ?? Number.NaN));
      if (!(difference <= Number.MAX_VALUE)) return Number.POSITIVE_INFINITY;
      largest = Math.max(largest, difference);
    }
  }
  return largest;
}

function scoresFor(evaluation: Evaluation | null): Pick<ModelManifest, "scores" | "scoredOn"> {
  if (evaluation === null) return { scores: [], scoredOn: null };
  const { source, datasetSha256, from, to, rows, purgeMs, commit } = evaluation;
  return { scores: evaluation.scores.map(scoreFor), scoredOn: { source, datasetSha256, from, to, rows, purgeMs, commit } };
}

function scoreFor({ target, horizonMs, rows, r2, r2Low, r2High, ridgeR2, directionHitRate, moves }: DetailedScore): Score {
  return { target, horizonMs, rows, r2, r2Low, r2High, ridgeR2, directionHitRate, moves };
}
