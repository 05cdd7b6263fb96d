/** Refuses settings and rows that no trees can come of, and says what to do. */

import { CommandError } from "../command-error.ts";
import type { TreeData, TreeRows, TreeSettings } from "./contract.ts";
import { MOST_ROWS } from "./memory-plan.ts";

export function checkSettings(settings: TreeSettings, columns: number): void {
  const { objective, growth, monotone } = settings;
  checkWhole("rounds", settings.rounds, 1, 1_000_000);
  checkWhole("maxBins", settings.maxBins, 2, 255);
  checkWhole("minRows", settings.minRows, 1, MOST_ROWS);
  checkWhole("threads", settings.threads, 1, 256);
  checkWhole("seed", settings.seed, 0, Number.MAX_SAFE_INTEGER);
  checkWhole("growth.maxDepth", growth.maxDepth, 1, growth.kind === "depth-wise" ? 16 : 64);
  if (growth.kind === "leaf-wise") checkWhole("growth.maxLeaves", growth.maxLeaves, 2, 65_536);
  if (settings.earlyStoppingRounds !== null) checkWhole("earlyStoppingRounds", settings.earlyStoppingRounds, 1, 1_000_000);
  checkBetween("learningRate", settings.learningRate, Number.MIN_VALUE, 1);
  checkBetween("rowShare", settings.rowShare, Number.MIN_VALUE, 1);
  checkBetween("columnShare", settings.columnShare, Number.MIN_VALUE, 1);
  checkBetween("lambda", settings.lambda, 0, Number.MAX_VALUE);
  checkBetween("minHessian", settings.minHessian, 0, Number.MAX_VALUE);
  checkBetween("minGain", settings.minGain, 0, Number.MAX_VALUE);
  if (objective.kind === "quantile" && !(objective.level > 0 && objective.level < 1)) {
    throw new CommandError(`the quantile's level ${objective.level} does not lie between 0 and 1: 0.5 is the median`);
  }
  if (objective.kind === "multiclass") checkWhole("the number of classes", objective.classes, 2, 1_000);
  const undirected = monotone?.findIndex((direction) => direction !== -1 && direction !== 0 && direction !== 1) ?? -1;
  if (undirected >= 0) {
    throw new CommandError(`the monotone constraint of column ${undirected} is ${monotone?.[undirected]}, and has to be -1, 0 or 1`);
  }
  if (monotone !== null && monotone.length !== columns) {
    throw new CommandError(`${monotone.length} monotone constraints for ${columns} columns: give each column one, 0 where it is free`);
  }
}

export function checkRows(data: TreeRows & Pick<TreeData, "targets">, settings: TreeSettings, name: "training" | "validation"): void {
  const { rows, columns, features, targets, weights } = data;
  if (rows > MOST_ROWS) throw new CommandError(`${rows} ${name} rows are more than ${MOST_ROWS}: train on a part of them`);
  if (rows < 1 || columns < 1) throw new CommandError(`there are ${rows} ${name} rows of ${columns} columns: both have to be some`);
  if (name === "training" && rows < 2) throw new CommandError("one row can't be split: train on more rows");
  if (features.length < rows * columns || targets.length < rows || (weights !== null && weights.length < rows)) {
    throw new CommandError(
      `${rows} ${name} rows of ${columns} columns need ${rows * columns} values and ${rows} targets and weights: ` +
        `there are ${features.length}, ${targets.length}${weights === null ? "" : ` and ${weights.length}`}`,
    );
  }
  checkTargets(data, settings, name);
  for (let row = 0; weights !== null && row < rows; row++) {
    const weight = weights[row] as number;
    if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) {
      throw new CommandError(`${name} row ${row} weighs ${weight}: weights are above 0; leave out rows that shall not count`);
    }
  }
}

function checkTargets({ rows, targets }: Pick<TreeData, "rows" | "targets">, { objective }: TreeSettings, name: string): void {
  const classes = objective.kind === "multiclass" ? objective.classes : objective.kind === "log-loss" ? 2 : 0;
  const counts = new Uint32Array(classes);
  for (let row = 0; row < rows; row++) {
    const target = targets[row] as number;
    if (!Number.isFinite(target)) throw new CommandError(`the target of ${name} row ${row} is ${target}: leave out rows without a target`);
    if (classes === 0) continue;
    if (!Number.isInteger(target) || target < 0 || target >= classes) {
      throw new CommandError(`the target of ${name} row ${row} is ${target}, and classes are whole numbers from 0 to ${classes - 1}`);
    }
    counts[target] = (counts[target] as number) + 1;
  }
  const empty = counts.indexOf(0);
  if (name === "training" && empty >= 0) {
    throw new CommandError(`no training row is of class ${empty}: leave the class out and number the others anew, or add rows`);
  }
}

function checkWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most) {
    throw new CommandError(`${name} is ${value}, and has to be a whole number from ${least} to ${most}`);
  }
}

function checkBetween(name: string, value: number, least: number, most: number): void {
  if (value >= least && value <= most) return;
  const range = least === Number.MIN_VALUE ? `above 0 and at most ${most}` : "finite and not below 0";
  throw new CommandError(`${name} is ${value}, and has to be ${range}`);
}
