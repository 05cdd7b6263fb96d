/** What a model eats, from what was given: its own feature set, and of it the newest rows, as many as its window. Pure. */

import { windowOf } from "../../models/shapes.ts";
import type { ModelClaims, ModelRefusal, RowSet } from "./contract.ts";
import { refuseModel } from "./refuse.ts";

/** @returns [window x columns], raw, oldest row first, where they lie; numbers are judged by who runs the model, here only how many they are. */
export function windowOfRows({ id, version, featureSet, input }: ModelClaims, sets: readonly RowSet[]): Float64Array | ModelRefusal {
  const set = sets.find(({ fingerprint }) => fingerprint === featureSet.fingerprint);
  if (set === undefined) {
    const given = sets.map(({ fingerprint }) => fingerprint).join(", ") || "none";
    return refuseModel(
      "fingerprint-mismatch",
      `${id} ${version} eats the features ${featureSet.id} ${featureSet.fingerprint}, and was given ${given}`,
    );
  }
  const columns = featureSet.columns.length;
  const given = set.rows.length / columns;
  // A feed that was deployed before this Worker may give them in another shape.
  if (!(set.rows instanceof Float64Array) || set.columns !== columns || !Number.isInteger(given))
    return refuseModel(
      "shape-mismatch",
      `a row of ${featureSet.id} has ${columns} numbers, these ${set.rows.length} are in rows of ${set.columns}`,
    );
  const window = windowOf({ input });
  if (given < window)
    return refuseModel("needs-a-window", `${id} ${version} eats ${window} rows of ${featureSet.id}, and was given ${given}`);
  return set.rows.subarray((given - window) * columns);
}
