/**
 * XᵀX and Xᵀy of all outputs in one pass over the rows, in float64: all that a least-squares line is made of.
 *
 * A row that lacks a target teaches the other outputs. Outputs with the same rows share one XᵀX: they begin as one group, which is parted at the
 * first row where one has a target and another doesn't. Rows are added four at a time, each sum in the order of the rows: the same numbers as
 * one at a time, with a quarter of the loads and stores.
 *
 * With an intercept, rows are taken about the first one, so that the sums lose nothing to a column that is far from zero and hardly moves.
 */

import { blocksOf, copyInputs, type LinearRows, targetOf, weightOf, widthOf } from "./rows.ts";

export interface NormalEquations {
  /** Which outputs these are of, ascending. */
  readonly members: readonly number[];
  /** XᵀX / weight, [columns, columns]; about the means with an intercept. */
  readonly gram: Float64Array;
  /** Xᵀy / weight, [columns, members]; about the means with an intercept. */
  readonly moments: Float64Array;
  /** Sum of the rows' weights; 0: no row has a target. */
  readonly weight: number;
  /** [columns] 0 without an intercept. */
  readonly inputMeans: Float64Array;
  /** [members] 0 without an intercept. */
  readonly targetMeans: Float64Array;
}

/** Rows that are added together. Eight gained nothing more. */
const TILE = 4;

export function normalEquations(rows: LinearRows, options: { hasIntercept: boolean }): NormalEquations[] {
  const { columns, outputs } = widthOf(rows);
  const all = Array.from({ length: outputs }, (_, output) => output);
  let groups = [new Group(all, columns, null)];
  const inputs = new Float64Array(columns);
  /** What rows are taken about: [columns]. */
  let origin = options.hasIntercept ? null : new Float64Array(columns);
  for (const block of blocksOf(rows)) {
    const isPresent = (row: number, output: number): boolean => block.mask[row * outputs + output] !== 0;
    for (let row = 0; row < block.rows; row++) {
      const weight = weightOf(block, row);
      if (weight === 0 || !all.some((output) => isPresent(row, output))) continue;
      copyInputs(block, row, inputs);
      origin ??= inputs.slice();
      groups = groups.flatMap((group) => group.partedBy((output) => isPresent(row, output)));
      for (const group of groups) {
        if (!isPresent(row, group.members[0] as number)) continue;
        group.add(inputs, weight, { origin, targetOf: (output) => targetOf(block, row, output) });
      }
    }
  }
  return groups.map((group) => group.finish(options.hasIntercept ? origin : null));
}

/** The sums of outputs that so far had the same rows. */
class Group {
  readonly members: readonly number[];
  private readonly columns: number;
  private readonly gram: Float64Array;
  private readonly moments: Float64Array;
  private readonly inputSums: Float64Array;
  private readonly targetSums: Float64Array;
  private weight = 0;
  /** [TILE, columns] rows that wait to be added, and their weights. */
  private readonly waiting: Float64Array;
  private readonly waitingWeights = new Float64Array(TILE);
  private waitingRows = 0;

  /** @param from the group that these members were part of; nothing of it may wait. */
  constructor(members: readonly number[], columns: number, from: Group | null) {
    this.members = members;
    this.columns = columns;
    this.gram = from?.gram.slice() ?? new Float64Array(columns * columns);
    this.inputSums = from?.inputSums.slice() ?? new Float64Array(columns);
    this.moments = new Float64Array(columns * members.length);
    this.targetSums = new Float64Array(members.length);
    this.waiting = new Float64Array(TILE * columns);
    if (from === null) return;
    this.weight = from.weight;
    for (const [place, member] of members.entries()) {
      const before = from.members.indexOf(member);
      this.targetSums[place] = from.targetSums[before] as number;
      for (let column = 0; column < columns; column++)
        this.moments[column * members.length + place] = from.moments[column * from.members.length + before] as number;
    }
  }

  /** This group, or its two parts where only some members have a target. */
  partedBy(isPresent: (output: number) => boolean): Group[] {
    const first = isPresent(this.members[0] as number);
    if (this.members.every((member) => isPresent(member) === first)) return [this];
    this.addWaiting();
    const part = (wanted: boolean): Group =>
      new Group(
        this.members.filter((member) => isPresent(member) === wanted),
        this.columns,
        this,
      );
    return [part(true), part(false)];
  }

