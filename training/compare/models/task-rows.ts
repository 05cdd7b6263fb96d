/** The rows of a task, prepared: twice over where a model is fitted again on fit and validation rows together. */

import { CommandError } from "../../command-error.ts";
import { TARGET_CLIP } from "../../train/run-rows.ts";
import type { AlignedData, AlignedSet } from "../aligned-data.ts";
import type { ModelTask } from "../contract.ts";
import { fitPreparation, type MemoryRows, type Preparation, prepareAligned, prepareTable } from "../prepared.ts";

export interface PreparedTask {
  readonly set: AlignedSet;
  readonly preparation: Preparation;
  /** Of all rows of the set, where windows are cut out of it. */
  readonly table?: Float32Array;
  readonly train: MemoryRows;
  readonly validation: MemoryRows;
}

export interface RefitRows {
  readonly set: AlignedSet;
  readonly preparation: Preparation;
  /** Fit and validation rows. */
  readonly train: MemoryRows;
  readonly test: MemoryRows;
}

/** The set that a model reads. Throws CommandError where the data lack it: `refusal` says so before. */
export function setFor(data: AlignedData, reads: string | null): AlignedSet {
  const set = reads === null ? data.main : data.sets.get(reads);
  if (set === undefined) throw new CommandError(missingSet(reads ?? "") ?? "");
  return set;
}

/** Null: there is such a set. */
export function refusalOfSet(data: AlignedData, reads: string | null): string | null {
  return reads === null || data.sets.has(reads) ? null : missingSet(reads);
}

function missingSet(reads: string): string {
  return `it reads the features ${reads}: add a dataset of them, made from the same events, with another --data`;
}

export function prepareTask({ data, fit, validation }: ModelTask, model: { reads: string | null; window: number }): PreparedTask {
  const set = setFor(data, model.reads);
  const preparation = fitPreparation(data, set, fit);
  const table = model.window === 1 ? {} : { table: prepareTable(set, preparation) };
  const wanted = { preparation, window: model.window, ...table };
  return {
    set,
    preparation,
    ...table,
    train: prepareAligned(data, set, fit, { ...wanted, targetClip: TARGET_CLIP }),
    validation: prepareAligned(data, set, validation, wanted),
  };
}

/** All that was known before the test rows, and these; statistics are of the former. */
export function prepareRefit({ data, fit, validation, test }: ModelTask, model: { reads: string | null; window: number }): RefitRows {
  const set = setFor(data, model.reads);
  const known = Uint32Array.from([...fit, ...validation]).sort();
  const preparation = fitPreparation(data, set, known);
  const table = model.window === 1 ? {} : { table: prepareTable(set, preparation) };
  const wanted = { preparation, window: model.window, ...table };
  return {
    set,
    preparation,
    train: prepareAligned(data, set, known, { ...wanted, targetClip: TARGET_CLIP }),
    test: prepareAligned(data, set, test, wanted),
  };
}

/** The test rows as the fit rows' statistics make them: for who isn't fitted again. */
export function prepareTest({ data, test }: ModelTask, { set, preparation, table }: PreparedTask, window: number): MemoryRows {
  return prepareAligned(data, set, test, { preparation, window, ...(table === undefined ? {} : { table }) });
}
