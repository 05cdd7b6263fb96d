/** What the validation rows came to, of one output. */

import type { CombinationTask } from "./combination.ts";

export interface KnownTargets {
  /** Cells of the members' forecasts [validation rows, outputs] that have a move. */
  readonly cells: Uint32Array;
  /** [cells] bps */
  readonly moves: Float64Array;
}

export function targetsOf({ data, validation }: Pick<CombinationTask, "data" | "validation">, output: number): KnownTargets {
  const outputs = data.columns.length;
  const known = Uint32Array.from(validation, (_, at) => at).filter((at) => data.mask[(validation[at] as number) * outputs + output] === 1);
  return {
    cells: known.map((at) => at * outputs + output),
    moves: Float64Array.from(known, (at) => data.targets[(validation[at] as number) * outputs + output] as number),
  };
}
