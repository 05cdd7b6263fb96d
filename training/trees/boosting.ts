/**
 * The rounds of boosting, run by every thread in step: each holds the same trees, and its part of the rows' work.
 *
 * A round is: the losses of the answers so far, with the gradients they leave; then for each output quanta, a tree, its leaves' values, and the rows'
 * new answers. Answers are float32, start from the base and grow by float32 leaf values in the order of the trees; where the ensemble is served the
 * base is added last (answer.ts), which moves the last bits.
 */

import { Random, splitmix64 } from "../../core/math/random.ts";
import type { RoundScore, Tree, TreeObjective } from "./contract.ts";
import { answerOf, clamp, finishTree, type GrowingNode, LARGEST_FLOAT32, type Split } from "./growing-node.ts";
import type { Address, RowLoss, TreeKernel } from "./kernel.ts";
import { combinedOf } from "./look-ahead.ts";
import { CHUNK_ROWS, type RowsPlan, SUM_BYTES, TABLE_NODE_BYTES } from "./memory-plan.ts";
import { outputsOf, renewalLevel } from "./objectives.ts";
import { type QuantaScales, scalesFor } from "./quanta.ts";
import { parityOf } from "./row-sender.ts";
import { TreeGrower } from "./tree-grower.ts";
import type { TreeThread } from "./tree-thread.ts";

/** Above every value that a column may hold: `x < threshold` sends all of them left, and only missing ones go right. */
export const ABOVE_ALL = LARGEST_FLOAT32;

/** Rows whose answers are one task. */
const ANSWER_ROWS = 16_384;

interface LeafTask {
  readonly node: GrowingNode;
  readonly from: number;
  readonly to: number;
}

export class Booster {
  private readonly parts: TreeThread;
  private readonly grower: TreeGrower;
  private readonly random: Random;
  private readonly float32: Float32Array;
  private readonly float64: Float64Array;
  private readonly int32: Int32Array;
  private readonly outputs: number;
  private trainingWeight = 0;
  private validationWeight = 0;
  /** Trees that validation rows have not seen. */
  private fresh: readonly Tree[] = [];
  private round = 0;

  constructor(parts: TreeThread) {
    this.parts = parts;
    this.grower = new TreeGrower(parts);
    this.random = new Random(parts.settings.seed);
    this.float32 = new Float32Array(parts.buffer);
    this.float64 = new Float64Array(parts.buffer);
    this.int32 = new Int32Array(parts.buffer);
    this.outputs = outputsOf(parts.settings.objective);
    this.trainingWeight = this.weightOf(parts.plan.training);
    this.validationWeight = this.weightOf(parts.plan.validation);
  }

  /** Brings answers and draws to where they stood after these rounds. The last one's trees are still new to validation rows, as `boost` leaves them. */
  catchUp(rounds: readonly (readonly Tree[])[]): void {
    const { plan } = this.parts;
    for (const [index, trees] of rounds.entries()) {
      for (const _ of trees) this.drawTree();
      this.addTrees(trees, plan.training);
      if (index < rounds.length - 1) this.addTrees(trees, plan.validation);
    }
    this.fresh = rounds.at(-1) ?? [];
    this.round = rounds.length;
  }

  /** The losses of the answers so far; leaves the gradients of the next round behind. */
  score(): RoundScore {
    const { plan, crew } = this.parts;
    const chunks = Math.ceil(plan.training.rows / CHUNK_ROWS);
    const validationChunks = Math.ceil(plan.validation.rows / CHUNK_ROWS);
    for (const tree of this.fresh) this.writeTable(tree, tree.output, plan.validation);
    crew.share(chunks + validationChunks, (task) => {
      if (task < chunks) this.differentiate(plan.training, task, plan.gradients);
      else this.scoreValidation(task - chunks);
    });
    crew.meet();
    return {
      round: this.round,
      trainLoss: this.sumOf(plan.training, 2) / this.trainingWeight,
      validationLoss: plan.validation.rows === 0 ? null : this.sumOf(plan.validation, 2) / this.validationWeight,
    };
  }

  /** Whether what float32 has to hold fits into it: each row's gradient, and the weights of all. */
  get isRepresentable(): boolean {
    const { training } = this.parts.plan;
    // Of several classes no gradient is larger than its row's weight.
    const gradients = this.outputs > 1 ? 0 : this.sumOf(training, 0);
    return gradients <= LARGEST_FLOAT32 && this.trainingWeight <= LARGEST_FLOAT32;
  }

