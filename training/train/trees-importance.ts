/** What the ensembles of a run look at, by gain, by splits and by permutation on validation rows: means over all of them. */

import type { ModelOutput } from "../../models/contract.ts";
import type { Progress } from "../progress.ts";
import type { TreeEnsemble } from "../trees/contract.ts";
import { permutationImportance, splitImportance } from "../trees/importance.ts";
import { evenly } from "./baseline-line.ts";
import type { PreparedRows } from "./contract.ts";
import { askedOf, treeRows } from "./fit-trees.ts";
import { type Importance, PERMUTATION_MEASURE } from "./run-importance.ts";

/** Each column that is asked for costs an answer of every tree to every row: some seconds of them in all, and never fewer rows than tell something. */
const MOST_STEPS = 60_000_000;
const FEWEST_ROWS = 200;

export interface TreesImportanceOptions {
  readonly output: ModelOutput;
  readonly columns: readonly string[];
  readonly seed: number;
  readonly progress: Progress;
}

/** Empty where no tree asks for anything. */
export function treesImportance(
  ensembles: readonly (TreeEnsemble | null)[],
  validation: PreparedRows,
  { output, columns, seed, progress }: TreesImportanceOptions,
): Importance[] {
  const asked = askedOf(output);
  const present = ensembles.flatMap((ensemble, index) => (ensemble === null ? [] : [{ ensemble, asked: asked[index] }]));
  const gain = new Float64Array(columns.length);
  const splits = new Float64Array(columns.length);
  const rise = new Float64Array(columns.length);
  const rows = evenly(validation, rowsWithin(present.map(({ ensemble }) => ensemble)));
  progress.start("what each column is worth", present.length);
  for (const [index, { ensemble, asked: one }] of present.entries()) {
    if (one === undefined) continue;
    const own = splitImportance(ensemble);
    const all = own.gain.reduce((sum, value) => sum + value, 0);
    const known = treeRows(rows, one);
    const dealt = known.rows === 0 || all === 0 ? null : permutationImportance(ensemble, known, { seed, repeats: 1 });
    for (let column = 0; column < columns.length; column++) {
      gain[column] = (gain[column] as number) + (all > 0 ? (own.gain[column] as number) / all : 0) / present.length;
      splits[column] = (splits[column] as number) + (own.splits[column] as number);
      rise[column] = (rise[column] as number) + (dealt?.rise[column] ?? 0) / present.length;
    }
    progress.update(index + 1);
  }
  progress.stop();
  if (splits.every((count) => count === 0)) return [];
  const listed = (values: Float64Array): Importance["columns"] => columns.map((column, at) => ({ column, value: values[at] as number }));
  return [
    { measure: "share of the gain", columns: listed(gain) },
    { measure: "splits", columns: listed(splits) },
    { measure: PERMUTATION_MEASURE, columns: listed(rise) },
  ];
}

function rowsWithin(ensembles: readonly TreeEnsemble[]): number {
  const steps = ensembles.reduce((sum, ensemble) => {
    const used = splitImportance(ensemble).splits.filter((count) => count > 0).length;
    return sum + used * ensemble.trees.length;
  }, 0);
  return Math.max(FEWEST_ROWS, Math.floor(MOST_STEPS / Math.max(1, steps)));
}
