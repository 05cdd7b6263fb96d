/** The same rows with the moves of some horizons alone: what isn't asked for is neither fitted nor scored. */

import { CommandError } from "../command-error.ts";
import type { AlignedData } from "./aligned-data.ts";

/** @param horizonsMs none: all. */
export function onlyHorizons(data: AlignedData, horizonsMs: readonly number[]): AlignedData {
  if (horizonsMs.length === 0) return data;
  const unknown = horizonsMs.find((wanted) => !data.columns.some(({ horizonMs }) => horizonMs === wanted));
  if (unknown !== undefined) throw new CommandError(`the data have no moves over ${unknown / 1_000} s: they have ${toldHorizons(data)}`);
  const kept = data.columns.flatMap(({ horizonMs }, output) => (horizonsMs.includes(horizonMs) ? [output] : []));
  const outputs = data.columns.length;
  const cell = (at: number): number => Math.floor(at / kept.length) * outputs + (kept[at % kept.length] as number);
  const length = data.rows * kept.length;
  return {
    ...data,
    columns: kept.map((output) => data.columns[output] as AlignedData["columns"][number]),
    targets: Float32Array.from({ length }, (_, at) => data.targets[cell(at)] as number),
    mask: Uint8Array.from({ length }, (_, at) => data.mask[cell(at)] as number),
  };
}

export function toldHorizons({ columns }: Pick<AlignedData, "columns">): string {
  return [...new Set(columns.map(({ horizonMs }) => `${horizonMs / 1_000} s`))].join(", ");
}