  /** One more tree for each output. */
  boost(): readonly Tree[] {
    const { plan } = this.parts;
    const trees: Tree[] = [];
    for (let output = 0; output < this.outputs; output++) {
      if (this.outputs > 1) this.differentiateClass(output);
      const hasHessians = plan.hessians !== 0;
      const hessian = hasHessians ? this.sumOf(plan.training, 1) : plan.training.rows;
      const gradient = this.sumOf(plan.training, 0);
      const scales = scalesFor({ rows: plan.training.rows, gradient, hessian, hasHessians });
      const tree = this.growTree(scales, { output, noise: (gradient / plan.training.rows) * (gradient / hessian) });
      trees.push(tree);
    }
    this.fresh = trees;
    this.round++;
    return trees;
  }

  private growTree(scales: QuantaScales, { output, noise }: { output: number; noise: number }): Tree {
    const { plan, crew, settings } = this.parts;
    const { rows } = plan.training;
    const last = this.fresh[output];
    const { columns, seed } = this.drawTree();
    const isWhole = settings.rowShare === 1;
    const chunks = Math.ceil(rows / CHUNK_ROWS);
    crew.meet();
    crew.share(chunks, (chunk) => this.quantise(chunk, scales, isWhole ? null : seed));
    crew.meet();
    const nodes = this.grower.grow({
      round: this.round,
      followed: last === undefined ? null : combinedOf(last),
      scales,
      noise,
      count: this.drawnBefore(rows),
      isWhole,
      gradient: this.sumOf(plan.training, 0),
      hessian: this.sumOf(plan.training, 1),
      columns,
      mayFuse: isWhole && plan.hessians === 0 && renewalLevel(settings.objective) === null && settings.growth.kind === "depth-wise",
    });
    this.settleLeaves(nodes, scales);
    const tree = finishTree(nodes, output, (split) => this.thresholdOf(split));
    this.addToAnswers(nodes, tree, output);
    return tree;
  }

  private weightOf({ rows, weights }: RowsPlan): number {
    return weights === 0 || rows === 0 ? rows : this.parts.kernel.sumWeights(0, rows, weights);
  }

  /** Chunk by chunk, always in the same order. @param which of the three sums. */
  private sumOf({ rows, sums }: RowsPlan, which: number): number {
    let sum = 0;
    for (let chunk = 0; chunk < Math.ceil(rows / CHUNK_ROWS); chunk++)
      sum += this.float64[(sums + chunk * SUM_BYTES) / 8 + which] as number;
    return sum;
  }

  private differentiate(rows: RowsPlan, chunk: number, gradients: Address): void {
    const { plan, kernel, settings } = this.parts;
    const from = chunk * CHUNK_ROWS;
    const to = Math.min(rows.rows, from + CHUNK_ROWS);
    const sums = rows.sums + chunk * SUM_BYTES;
    const isTraining = rows === plan.training;
    if (settings.objective.kind === "multiclass") {
      const { answers, outputBytes, targets, weights } = rows;
      const probabilities = isTraining ? plan.probabilities : 0;
      kernel.softmax(answers, outputBytes, this.outputs, targets, weights, from, to, probabilities, sums);
    } else {
      rowLoss(kernel, settings.objective)(
        rows.answers,
        rows.targets,
        rows.weights,
        from,
        to,
        gradients,
        isTraining ? plan.hessians : 0,
        sums,
      );
    }
  }

  private differentiateClass(label: number): void {
    const { plan, kernel, crew } = this.parts;
    const { rows, sums, targets, weights, outputBytes } = plan.training;
    const probabilities = plan.probabilities + label * outputBytes;
    crew.meet();
    crew.share(Math.ceil(rows / CHUNK_ROWS), (chunk) => {
      const from = chunk * CHUNK_ROWS;
      const to = Math.min(rows, from + CHUNK_ROWS);
      const own = sums + chunk * SUM_BYTES;
      kernel.multiclass(label, this.outputs, probabilities, targets, weights, from, to, plan.gradients, plan.hessians, own);
    });
    crew.meet();
  }

  private scoreValidation(chunk: number): void {
    const { plan, kernel, thread } = this.parts;
    const { answers, outputBytes, rows } = plan.validation;
    const from = chunk * CHUNK_ROWS;
    const to = Math.min(rows, from + CHUNK_ROWS);
    this.fresh.forEach((_, output) => {
      kernel.addTree(plan.scratch[thread]?.tables[output] ?? 0, from, to, answers + output * outputBytes);
    });
    this.differentiate(plan.validation, chunk, plan.validationGradients);
  }

