/**
 * Runs as a table that fits a terminal: which columns there are, and which of them there is room for. A column is of a setting in which the runs differ, of
 * the validation error, or of the test scores at one horizon: R² of the mid for moves, Matthews' correlation for classes, the line's in brackets.
 */

import { CommandError } from "../command-error.ts";
import { errorText, type RunFacts } from "./run-facts.ts";
import { differencesBetween } from "./side-by-side.ts";
import { signed } from "./signed.ts";

export interface RunColumn {
  readonly name: string;
  /** [runs] */
  readonly cells: readonly string[];
}

/** Longer values are lists and hashes, of which the beginning tells enough. */
const LONGEST_CELL = 24;
const ERROR = "error / line / none";
/** A table's line around each cell, and one at the end. */
const [FRAME, LAST_FRAME] = [3, 1];
const ABSENT = "–";

/** All there are, in the order in which they are shown. */
export function columnsOf(runs: readonly RunFacts[]): RunColumn[] {
  const { names, values } = differencesBetween(runs);
  return [
    { name: "run", cells: runs.map(({ name }) => name) },
    ...names.map((name, index) => ({ name, cells: values.map((of) => cut(of[index] ?? ABSENT)) })),
    { name: ERROR, cells: runs.map(errorsOf) },
    ...scoreColumns(runs),
  ];
}

/**
 * Those that fit into a width; the name, the error and the scores at the shortest horizon before settings, these before longer horizons. The first is always
 * there.
 */
export function fittingColumns(columns: readonly RunColumn[], width: number): RunColumn[] {
  const error = columns.findIndex(({ name }) => name === ERROR);
  const order = [0, error, error + 1, ...columns.keys()].filter((at) => at >= 0 && at < columns.length);
  const chosen = new Set<number>();
  let left = width - LAST_FRAME;
  for (const at of new Set(order)) {
    const needed = widthOf(columns[at] as RunColumn) + FRAME;
    if (chosen.size > 0 && needed > left) continue;
    chosen.add(at);
    left -= needed;
  }
  return columns.filter((_, at) => chosen.has(at));
}

/** In the order of the names, which commas part; "all" are all. Throws CommandError for one that there isn't. */
export function namedColumns(columns: readonly RunColumn[], names: string): RunColumn[] {
  if (names === "all") return [...columns];
  return names.split(",").map((name) => {
    const column = columns.find((one) => one.name === name.trim());
    if (column === undefined)
      throw new CommandError(`there is no column "${name.trim()}": choose of ${columns.map((one) => one.name).join(", ")}, or all`);
    return column;
  });
}

function errorsOf({ run }: RunFacts): string {
  const { model, ridge, persistence } = run.card.validation;
  return [model, ridge, persistence].map(errorText).join(" / ");
}

/** One run's score by one column. */
interface Cell {
  readonly column: string;
  readonly horizonMs: number;
  readonly text: string;
}

function scoreColumns(runs: readonly RunFacts[]): RunColumn[] {
  const scores = runs.map(scoresOf);
  const cells = scores.flatMap((of) => of ?? []).toSorted((one, other) => one.horizonMs - other.horizonMs);
  const names = [...new Set(cells.map(({ column }) => column))];
  if (names.length === 0) return [{ name: "test", cells: scores.map((of) => (of === null ? "not evaluated" : "too few rows")) }];
  return names.map((name, index) => ({
    name,
    cells: scores.map((of) => of?.find(({ column }) => column === name)?.text ?? (of === null && index === 0 ? "not evaluated" : ABSENT)),
  }));
}

/** Null: never scored. */
function scoresOf({ evaluation }: RunFacts): Cell[] | null {
  if (evaluation === null) return null;
  const { classes, reconstruction, scores } = evaluation;
  if (classes !== undefined)
    return classes.map(({ asks, horizonMs, model, logistic }) => ({
      column: `test ${asks === "next-change" ? "next within " : ""}${horizonMs / 1_000} s`,
      horizonMs,
      text: `MCC ${shown(model.mcc)} (${shown(logistic?.mcc ?? null)})`,
    }));
  if (reconstruction !== undefined)
    return reconstruction === null ? [] : [{ column: "test", horizonMs: 0, text: `R² ${shown(reconstruction.r2)}` }];
  return scores
    .filter(({ target }) => target === "mid")
    .map(({ horizonMs, r2, ridgeR2 }) => ({
      column: `test ${horizonMs / 1_000} s`,
      horizonMs,
      text: `R² ${shown(r2)} (${shown(ridgeR2)})`,
    }));
}

function shown(value: number | null): string {
  return value === null ? ABSENT : signed(value, 3);
}

function cut(text: string): string {
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL - 1)}…` : text;
}

function widthOf({ name, cells }: RunColumn): number {
  return Math.max(name.length, ...cells.map(({ length }) => length));
}
