/**
 * What a model looks at: importance.json of a run, written by whoever trained something that knows (gain, splits or permutation of trees), or the
 * weights of the ridge line, which every run has.
 */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const FILE = "importance.json";
/** How much the validation loss rises when a column's values are dealt to other rows. */
export const PERMUTATION_MEASURE = "permutation: loss added";

const measure = z.strictObject({
  /** What the numbers are, e.g. "gain" or "permutation: loss added". */
  measure: z.string().max(200),
  columns: z.array(z.strictObject({ column: z.string(), value: z.number() })).max(100_000),
});

const shape = z.strictObject({ format: z.literal("edgebook-importance/2"), measures: z.array(measure).max(100) });

export type Importance = z.infer<typeof measure>;

/** One list for each way to measure it. */
export async function writeImportance(folder: string, measures: readonly Importance[]): Promise<void> {
  await writeFile(join(folder, FILE), `${JSON.stringify({ format: "edgebook-importance/2", measures }, null, 2)}\n`);
}

/** Empty where there is none, or none that can be read. */
export async function readImportance(folder: string): Promise<readonly Importance[]> {
  const text = await readFile(join(folder, FILE), "utf8").catch(() => null);
  if (text === null) return [];
  try {
    return shape.parse(JSON.parse(text)).measures;
  } catch {
    return [];
  }
}

/** Those that the model makes anything of. */
export function usedColumns({ columns }: Importance): Importance["columns"] {
  return columns.filter(({ value }) => value !== 0);
}

/** Inputs have variance 1, so the weights of one output compare. @param weights [outputs, columns], of which one output is taken. */
export function ridgeImportance(
  weights: Float64Array,
  options: { columns: readonly string[]; output: number; measure: string },
): Importance | null {
  const { columns, output, measure } = options;
  const own = weights.subarray(output * columns.length, (output + 1) * columns.length);
  if (own.length !== columns.length || own.every((weight) => weight === 0)) return null;
  return { measure, columns: columns.map((column, at) => ({ column, value: own[at] as number })) };
}
