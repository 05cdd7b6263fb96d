/**
 * Boosted trees as an ONNX file: one TreeEnsembleRegressor of ai.onnx.ml that holds the trees of all outputs, each leaf adding to the output
 * of its tree, and behind it what turns sums into answers:
 *
 * - values: a product with each output's own scale (left out where every scale is 1), as in the served graph of a network;
 * - a line: trees that correct one have its Gemm beside them, and the sums of both are what is scaled;
 * - probabilities: ONNX's own Sigmoid or Softmax; of several questions each has its own. TreeEnsembleClassifier is not used: its binary case decides by the signs of all weights which
 *   class the sum is of, and it answers labels in int64 beside the scores. The regressor's own `post_transform` is not used either:
 *   onnxruntime ignores LOGISTIC for one output. So every objective routes and sums by the one path that answer.ts reproduces bit for bit.
 *
 * Splits are BRANCH_LT with the very thresholds of training, `true` leading left. Leaf values go out as they are: scaling them instead of the
 * sum would round each.
 *
 * Differences that remain: on several threads onnxruntime may add the trees in groups, which moves the last bits; a session that treats
 * denormals as zero (training/runtime/node-runtime.ts) does so in comparisons as well.
 */

import { encodeModel } from "../onnx/encode.ts";
import { type Attribute, DOMAINS, type Node, OPSET, type TensorConstant } from "../onnx/model.ts";
import { softmaxOfGroups } from "../onnx/softmax-of-groups.ts";
import { hasProbabilities } from "./answer.ts";
import type { Tree, TreeEnsemble } from "./contract.ts";

export interface ServedEnsembleOptions {
  readonly inputName: string;
  readonly outputName: string;
  /** [outputs of all ensembles] what one unit of each is, e.g. in basis points; null where the sums are the answers. Probabilities have none. */
  readonly outputScale: readonly number[] | null;
  /** What the trees correct, in units of their sums; absent or null: nothing. */
  readonly line?: ServedLine | null;
}

export interface ServedLine {
  /** [outputs, columns] */
  readonly weights: ArrayLike<number>;
  /** [outputs] */
  readonly intercepts: ArrayLike<number>;
}

interface Answered {
  readonly nodes: readonly Node[];
  readonly constants: readonly TensorConstant[];
}

/**
 * @param ensembles their outputs side by side, in order: one ensemble of several, or one for each of a family's outputs.
 * @returns the bytes of the .onnx file: [batch, columns] to [batch, outputs]. Throws where the ensembles don't fit together or the scale doesn't fit them.
 */
export function buildServedEnsemble(ensembles: readonly TreeEnsemble[], options: ServedEnsembleOptions): Uint8Array {
  const { columns, outputs } = checkEnsembles(ensembles, options);
  const { inputName, outputName, line = null } = options;
  const { nodes, constants } = answerNodes(ensembles, options);
  const sums = nodes.length === 0 ? outputName : "sums";
  const corrected = line === null ? null : lineNodes(line, { inputName, sums, columns, outputs });
  return encodeModel({
    opset: OPSET,
    domains: { "ai.onnx.ml": DOMAINS["ai.onnx.ml"] },
    graph: {
      name: "trees",
      nodes: [ensembleNode(ensembles, inputName, corrected === null ? sums : CORRECTION), ...(corrected?.nodes ?? []), ...nodes],
      constants: [...(corrected?.constants ?? []), ...constants],
      inputs: [{ name: inputName, type: "float32", shape: ["batch", columns] }],
      outputs: [{ name: outputName, type: "float32", shape: ["batch", outputs] }],
    },
  });
}

/** What the trees add to their line. */
const CORRECTION = "correction";

/** The line, and behind it the sum of it and its correction. */
function lineNodes(
  { weights, intercepts }: ServedLine,
  { inputName, sums, columns, outputs }: { inputName: string; sums: string; columns: number; outputs: number },
): Answered {
  const plain = { domain: "" };
  return {
    nodes: [
      { ...plain, operator: "Gemm", inputs: [inputName, "weights", "intercepts"], outputs: ["line"], attributes: { transB: { int: 1 } } },
      { ...plain, operator: "Add", inputs: ["line", CORRECTION], outputs: [sums], attributes: {} },
    ],
    constants: [
      { name: "weights", type: "float32", shape: [outputs, columns], data: Float32Array.from(weights) },
      { name: "intercepts", type: "float32", shape: [outputs], data: Float32Array.from(intercepts) },
    ],
  };
}

function checkEnsembles(
  ensembles: readonly TreeEnsemble[],
  { outputScale, line = null }: ServedEnsembleOptions,
): { columns: number; outputs: number } {
  const first = ensembles[0];
  if (first === undefined) throw new RangeError("no ensemble to export");
  const outputs = ensembles.reduce((sum, ensemble) => sum + ensemble.outputs, 0);
  const ofClasses = ensembles.filter(({ objective }) => hasProbabilities(objective));
  if (ofClasses.length > 0 && ofClasses.length < ensembles.length)
    throw new RangeError("ensembles of moves and of classes, whose answers are probabilities, don't go into one file");
  for (const { columns, objective } of ensembles) {
    if (columns !== first.columns) throw new RangeError(`ensembles of ${first.columns} and of ${columns} columns have no common input`);
    if (hasProbabilities(objective) && (outputScale !== null || (ensembles.length > 1 && !areAllMulticlass(ensembles))))
      throw new RangeError(
        `${objective.kind} answers probabilities: it is exported without scale, and beside others of several classes alone`,
      );
  }
  if (line !== null && ofClasses.length > 0) throw new RangeError("trees of classes correct no line");
  if (line !== null && (line.weights.length !== outputs * first.columns || line.intercepts.length !== outputs))
    throw new RangeError(
      `a line of ${line.weights.length} weights and ${line.intercepts.length} intercepts for ${outputs} outputs of ${first.columns} columns`,
    );
  if (outputScale !== null && outputScale.length !== outputs) throw new RangeError(`${outputScale.length} scales for ${outputs} outputs`);
  return { columns: first.columns, outputs };
}