  private addTrees(trees: readonly Tree[], rows: RowsPlan): void {
    const { plan, kernel, crew, thread } = this.parts;
    for (const tree of trees) this.writeTable(tree, tree.output, rows);
    crew.share(Math.ceil(rows.rows / ANSWER_ROWS), (task) => {
      const [from, to] = [task * ANSWER_ROWS, Math.min(rows.rows, (task + 1) * ANSWER_ROWS)];
      for (const { output } of trees)
        kernel.addTree(plan.scratch[thread]?.tables[output] ?? 0, from, to, rows.answers + output * rows.outputBytes);
    });
    crew.meet();
  }

  /** By all threads alike: the columns of a tree (null: all), and the seed of its rows. */
  private drawTree(): { columns: number[] | null; seed: bigint } {
    const columns = this.drawColumns();
    this.random.draw();
    return { columns, seed: (BigInt(this.random.high) << 32n) | BigInt(this.random.low) };
  }

  private drawColumns(): number[] | null {
    const { columns, settings } = this.parts;
    if (settings.columnShare === 1) return null;
    const wanted = Math.max(1, Math.round(columns * settings.columnShare));
    const drawn: number[] = [];
    for (let column = 0; column < columns; column++) {
      if (this.random.uniform() * (columns - column) < wanted - drawn.length) drawn.push(column);
    }
    return drawn;
  }

  /** Of the rows before `row`, how many are drawn: of each chunk its share. */
  private drawnBefore(row: number): number {
    return this.parts.settings.rowShare === 1 ? row : Math.max(row > 0 ? 1 : 0, Math.floor(row * this.parts.settings.rowShare + 0.5));
  }

  private quantise(chunk: number, scales: QuantaScales, seed: bigint | null): void {
    const { plan, kernel } = this.parts;
    const { rows, sums } = plan.training;
    const from = chunk * CHUNK_ROWS;
    const to = Math.min(rows, from + CHUNK_ROWS);
    const { gradient, hessian } = scales;
    const bits = BigInt(scales.hessianBits);
    const own = sums + chunk * SUM_BYTES;
    if (seed === null) {
      kernel.quantise(plan.gradients, plan.hessians, from, to, gradient, hessian, bits, plan.quanta[0], own);
      return;
    }
    const first = this.drawnBefore(from);
    const last = this.drawnBefore(to);
    kernel.drawRows(from, to, last - first, seedOfChunk(seed, chunk), plan.rows[0] + first * 4);
    kernel.quantiseRows(plan.rows[0], plan.gradients, plan.hessians, first, last, gradient, hessian, bits, plan.quanta[0], own);
  }

  /** Values and covers of the leaves. */
  private settleLeaves(nodes: readonly GrowingNode[], scales: QuantaScales): void {
    const { plan, kernel, crew, settings, thread } = this.parts;
    const { targets, weights, answers } = plan.training;
    const level = renewalLevel(settings.objective);
    const leaves = nodes.filter(({ split }) => split === null);
    for (const leaf of leaves) {
      leaf.value = Math.fround(settings.learningRate * answerOf(leaf, scales, settings.lambda));
      leaf.cover = leaf.count;
    }
    if (level === null && weights === 0) return;
    crew.share(leaves.length, (task) => {
      const { depth, start, count, isWhole } = leaves[task] as GrowingNode;
      const rows = isWhole ? 0 : plan.rows[parityOf(depth)] + start * 4;
      const at = plan.leafSums / 8 + 2 * task;
      if (level !== null) {
        const keys = plan.quanta[parityOf(depth)] + start * 8;
        const sums = plan.scratch[thread]?.quantileSums ?? 0;
        this.float64[at] = kernel.weightedQuantile(level, rows, count, targets, answers, weights, keys, sums);
      }
      if (weights !== 0) this.float64[at + 1] = kernel.sumWeights(rows, count, weights);
    });
    crew.meet();
    leaves.forEach((leaf, task) => {
      const at = plan.leafSums / 8 + 2 * task;
      const { low, high } = leaf;
      if (level !== null) leaf.value = Math.fround(settings.learningRate * clamp(this.float64[at] as number, low, high));
      if (weights !== 0) leaf.cover = this.float64[at + 1] as number;
    });
  }

