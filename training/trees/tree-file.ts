/**
 * An ensemble as a file, and back. Equal ensembles are equal bytes: nothing is written but the ensemble.
 *
 *   8 bytes   "ebtrees1": what the file is, and the version of its layout
 *   4 bytes   length of the header, little-endian
 *   header    JSON: objective, columns, outputs, and of each tree its output and its count of nodes
 *   padding   zeros up to a multiple of 4
 *   base      float32 [outputs]
 *   arrays    of all nodes of all trees, one after another: feature, left, right (int32), threshold, value, gain, cover (float32), isMissingLeft (uint8)
 *   32 bytes  SHA-256 of everything before
 *
 * A file is hostile until it is parsed: its hash, its length, and that every tree is one (children behind their parents, each node but the root
 * with one parent, leaves marked everywhere as such), so that no row can run in a circle or out of an array. What is wrong is said, never thrown.
 */

import { createHash } from "node:crypto";
import type { Tree, TreeEnsemble, TreeObjective } from "./contract.ts";

export type ParsedTrees = { readonly ensemble: TreeEnsemble } | { readonly malformed: string };

const MAGIC = "ebtrees1";
const HASH_BYTES = 32;
const HEADER_AT = MAGIC.length + 4;
/** Bounds on what a header may claim, far above any use, so that sums of them stay exact integers. */
const MOST_COLUMNS = 1 << 20;
const MOST_OUTPUTS = 1 << 16;
const MOST_NODES = 1 << 28;
/** Seven arrays of four bytes and one of one. */
const BYTES_PER_NODE = 29;

const INTEGER_ARRAYS = ["feature", "left", "right"] as const;
const FLOAT_ARRAYS = ["threshold", "value", "gain", "cover"] as const;

interface Header {
  readonly objective: TreeObjective;
  readonly columns: number;
  readonly outputs: number;
  /** [output, nodes] of each tree. */
  readonly trees: readonly (readonly [number, number])[];
}

/** @returns the file's bytes. Throws for an ensemble that `parseTrees` would refuse: it must never reach a disk. */
export function encodeTrees(ensemble: TreeEnsemble): Uint8Array {
  const problem = problemOf(ensemble);
  if (problem !== null) throw new RangeError(`not an ensemble: ${problem}`);
  const { objective, columns, outputs, base, trees } = ensemble;
  const header: Header = {
    objective: plainObjective(objective),
    columns,
    outputs,
    trees: trees.map(({ output, feature }) => [output, feature.length]),
  };
  const headerBytes = new TextEncoder().encode(JSON.stringify(header));
  const prefix = new Uint8Array(padded(HEADER_AT + headerBytes.length));
  prefix.set(new TextEncoder().encode(MAGIC));
  new DataView(prefix.buffer).setUint32(MAGIC.length, headerBytes.length, true);
  prefix.set(headerBytes, HEADER_AT);
  const arrays = [...INTEGER_ARRAYS, ...FLOAT_ARRAYS, "isMissingLeft" as const].flatMap((name) => trees.map((tree) => tree[name]));
  const parts = [prefix, ...[base, ...arrays].map((array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength))];
  const body = Buffer.concat(parts);
  return new Uint8Array(Buffer.concat([body, createHash("sha256").update(body).digest()]));
}

/** The SHA-256 at the end of the file, in lower-case hex: what two equal models have in common. */
export function hashOfTrees(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(-HASH_BYTES)).toString("hex");
}

export function parseTrees(bytes: Uint8Array): ParsedTrees {
  if (bytes.length < HEADER_AT + HASH_BYTES) return { malformed: `${bytes.length} bytes are too few` };
  if (new TextDecoder("latin1").decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) return { malformed: `it doesn't begin with ${MAGIC}` };
  const body = bytes.subarray(0, bytes.length - HASH_BYTES);
  if (createHash("sha256").update(body).digest("hex") !== hashOfTrees(bytes)) return { malformed: "its hash is not that of its content" };
  const headerLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(MAGIC.length, true);
  if (HEADER_AT + headerLength > body.length) return { malformed: `a header of ${headerLength} bytes in ${body.length}` };
  const header = readHeader(body.subarray(HEADER_AT, HEADER_AT + headerLength));
  if ("malformed" in header) return header;
  return readArrays(body.slice(padded(HEADER_AT + headerLength)), header.header);
}

function readArrays(arrays: Uint8Array<ArrayBuffer>, { objective, columns, outputs, trees }: Header): ParsedTrees {
  const nodes = trees.reduce((sum, [, count]) => sum + count, 0);
  const expected = 4 * outputs + BYTES_PER_NODE * nodes;
  if (arrays.length !== expected) return { malformed: `${arrays.length} bytes of arrays where the header has ${expected}` };
  const cut = (at: number, from: number, count: number): [ArrayBuffer, number, number] => [
    arrays.buffer,
    4 * (at * nodes + outputs + from),
    count,
  ];
  const read: Tree[] = [];
  let from = 0;
  for (const [output, count] of trees) {
    read.push({
      output,
      feature: new Int32Array(...cut(0, from, count)),
      left: new Int32Array(...cut(1, from, count)),
      right: new Int32Array(...cut(2, from, count)),
      threshold: new Float32Array(...cut(3, from, count)),
      value: new Float32Array(...cut(4, from, count)),
      gain: new Float32Array(...cut(5, from, count)),
      cover: new Float32Array(...cut(6, from, count)),
      isMissingLeft: new Uint8Array(arrays.buffer, 4 * (7 * nodes + outputs) + from, count),
    });
    from += count;
  }
  const ensemble = { objective, columns, outputs, base: new Float32Array(arrays.buffer, 0, outputs), trees: read };
  const problem = problemOf(ensemble);
  return problem === null ? { ensemble } : { malformed: problem };
}