  add(inputs: Float64Array, weight: number, { origin, targetOf }: { origin: Float64Array; targetOf: (output: number) => number }): void {
    const { columns, members, moments, waiting, inputSums } = this;
    const base = this.waitingRows * columns;
    for (let column = 0; column < columns; column++) {
      const value = (inputs[column] as number) - (origin[column] as number);
      waiting[base + column] = value;
      inputSums[column] = (inputSums[column] as number) + value * weight;
    }
    for (let place = 0; place < members.length; place++) {
      const member = members[place] as number;
      const target = targetOf(member);
      this.targetSums[place] = (this.targetSums[place] as number) + target * weight;
      for (let column = 0; column < columns; column++) {
        const cell = column * members.length + place;
        moments[cell] = (moments[cell] as number) + (waiting[base + column] as number) * weight * target;
      }
    }
    this.weight += weight;
    this.waitingWeights[this.waitingRows++] = weight;
    if (this.waitingRows === TILE) this.addTile();
  }

  /** @param origin what the rows were taken about; null leaves the sums as they are. */
  finish(origin: Float64Array | null): NormalEquations {
    this.addWaiting();
    const { columns, members, gram, moments, weight } = this;
    const share = weight > 0 ? 1 / weight : 1;
    const inputMeans = new Float64Array(columns);
    const targetMeans = new Float64Array(members.length);
    // About the means: Σ(x-o)(z-p)/n - mean(x-o)·mean(z-p).
    if (origin !== null) {
      for (let column = 0; column < columns; column++) inputMeans[column] = (this.inputSums[column] as number) * share;
      for (let place = 0; place < members.length; place++) targetMeans[place] = (this.targetSums[place] as number) * share;
    }
    for (let i = 0; i < columns; i++) {
      const mean = inputMeans[i] as number;
      for (let place = 0; place < members.length; place++) {
        const cell = i * members.length + place;
        moments[cell] = (moments[cell] as number) * share - mean * (targetMeans[place] as number);
      }
      for (let j = 0; j <= i; j++) {
        gram[i * columns + j] = (gram[i * columns + j] as number) * share - mean * (inputMeans[j] as number);
        gram[j * columns + i] = gram[i * columns + j] as number;
      }
    }
    if (origin !== null) {
      for (let column = 0; column < columns; column++) inputMeans[column] = (inputMeans[column] as number) + (origin[column] as number);
    }
    return { members, gram, moments, weight, inputMeans, targetMeans };
  }

  /** The lower triangle, four rows at a time. The sum of one cell is that of adding row after row. */
  private addTile(): void {
    const { columns, gram, waiting, waitingWeights } = this;
    const [first, second, third, fourth] = [0, columns, 2 * columns, 3 * columns];
    for (let i = 0; i < columns; i++) {
      const a = (waiting[first + i] as number) * (waitingWeights[0] as number);
      const b = (waiting[second + i] as number) * (waitingWeights[1] as number);
      const c = (waiting[third + i] as number) * (waitingWeights[2] as number);
      const d = (waiting[fourth + i] as number) * (waitingWeights[3] as number);
      const base = i * columns;
      for (let j = 0; j <= i; j++) {
        gram[base + j] =
          (gram[base + j] as number) +
          a * (waiting[first + j] as number) +
          b * (waiting[second + j] as number) +
          c * (waiting[third + j] as number) +
          d * (waiting[fourth + j] as number);
      }
    }
    this.waitingRows = 0;
  }

  private addWaiting(): void {
    const { columns, gram, waiting, waitingWeights } = this;
    for (let row = 0; row < this.waitingRows; row++) {
      for (let i = 0; i < columns; i++) {
        const value = (waiting[row * columns + i] as number) * (waitingWeights[row] as number);
        for (let j = 0; j <= i; j++)
          gram[i * columns + j] = (gram[i * columns + j] as number) + value * (waiting[row * columns + j] as number);
      }
    }
    this.waitingRows = 0;
  }
}
