/**
 * The median of all members (Stock and Watson 2004, "Combination forecasts of output growth in a seven-country data set"): it chooses nothing either, and
 * one member that has gone wild moves it no more than one that is a little off.
 */

import { quantile } from "../../../core/math/quantile.ts";
import type { Combination, CombinationTask, Forecasts } from "./combination.ts";

export const median: Combination = {
  id: "median",
  title: "the median of all lines, trees and networks",
  settings: {},
  combine: ({ members }: CombinationTask) => ({
    validation: medianOf(members, "validation"),
    test: medianOf(members, "test"),
    configurations: 1,
    notes: [`of ${members.map(({ id }) => id).join(", ")}`],
  }),
};

function medianOf(members: readonly Forecasts[], part: "validation" | "test"): Float32Array {
  const length = members[0]?.[part].length ?? 0;
  return Float32Array.from(
    { length },
    (_, cell) =>
      quantile(
        members.map((member) => member[part][cell] as number),
        0.5,
      ) ?? 0,
  );
}
