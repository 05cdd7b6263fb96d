/** The plain mean of all members: it chooses nothing, so nothing of it is luck. */

import type { Combination, CombinationTask, Forecasts } from "./combination.ts";

export const mean: Combination = {
  id: "mean",
  title: "the mean of all lines, trees and networks",
  settings: {},
  combine: ({ members }: CombinationTask) => ({
    validation: meanOf(members, "validation"),
    test: meanOf(members, "test"),
    configurations: 1,
    notes: [`of ${members.map(({ id }) => id).join(", ")}`],
  }),
};

function meanOf(members: readonly Forecasts[], part: "validation" | "test"): Float32Array {
  const length = members[0]?.[part].length ?? 0;
  return Float32Array.from(
    { length },
    (_, cell) => members.reduce((sum, member) => sum + (member[part][cell] as number), 0) / members.length,
  );
}
