/** The learning rate of each step, by numbers that were worked out by hand. */

import { describe, expect, it } from "vitest";
import { type ScheduleSettings, shareAt } from "../../../training/engine/schedule.ts";

/** Ten steps in two epochs. */
function sharesOf(schedule: ScheduleSettings): number[] {
  return Array.from({ length: 10 }, (_, step) => shareAt(schedule, { step, stepsPerEpoch: 5, totalSteps: 10 }));
}

function expectShares(schedule: ScheduleSettings, expected: readonly number[]): void {
  expect(sharesOf(schedule).map((share) => Number(share.toFixed(9)))).toEqual(expected);
}

describe("the rate's share", () => {
  it("falls in a line: a step late, and the last would stand still", () => {
    expectShares({ kind: "linear", warmupSteps: 0 }, [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1]);
  });

  it("rises from more than nothing to all in the steps of a warm-up, and falls only after it: a first step of 0 is lost", () => {
    expectShares({ kind: "linear", warmupSteps: 4 }, [0.2, 0.4, 0.6, 0.8, 1, 0.833333333, 0.666666667, 0.5, 0.333333333, 0.166666667]);
    expectShares({ kind: "constant", warmupSteps: 3 }, [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 1, 1]);
    expectShares({ kind: "plateau", warmupSteps: 1 }, [0.5, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  });

  it("falls as half a cosine does", () => {
    expectShares(
      { kind: "cosine", warmupSteps: 0 },
      [1, 0.975528258, 0.904508497, 0.793892626, 0.654508497, 0.5, 0.345491503, 0.206107374, 0.095491503, 0.024471742],
    );
    expectShares(
      { kind: "cosine", warmupSteps: 6 },
      [1, 2, 3, 4, 5, 6].map((of) => Number((of / 7).toFixed(9))).concat([1, 0.853553391, 0.5, 0.146446609]),
    );
  });

  it("of one cycle goes up and far down as PyTorch's OneCycleLR does: a rate at its height to the end would never settle", () => {
    // torch 2.13: OneCycleLR(SGD, max_lr=1, total_steps=10, cycle_momentum=False), and with 20 steps.
    expectShares(
      { kind: "one-cycle", warmupSteps: 0 },
      [0.04, 0.52, 1, 0.950484632, 0.811745654, 0.611262022, 0.388741978, 0.188258346, 0.049519368, 0.000004],
    );
    const twenty = [0, 1, 4, 5, 6, 12, 19].map((step) =>
      shareAt({ kind: "one-cycle", warmupSteps: 0 }, { step, stepsPerEpoch: 5, totalSteps: 20 }),
    );
    expect(twenty.map((share) => Number(share.toFixed(9)))).toEqual([0.04, 0.131671843, 0.908328157, 1, 0.987464006, 0.500002, 0.000004]);
    // Too few steps to rise in.
    expect([0, 1, 2].map((step) => shareAt({ kind: "one-cycle", warmupSteps: 0 }, { step, stepsPerEpoch: 3, totalSteps: 3 }))).toEqual([
      1,
      expect.closeTo(0.500002, 9),
      expect.closeTo(0.000004, 9),
    ]);
  });

  it("is cut after every so many epochs, the first time with the first step after them", () => {
    expectShares({ kind: "step", warmupSteps: 0, everyEpochs: 1, factor: 0.1 }, [1, 1, 1, 1, 1, 0.1, 0.1, 0.1, 0.1, 0.1]);
    const late = { kind: "step", warmupSteps: 0, everyEpochs: 3, factor: 0.5 } as const;
    expect([14, 15, 29, 30, 45].map((step) => shareAt(late, { step, stepsPerEpoch: 5, totalSteps: 100 }))).toEqual([
      1, 0.5, 0.5, 0.25, 0.125,
    ]);
  });

  it("of a warm-up longer than the training is still below all, and no number is missing", () => {
    expect(sharesOf({ kind: "cosine", warmupSteps: 19 })).toEqual([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5]);
  });
});