  private addToAnswers(nodes: readonly GrowingNode[], tree: Tree, output: number): void {
    const { plan, kernel, crew, settings, thread } = this.parts;
    const { rows, outputBytes } = plan.training;
    const answers = plan.training.answers + output * outputBytes;
    if (settings.rowShare < 1) {
      this.writeTable(tree, output, plan.training);
      const table = plan.scratch[thread]?.tables[output] ?? 0;
      crew.share(Math.ceil(rows / ANSWER_ROWS), (task) => {
        kernel.addTree(table, task * ANSWER_ROWS, Math.min(rows, (task + 1) * ANSWER_ROWS), answers);
      });
    } else {
      const tasks = leafTasks(nodes);
      crew.share(tasks.length, (task) => this.addLeaf(tasks[task] as LeafTask, answers));
    }
    crew.meet();
  }

  private addLeaf({ node, from, to }: LeafTask, answers: Address): void {
    const { plan, kernel } = this.parts;
    const { split, left, right } = node;
    const start = node.start + from;
    const rows = node.isWhole ? 0 : plan.rows[parityOf(node.depth)] + start * 4;
    if (split === null || left === null || right === null) {
      // A whole node's rows have no list: they begin where its answers do.
      kernel.addToRows(rows, to - from, node.value, node.isWhole ? answers + start * 4 : answers);
      return;
    }
    const column = plan.training.columnBins + split.column * plan.training.columnBytes;
    kernel.splitToRows(rows, start, to - from, column, split.bin, split.isMissingLeft ? 1 : 0, left.value, right.value, answers);
  }

  /** As `leaves.ts` of the kernel has it, over the bins of `rows`. */
  private writeTable(tree: Tree, output: number, { columnBins, columnBytes }: RowsPlan): void {
    const table = this.parts.plan.scratch[this.parts.thread]?.tables[output] ?? 0;
    for (let node = 0; node < tree.feature.length; node++) {
      const at = (table + node * TABLE_NODE_BYTES) / 4;
      const column = tree.feature[node] as number;
      this.int32[at] = columnBins + Math.max(column, 0) * columnBytes;
      this.int32[at + 1] = column < 0 ? -1 : this.binOf(column, tree.threshold[node] as number);
      this.int32[at + 2] = tree.isMissingLeft[node] as number;
      this.int32[at + 3] = tree.left[node] as number;
      this.int32[at + 4] = tree.right[node] as number;
      this.float32[at + 5] = tree.value[node] as number;
    }
  }

  private thresholdOf({ column, bin }: Split): number {
    const { cuts, cutCounts } = this.parts.plan;
    if (bin >= (this.int32[cutCounts / 4 + column] as number)) return ABOVE_ALL;
    return this.float32[(cuts + column * 1_024) / 4 + bin] as number;
  }

  private binOf(column: number, threshold: number): number {
    const { cuts, cutCounts } = this.parts.plan;
    const count = this.int32[cutCounts / 4 + column] as number;
    const own = this.float32.subarray((cuts + column * 1_024) / 4, (cuts + column * 1_024) / 4 + count);
    const bin = own.indexOf(threshold);
    return bin < 0 ? count : bin;
  }
}

/**
 * A chunk draws splitmix64's words from its seed on, in steps of the golden ratio: were the seeds of chunks such steps apart, each would draw what the one
 * before drew, a row later. So a chunk's seed is such a word itself, of another stream.
 */
export function seedOfChunk(seed: bigint, chunk: number): bigint {
  return splitmix64(seed ^ (BigInt(chunk) << 32n), 1)[0] as bigint;
}

function rowLoss(kernel: TreeKernel, objective: Exclude<TreeObjective, { kind: "multiclass" }>): RowLoss {
  switch (objective.kind) {
    case "squared-error":
      return kernel.squaredError;
    case "absolute-error":
      return kernel.absoluteError;
    case "log-loss":
      return kernel.logLoss;
    case "quantile":
      return (...rest) => kernel.quantileError(objective.level, ...rest);
  }
}

/** Leaves, and nodes that are divided without having sent their rows, in parts that are about as long. */
function leafTasks(nodes: readonly GrowingNode[]): LeafTask[] {
  const tasks: LeafTask[] = [];
  const fused = new Set(nodes.flatMap((node) => (node.isFused ? [node.left, node.right] : [])));
  for (const node of nodes) {
    if (node.split !== null && !node.isFused) continue;
    if (fused.has(node)) continue;
    for (let from = 0; from < node.count; from += ANSWER_ROWS) tasks.push({ node, from, to: Math.min(node.count, from + ANSWER_ROWS) });
  }
  return tasks;
}
