/** With more markets than a cron run may forecast, each has its turn: one that never had would never be scored. */

import { describe, expect, it } from "vitest";
import { inTurn } from "../../workers/forecasts/in-turn.ts";

describe("markets in turn", () => {
  const all = ["a", "b", "c", "d", "e"];

  it("are all of them where they may all be asked", () => {
    expect(inTurn(all, { most: 5, turn: 3 })).toEqual(all);
  });

  it("go on where the last turn ended, and round", () => {
    expect([0, 1, 2].map((turn) => inTurn(all, { most: 2, turn }))).toEqual([
      ["a", "b"],
      ["c", "d"],
      ["e", "a"],
    ]);
  });

  it("are none where nothing may be asked", () => {
    expect(inTurn(all, { most: 0, turn: 1 })).toEqual([]);
  });
});
