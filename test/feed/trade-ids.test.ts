/** A trade counted twice is volume that never was; a hole among ids that nobody sees is volume lost without a word. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TradeIds } from "../../feed/trade-ids.ts";

const missingOf = (ids: TradeIds, given: readonly number[]): number[] => given.map((id) => ids.add(id).missing);
const newOf = (ids: TradeIds, given: readonly number[]): boolean[] => given.map((id) => ids.add(id).isNew);

describe("ids that count up by one", () => {
  it("show how many trades are missing before each", () => {
    const ids = new TradeIds("consecutive");
    expect(missingOf(ids, [7, 8, 10, 11, 15])).toEqual([0, 0, 1, 0, 3]);
  });

  it("say nothing of what was before the first", () => {
    expect(new TradeIds("consecutive").add(900_000)).toEqual({ isNew: true, missing: 0 });
  });

  it("show no loss where one is sent twice or comes late, and none after it that isn't there", () => {
    const ids = new TradeIds("consecutive");
    expect(missingOf(ids, [7, 9, 8, 9, 8, 10])).toEqual([0, 1, 0, 0, 0, 0]);
  });

  it("show what was missed between two connections", () => {
    const ids = new TradeIds("consecutive");
    ids.add(7);
    ids.clear();
    expect(ids.add(12)).toEqual({ isNew: true, missing: 4 });
  });

  it("count the last trade once, also where a venue sends it again as the next connection begins", () => {
    const ids = new TradeIds("consecutive");
    expect(newOf(ids, [6, 7])).toEqual([true, true]);
    ids.clear();
    expect(newOf(ids, [7, 8])).toEqual([false, true]);
  });

  it("that a venue counts anew on another connection are new trades", () => {
    const ids = new TradeIds("consecutive");
    expect(newOf(ids, [6, 7, 8])).toEqual([true, true, true]);
    ids.clear();
    expect(newOf(ids, [6, 7])).toEqual([true, true]);
  });

  it("leap by ten million at most: a larger leap is no such loss, and neither it nor a new count from the bottom ends the watch", () => {
    const ids = new TradeIds("consecutive");
    expect(missingOf(ids, [1, 10_000_002])).toEqual([0, 10_000_000]);
    expect(missingOf(ids, [20_000_004])).toEqual([0]);
    expect(missingOf(ids, [20_000_005, 20_000_007])).toEqual([0, 1]);
    // The venue counts anew.
    expect(missingOf(ids, [3, 4, 6])).toEqual([0, 0, 1]);
    // One absurd id, and back.
    expect(missingOf(ids, [Number.MAX_SAFE_INTEGER, 7, 9])).toEqual([0, 0, 1]);
  });

  it("come late by ten million at most, and move nothing: what follows the last one is still next", () => {
    for (const late of [899_999_999, 890_000_000]) {
      const ids = new TradeIds("consecutive");
      expect(missingOf(ids, [900_000_000, late, 900_000_001])).toEqual([0, 0, 0]);
    }
    // From further down it is a new count.
    expect(missingOf(new TradeIds("consecutive"), [900_000_000, 889_999_999, 890_000_001])).toEqual([0, 0, 1]);
  });

  it("add up: what is new and what is missing are all ids from the first to the last", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 400 }), (steps) => {
        const ids = new TradeIds("consecutive");
        let id = 1_000;
        let found = ids.add(id).isNew ? 1 : 0;
        for (const step of steps) {
          id += step;
          const { isNew, missing } = ids.add(id);
          found += (isNew ? 1 : 0) + missing;
        }
        expect(found).toBe(id - 1_000 + 1);
      }),
    );
  });
});

describe("ids in no order", () => {
  it("show no loss, whatever they are", () => {
    expect(missingOf(new TradeIds("unordered"), [7, 900, 3, 12])).toEqual([0, 0, 0, 0]);
  });

  it("count once, five hundred trades later still, and again on another connection", () => {
    const ids = new TradeIds("unordered");
    const given = Array.from({ length: 512 }, (_, index) => 1_000 - index);
    expect(newOf(ids, given)).not.toContain(false);
    expect(ids.add(1_000).isNew).toBe(false);
    expect(ids.add(489).isNew).toBe(false);
    expect(ids.add(5).isNew).toBe(true);
    expect(ids.add(1_000).isNew).toBe(true);
    ids.clear();
    expect(ids.add(5).isNew).toBe(true);
  });
});
