/**
 * Where a model's skill lies: the mid's scores by hour of the day, and in quiet, usual and wild hours by volatility and by spread. Thirds are those of
 * the fit rows, so that which row is wild doesn't hang on the rows that are scored.
 */

import { quantile } from "../../../core/math/quantile.ts";
import { directionScore } from "../../../core/metrics/direction.ts";
import { r2AgainstPersistence } from "../../../core/metrics/r2.ts";
import type { Dataset } from "../../datasets/dataset-reader.ts";
import { eachFeatureRow } from "../../datasets/feature-rows.ts";
import type { AlignedData } from "../aligned-data.ts";
import type { Fold } from "../folds.ts";
import type { ScoredCells } from "./scored-cells.ts";

export type SlicedBy = "hour" | "volatility" | "spread";

export interface SliceScore {
  readonly by: SlicedBy;
  /** "13" of hours (UTC), "low", "middle" or "high". */
  readonly slice: string;
  readonly horizonMs: number;
  readonly rows: number;
  readonly r2: number;
  readonly directionHitRate: number | null;
}

export interface Slicing {
  readonly by: SlicedBy;
  readonly names: readonly string[];
  /** Which of the names a row of the data belongs to, in a fold. */
  nameOf(row: number, fold: number): string;
}

const THIRDS = ["low", "middle", "high"] as const;
const COLUMNS: readonly { readonly by: SlicedBy; readonly column: RegExp }[] = [
  { by: "volatility", column: /^realised_volatility_\d+s$/ },
  { by: "spread", column: /^spread_bps$/ },
];

/** Those that the data's columns allow. */
export function slicingsOf(data: AlignedData, folds: readonly Fold[]): Slicing[] {
  const { dataset, rows } = data.main;
  const names = dataset.card.featureSet.columns;
  const byColumn = COLUMNS.flatMap(({ by, column }): Slicing[] => {
    const place = names.findIndex((name) => column.test(name));
    if (place < 0) return [];
    const values = columnOf(dataset, place);
    const value = (row: number): number => values[rows[row] as number] as number;
    const edges = folds.map(({ fit }) => {
      const known = Float64Array.from(fit, value);
      return [quantile(known, 1 / 3) ?? 0, quantile(known, 2 / 3) ?? 0] as const;
    });
    return [
      {
        by,
        names: THIRDS,
        nameOf(row, fold) {
          const [low, high] = edges[fold] as readonly [number, number];
          return value(row) <= low ? "low" : value(row) <= high ? "middle" : "high";
        },
      },
    ];
  });
  const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));
  return [{ by: "hour", names: hours, nameOf: (row) => hours[new Date(data.times[row] as number).getUTCHours()] as string }, ...byColumn];
}

/** [rows of the dataset] */
function columnOf(dataset: Dataset, column: number): Float64Array {
  const values = new Float64Array(dataset.rows);
  const all = Uint32Array.from(values, (_, row) => row);
  eachFeatureRow(dataset, all, (raw, offset, row) => {
    values[row] = raw[offset + column] as number;
  });
  return values;
}

/** Of one output's forecasts. Slices without a move are left out. */
export function scoreSlices(
  slicings: readonly Slicing[],
  { cells, predicted, horizonMs }: { cells: ScoredCells; predicted: Float64Array; horizonMs: number },
): SliceScore[] {
  return slicings.flatMap(({ by, names, nameOf }) => {
    const members = new Map<string, number[]>(names.map((name) => [name, []]));
    for (const [at, row] of cells.rowOf.entries()) members.get(nameOf(row, cells.foldOf[at] as number))?.push(at);
    return names.flatMap((slice) => {
      const own = members.get(slice) ?? [];
      const rows = {
        actual: Float64Array.from(own, (at) => cells.moves[at] as number),
        predicted: Float64Array.from(own, (at) => predicted[at] as number),
      };
      const r2 = r2AgainstPersistence(rows);
      return r2 === null ? [] : [{ by, slice, horizonMs, rows: own.length, r2, directionHitRate: directionScore(rows).hitRate }];
    });
  });
}
