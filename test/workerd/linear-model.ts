/**
 * The smallest model of the mlp family: moves = features · weights, one matrix product. Its golden answers are computed here in plain
 * doubles, so that agreeing with them says something of the runtime.
 */

import type { FeatureSet } from "../../core/features/contract.ts";
import { featureSetV1 } from "../../core/features/registry.ts";
import type { ModelManifest } from "../../models/contract.ts";
import { forecastColumns } from "../../models/forecasts.ts";
import { mlp } from "../../models/mlp/family.ts";
import { inputShape } from "../../models/shapes.ts";
import { encodeModel } from "../../training/onnx/encode.ts";
import { OPSET } from "../../training/onnx/model.ts";

const CLIP = 10;
const OUTPUT_NAME = "moves_bps";

export interface LinearModel {
  readonly artifact: Uint8Array;
  /** Right in all but the artifact's hash, which publishing fills in. */
  readonly manifest: ModelManifest;
  /** [columns, outputs], row-major. */
  readonly weights: Float32Array;
}

export interface LinearModelOptions {
  readonly id: string;
  readonly version: string;
  readonly seed: number;
  /** Columns of the graph, where they shall not be those of the features. */
  readonly graphColumns?: number;
  /** Of all weights: the larger, the larger the moves. */
  readonly scale?: number;
  /** v1 unless told. */
  readonly featureSet?: FeatureSet;
}

export function linearModel({ id, version, seed, graphColumns, scale = 1, featureSet = featureSetV1 }: LinearModelOptions): LinearModel {
  const columns = featureSet.columns.length;
  const outputs = forecastColumns().length;
  const weights = Float32Array.from({ length: (graphColumns ?? columns) * outputs }, (_, index) =>
    Math.fround(scale * Math.sin(index * 0.7 + seed)),
  );
  const artifact = encodeModel({
    opset: OPSET,
    graph: {
      name: "linear",
      nodes: [{ operator: "MatMul", domain: "", inputs: [mlp.inputName, "weights"], outputs: [OUTPUT_NAME], attributes: {} }],
      constants: [{ name: "weights", type: "float32", shape: [graphColumns ?? columns, outputs], data: weights }],
      inputs: [{ name: mlp.inputName, type: "float32", shape: ["batch", graphColumns ?? columns] }],
      outputs: [{ name: OUTPUT_NAME, type: "float32", shape: ["batch", outputs] }],
    },
  });
  const inputs = [0, 1, 2].map((row) => Array.from({ length: columns }, (_, column) => Math.fround(Math.cos(row + column))));
  const golden = { inputs, outputs: inputs.map((row) => linearAnswer(row, weights, outputs)), tolerance: 1e-4 };
  return { artifact, manifest: manifestOf({ id, version, artifact, golden, featureSet }), weights };
}

/** The naive product of the clipped row, in doubles. */
export function linearAnswer(row: readonly number[], weights: Float32Array, outputs: number): number[] {
  return Array.from({ length: outputs }, (_, output) =>
    row.reduce((sum, value, column) => {
      const clipped = Math.max(-CLIP, Math.min(CLIP, value));
      return sum + clipped * (weights[column * outputs + output] ?? Number.NaN);
    }, 0),
  );
}

function manifestOf(
  parts: Pick<ModelManifest, "id" | "version" | "golden"> & { artifact: Uint8Array; featureSet: FeatureSet },
): ModelManifest {
  const { id, fingerprint, columns } = parts.featureSet;
  return {
    format: "edgebook-model/1",
    id: parts.id,
    version: parts.version,
    family: mlp.id,
    featureSet: { id, fingerprint, columns },
    intervalMs: 1_000,
    input: { name: mlp.inputName, shape: inputShape(mlp, columns.length) },
    output: { name: OUTPUT_NAME, columns: forecastColumns(), unit: "bps" },
    normaliser: { mean: columns.map(() => 0), scale: columns.map(() => 1), clip: CLIP },
    opset: OPSET,
    artifact: { file: "model.onnx", sha256: "0".repeat(64), bytes: parts.artifact.byteLength },
    trainedOn: { source: "made by hand", datasetSha256: "0".repeat(64), from: 0, to: 1, rows: 1, seed: 0, commit: null },
    scores: [],
    scoredOn: null,
    golden: parts.golden,
  };
}
