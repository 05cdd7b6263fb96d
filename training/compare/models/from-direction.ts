/**
 * Moves of whoever says directions: its lean (how much likelier up is than down) times a number of each output, by least squares through 0 on the fit rows.
 * So a model of classes stands in the same table, and has not seen a row more.
 */

import type { AlignedData } from "../aligned-data.ts";

/** @param leans [rows, outputs] of `rows`, up less down. @returns [outputs] bps a unit of lean; 0 where nothing leans. */
export function fitLeans({ targets, mask, columns }: AlignedData, rows: Uint32Array, leans: Float32Array): number[] {
  const outputs = columns.length;
  return columns.map((_, output) => {
    let [products, squares] = [0, 0];
    for (const [at, row] of rows.entries()) {
      if (mask[row * outputs + output] === 0) continue;
      const lean = leans[at * outputs + output] as number;
      products += lean * (targets[row * outputs + output] as number);
      squares += lean * lean;
    }
    return squares > 0 ? products / squares : 0;
  });
}

/** [rows, outputs] bps */
export function movesOfLeans(leans: Float32Array, perLean: readonly number[]): Float32Array {
  return leans.map((lean, cell) => lean * (perLean[cell % perLean.length] as number));
}