/** From "sums" to the answer. */
function answerNodes(ensembles: readonly TreeEnsemble[], { outputName, outputScale }: ServedEnsembleOptions): Answered {
  const plain = { domain: "", outputs: [outputName] };
  const kind = ensembles[0]?.objective.kind;
  if (kind === "log-loss") return { nodes: [{ ...plain, operator: "Sigmoid", inputs: ["sums"], attributes: {} }], constants: [] };
  if (kind === "multiclass" && ensembles.length > 1) return groupedSoftmax(ensembles, outputName);
  if (kind === "multiclass")
    return { nodes: [{ ...plain, operator: "Softmax", inputs: ["sums"], attributes: { axis: { int: -1 } } }], constants: [] };
  if (outputScale === null || outputScale.every((scale) => scale === 1)) return { nodes: [], constants: [] };
  return {
    nodes: [{ ...plain, operator: "Mul", inputs: ["sums", "scale"], attributes: {} }],
    constants: [{ name: "scale", type: "float32", shape: [outputScale.length], data: Float32Array.from(outputScale) }],
  };
}

function areAllMulticlass(ensembles: readonly TreeEnsemble[]): boolean {
  return ensembles.every(({ objective }) => objective.kind === "multiclass");
}

/** Each ensemble's classes add up to 1 of their own. */
function groupedSoftmax(ensembles: readonly TreeEnsemble[], outputName: string): Answered {
  return softmaxOfGroups(
    "sums",
    outputName,
    ensembles.map(({ outputs }) => outputs),
  );
}

function ensembleNode(ensembles: readonly TreeEnsemble[], input: string, output: string): Node {
  const lists = new NodeLists();
  let firstOutput = 0;
  for (const { trees, outputs } of ensembles) {
    for (const tree of trees) lists.add(tree, firstOutput + tree.output);
    // An output that no leaf adds to would be answered without its base.
    for (let index = 0; index < outputs; index++) {
      if (!trees.some((tree) => tree.output === index)) lists.add(NOTHING, firstOutput + index);
    }
    firstOutput += outputs;
  }
  return {
    operator: "TreeEnsembleRegressor",
    domain: "ai.onnx.ml",
    inputs: [input],
    outputs: [output],
    attributes: {
      n_targets: { int: firstOutput },
      aggregate_function: { text: "SUM" },
      post_transform: { text: "NONE" },
      base_values: { floats: ensembles.flatMap(({ base }) => Array.from(base)) },
      ...lists.attributes(),
    },
  };
}

/** A tree of one leaf that adds 0. */
const NOTHING: Tree = {
  output: 0,
  feature: Int32Array.of(-1),
  threshold: Float32Array.of(0),
  isMissingLeft: Uint8Array.of(0),
  left: Int32Array.of(-1),
  right: Int32Array.of(-1),
  value: Float32Array.of(0),
  gain: Float32Array.of(0),
  cover: Float32Array.of(1),
};

/** The attributes that list all nodes of all trees, and all leaves. */
class NodeLists {
  private trees = 0;
  private readonly treeIds: number[] = [];
  private readonly nodeIds: number[] = [];
  private readonly featureIds: number[] = [];
  private readonly values: number[] = [];
  private readonly modes: string[] = [];
  private readonly trueIds: number[] = [];
  private readonly falseIds: number[] = [];
  private readonly missingTracksTrue: number[] = [];
  private readonly leafTreeIds: number[] = [];
  private readonly leafNodeIds: number[] = [];
  private readonly leafOutputs: number[] = [];
  private readonly leafValues: number[] = [];

  add(tree: Tree, output: number): void {
    for (let node = 0; node < tree.feature.length; node++) {
      const column = tree.feature[node] as number;
      const isLeaf = column < 0;
      this.treeIds.push(this.trees);
      this.nodeIds.push(node);
      this.featureIds.push(isLeaf ? 0 : column);
      this.values.push(tree.threshold[node] as number);
      this.modes.push(isLeaf ? "LEAF" : "BRANCH_LT");
      this.trueIds.push(isLeaf ? 0 : (tree.left[node] as number));
      this.falseIds.push(isLeaf ? 0 : (tree.right[node] as number));
      this.missingTracksTrue.push(tree.isMissingLeft[node] as number);
      if (!isLeaf) continue;
      this.leafTreeIds.push(this.trees);
      this.leafNodeIds.push(node);
      this.leafOutputs.push(output);
      this.leafValues.push(tree.value[node] as number);
    }
    this.trees++;
  }

  attributes(): Record<string, Attribute> {
    return {
      nodes_treeids: { ints: this.treeIds },
      nodes_nodeids: { ints: this.nodeIds },
      nodes_featureids: { ints: this.featureIds },
      nodes_values: { floats: this.values },
      nodes_modes: { texts: this.modes },
      nodes_truenodeids: { ints: this.trueIds },
      nodes_falsenodeids: { ints: this.falseIds },
      nodes_missing_value_tracks_true: { ints: this.missingTracksTrue },
      target_treeids: { ints: this.leafTreeIds },
      target_nodeids: { ints: this.leafNodeIds },
      target_ids: { ints: this.leafOutputs },
      target_weights: { floats: this.leafValues },
    };
  }
}
