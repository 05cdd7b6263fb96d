/** What a model eats, from what was given: its own feature set, and of it the newest rows, as many as its window. Pure. */

import { windowOf } from "../../models/shapes.ts";
import type { ModelClaims, ModelRefusal, RowSet } from "./contract.ts";
import { refuseModel } from "./refuse.ts";

/** @returns [window x columns], raw, oldest row first; rows are judged by who runs the model, apart from their number and their lengths. */
export function windowOfRows({ id, version, featureSet, input }: ModelClaims, sets: readonly RowSet[]): number[] | ModelRefusal {
  const set = sets.find(({ fingerprint }) => fingerprint === featureSet.fingerprint);
  if (set === undefined) {
    const given = sets.map(({ fingerprint }) => fingerprint).join(", ") || "none";
    return refuseModel(
      "fingerprint-mismatch",
      `${id} ${version} eats the features ${featureSet.id} ${featureSet.fingerprint}, and was given ${given}`,
    );
  }
  const window = windowOf({ input });
  if (set.rows.length < window) {
    return refuseModel("needs-a-window", `${id} ${version} eats ${window} rows of ${featureSet.id}, and was given ${set.rows.length}`);
  }
  const rows = set.rows.slice(-window);
  const columns = featureSet.columns.length;
  const wrong = rows.find((row) => row.length !== columns);
  if (wrong !== undefined)
    return refuseModel("shape-mismatch", `a row of ${featureSet.id} has ${columns} numbers, this one ${wrong.length}`);
  return rows.flat();
}