function readHeader(bytes: Uint8Array): { header: Header } | { malformed: string } {
  let read: unknown;
  try {
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    return { malformed: `its header is no JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  if (typeof read !== "object" || read === null) return { malformed: "its header is no object" };
  const { objective, columns, outputs, trees } = read as Record<string, unknown>;
  if (!isObjective(objective)) return { malformed: "its header names no objective" };
  if (!isCount(columns, MOST_COLUMNS) || !isCount(outputs, MOST_OUTPUTS)) return { malformed: `${columns} columns, ${outputs} outputs` };
  if (!Array.isArray(trees)) return { malformed: "its header lists no trees" };
  let nodes = 0;
  for (const tree of trees as unknown[]) {
    if (!Array.isArray(tree) || tree.length !== 2) return { malformed: "a tree is told by its output and its count of nodes" };
    if (!Number.isSafeInteger(tree[0]) || !isCount(tree[1], MOST_NODES))
      return { malformed: `a tree of output ${tree[0]}, ${tree[1]} nodes` };
    nodes += tree[1] as number;
  }
  if (nodes > MOST_NODES) return { malformed: `${nodes} nodes` };
  return { header: { objective: plainObjective(objective), columns, outputs, trees: trees as [number, number][] } };
}

/** The objective's own fields, in one order. */
function plainObjective(objective: TreeObjective): TreeObjective {
  if (objective.kind === "quantile") return { kind: objective.kind, level: objective.level };
  if (objective.kind === "multiclass") return { kind: objective.kind, classes: objective.classes };
  return { kind: objective.kind };
}

function isObjective(value: unknown): value is TreeObjective {
  if (typeof value !== "object" || value === null) return false;
  const { kind, level, classes } = value as Record<string, unknown>;
  if (kind === "quantile") return typeof level === "number" && level > 0 && level < 1;
  if (kind === "multiclass") return isCount(classes, MOST_OUTPUTS) && classes > 1;
  return kind === "squared-error" || kind === "absolute-error" || kind === "log-loss";
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1 && value <= most;
}

/** What keeps an ensemble from being answered with; null when nothing does. */
function problemOf({ objective, columns, outputs, base, trees }: TreeEnsemble): string | null {
  const expected = objective.kind === "multiclass" ? objective.classes : 1;
  if (outputs !== expected) return `${outputs} outputs where ${objective.kind} has ${expected}`;
  if (base.length !== outputs || !base.every(Number.isFinite)) return "a base that is not one finite number an output";
  for (const [index, tree] of trees.entries()) {
    if (!(tree.output >= 0 && tree.output < outputs)) return `tree ${index} adds to output ${tree.output} of ${outputs}`;
    const problem = problemOfTree(tree, columns);
    if (problem !== null) return `tree ${index}: ${problem}`;
  }
  return null;
}

function problemOfTree(tree: Tree, columns: number): string | null {
  const nodes = tree.feature.length;
  if (nodes === 0) return "no nodes";
  for (const name of [...INTEGER_ARRAYS, ...FLOAT_ARRAYS, "isMissingLeft"] as const) {
    if (tree[name].length !== nodes) return `${name} has ${tree[name].length} entries for ${nodes} nodes`;
  }
  for (const name of FLOAT_ARRAYS) {
    const node = tree[name].findIndex((value) => !Number.isFinite(value));
    if (node !== -1) return `${name} of node ${node} is ${tree[name][node]}`;
  }
  const unseen = tree.cover.findIndex((cover) => cover <= 0);
  if (unseen !== -1) return `no row came by node ${unseen}`;
  const undecided = tree.isMissingLeft.findIndex((flag) => flag > 1);
  if (undecided !== -1) return `isMissingLeft of node ${undecided} is ${tree.isMissingLeft[undecided]}`;
  return problemOfLinks(tree, columns);
}

function problemOfLinks({ feature, left, right }: Tree, columns: number): string | null {
  const nodes = feature.length;
  const hasParent = new Uint8Array(nodes);
  for (let node = 0; node < nodes; node++) {
    const column = feature[node] as number;
    const isLeaf = column === -1;
    if (isLeaf && (left[node] !== -1 || right[node] !== -1)) return `leaf ${node} has children`;
    if (isLeaf) continue;
    if (!(column >= 0 && column < columns)) return `node ${node} compares column ${column} of ${columns}`;
    for (const child of [left[node] as number, right[node] as number]) {
      if (!(child > node && child < nodes)) return `node ${node} leads to ${child} of ${nodes}`;
      if (hasParent[child] === 1) return `node ${child} has two parents`;
      hasParent[child] = 1;
    }
  }
  const orphan = hasParent.indexOf(0, 1);
  return orphan === -1 ? null : `nothing leads to node ${orphan}`;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}
