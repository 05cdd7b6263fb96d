/**
 * One file of FI-2010, a matrix of 149 lines with a column a row of ours: numbers with spaces between them. Held whole while it is read, 40 or 144
 * numbers of eight bytes a row; the largest of the benchmark has 362,400.
 *
 * Refused, with the line: fewer or more lines, lines of unlike length, what is no finite number, a label other than 1, 2 and 3.
 */

import { readLines } from "../../archive/line-reader.ts";
import { CommandError } from "../command-error.ts";
import { FI2010_FEATURES, FI2010_HORIZONS_MS, FI2010_LINES } from "./fi2010-layout.ts";

/** Nearly three times the largest file. */
const MAX_ROWS = 1_000_000;
/** The files say 1 for up, 2 for flat, 3 for down. */
const DIRECTION_OF_LABEL: ReadonlyMap<number, number> = new Map([
  [1, 1],
  [2, 0],
  [3, -1],
]);

export interface Fi2010Matrix {
  readonly rows: number;
  /** [columns][rows] */
  readonly features: readonly Float64Array[];
  /** [horizons][rows] 1 up, 0 flat, -1 down. */
  readonly directions: readonly Float64Array[];
}

/** @param columns how many of the features are kept, from the first. Throws CommandError where the file is no such matrix. */
export async function readFi2010(path: string, columns: number, onBytes: (bytes: number) => void): Promise<Fi2010Matrix> {
  const features: Float64Array[] = [];
  const directions: Float64Array[] = [];
  let rows: number | null = null;
  let count = 0;
  for await (const { lines, firstLine } of readLines(path, onBytes)) {
    for (const [index, text] of lines.entries()) {
      const line = firstLine + index;
      if (text.trim() === "") continue;
      count++;
      if (count > FI2010_LINES) throw new CommandError(`${path} has more than ${FI2010_LINES} lines: it is no matrix of FI-2010`);
      const isLabel = count > FI2010_FEATURES;
      const words = text.trim().split(/\s+/);
      rows ??= words.length;
      if (words.length !== rows) throw new CommandError(`${path} line ${line} has ${words.length} numbers, the first one ${rows}`);
      if (rows > MAX_ROWS) throw new CommandError(`${path} line ${line} has ${rows} numbers: more than ${MAX_ROWS} are none of FI-2010`);
      if (!isLabel && count > columns) continue;
      const numbers = numbersOf(words, { path, line });
      if (isLabel) directions.push(directionsOf(numbers, { path, line }));
      else features.push(numbers);
    }
  }
  if (count !== FI2010_LINES || rows === null)
    throw new CommandError(
      `${path} has ${count} lines: a matrix of FI-2010 has ${FI2010_LINES}, ${FI2010_HORIZONS_MS.length} of labels below ${FI2010_FEATURES} of features`,
    );
  return { rows, features, directions };
}

interface Place {
  readonly path: string;
  readonly line: number;
}

function numbersOf(words: readonly string[], { path, line }: Place): Float64Array {
  const numbers = Float64Array.from(words, Number);
  const wrong = numbers.findIndex((value) => !Number.isFinite(value));
  if (wrong >= 0) throw new CommandError(`${path} line ${line}: number ${wrong + 1} is "${(words[wrong] ?? "").slice(0, 20)}"`);
  return numbers;
}

function directionsOf(labels: Float64Array, { path, line }: Place): Float64Array {
  return labels.map((label, index) => {
    const direction = DIRECTION_OF_LABEL.get(label);
    if (direction === undefined)
      throw new CommandError(`${path} line ${line}: label ${index + 1} is ${label}, and labels are 1 (up), 2 (flat) and 3 (down)`);
    return direction;
  });
}
