/**
 * The last move over each horizon that had ended when a row was answered: that of the row one horizon before it, of the same market, where that row is
 * there and has one. It looks at targets, and at no price behind the row.
 */

import type { AlignedData } from "./aligned-data.ts";
import type { EndedMoves } from "./contract.ts";

export function endedMoves(data: AlignedData): EndedMoves {
  const { columns, targets, mask } = data;
  const outputs = columns.length;
  const ended = { moves: new Float32Array(targets.length), mask: new Uint8Array(targets.length) };
  const horizons = [...new Set(columns.map(({ horizonMs }) => horizonMs))];
  for (const horizonMs of horizons) {
    const members = columns.flatMap((column, output) => (column.horizonMs === horizonMs ? [output] : []));
    const before = rowsBefore(data, horizonMs);
    for (const [row, then] of before.entries()) {
      if (then < 0) continue;
      for (const output of members) {
        if (mask[then * outputs + output] === 0) continue;
        ended.moves[row * outputs + output] = targets[then * outputs + output] as number;
        ended.mask[row * outputs + output] = 1;
      }
    }
  }
  return ended;
}

/** [rows] the row of the same market and part so much earlier; -1: there is none. Rows of a part are in order of time. */
function rowsBefore({ main, rows, times }: AlignedData, ms: number): Int32Array {
  const before = new Int32Array(rows).fill(-1);
  const partOf = (row: number): number => main.dataset.parts[main.rows[row] as number] as number;
  let then = 0;
  for (let row = 0; row < rows; row++) {
    const wanted = (times[row] as number) - ms;
    while (then < row && (partOf(then) !== partOf(row) || (times[then] as number) < wanted)) then++;
    if (then < row && times[then] === wanted && partOf(then) === partOf(row)) before[row] = then;
  }
  return before;
}
