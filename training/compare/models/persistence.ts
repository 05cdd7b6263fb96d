/** "The price stays", and "the last move comes once more": what costs nothing to say. */

import type { ComparedModel, FittedModel, ModelTask } from "../contract.ts";

/** No move. R² is measured against it, so its own is 0. */
export const persistence: ComparedModel = {
  id: "persistence",
  kind: "baseline",
  title: "the price stays",
  reads: null,
  window: 1,
  settings: {},
  refusal: () => null,
  fit: async (task) => fitted(task, () => 0),
};

/** The move that has just ended, over the same horizon; no move where none is known. */
export const lastLabel: ComparedModel = {
  id: "last-label",
  kind: "baseline",
  title: "the last move that was fully known, again",
  reads: null,
  window: 1,
  settings: {},
  refusal: () => null,
  fit: async (task) => fitted(task, (cell) => task.ended.moves[cell] as number),
};

function fitted({ data, validation, test }: ModelTask, answer: (cell: number) => number): FittedModel {
  const outputs = data.columns.length;
  const of = (rows: Uint32Array): Float32Array =>
    Float32Array.from({ length: rows.length * outputs }, (_, at) =>
      answer((rows[Math.floor(at / outputs)] as number) * outputs + (at % outputs)),
    );
  return { validation: of(validation), test: of(test), configurations: 1, isRefitted: false, notes: [], served: null };
}
