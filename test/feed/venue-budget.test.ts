/** What one address may ask of a venue: who asks for more is refused, and then banned, with all of its feeds. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { adapters } from "../../exchanges/registry.ts";
import { VenueBudget } from "../../feed/session/venue-budget.ts";

const HOUR = 3_600_000;
const START = 1_000_000;
const HOURLY = { weightPerMinute: 1_000, dials: { most: 60, withinMs: HOUR } } as const;

describe("the weight of requests", () => {
  it("counts what others behind the same address have used, for a minute from when the venue said so", () => {
    const budget = new VenueBudget(HOURLY);
    budget.spend(10_000, 100);
    budget.told(10_000, 700);
    expect([budget.mayAsk(20_000, 200), budget.mayAsk(20_000, 201)]).toEqual([true, false]);
    expect([budget.mayAsk(70_001, 900), budget.mayAsk(70_001, 901)]).toEqual([true, true]);
    budget.spend(70_001, 1);
    expect(budget.mayAsk(70_002, 900)).toBe(false);
  });
});

describe("dials", () => {
  it("are 27 at once of 60 an hour, then one each two minutes and a little: nobody waits an hour for the venue to come back", () => {
    const budget = new VenueBudget(HOURLY);
    for (let dial = 0; dial < 27; dial++) {
      expect(budget.dialAt("needed")).toBeLessThanOrEqual(START);
      budget.dialled(START);
    }
    expect(budget.dialAt("needed")).toBe(START + 133_334);
    budget.dialled(START + 133_334);
    expect(budget.dialAt("needed")).toBe(START + 266_668);
    // Two hours later all are there again.
    expect(budget.dialAt("needed")).toBeLessThan(START + 2 * HOUR);
  });

  it("beside a connection that there is leave half to those that have none: an audit is no reason for an outage", () => {
    const budget = new VenueBudget(HOURLY);
    for (let dial = 0; dial < 14; dial++) {
      expect(budget.dialAt("spare")).toBeLessThanOrEqual(START);
      budget.dialled(START);
    }
    expect(budget.dialAt("spare")).toBe(START + 133_334);
    expect(budget.dialAt("needed")).toBeLessThanOrEqual(START);
  });

  it("wait for as long as the venue wants to be left alone, like requests", () => {
    const budget = new VenueBudget(HOURLY);
    budget.hold(START + 7_000);
    expect([budget.dialAt("needed"), budget.dialAt("spare"), budget.mayAsk(START + 6_999, 1)]).toEqual([
      START + 7_000,
      START + 7_000,
      false,
    ]);
  });

  it.each(adapters.map((adapter) => [adapter.venue, adapter.limits] as const))(
    "of %s are never more in any of its windows than it allows, whoever wants how many when",
    (_, limits) => {
      const { most, withinMs } = limits.dials;
      fc.assert(
        fc.property(
          fc.array(fc.record({ afterMs: fc.nat({ max: withinMs }), wanted: fc.nat({ max: 2 * most }) }), { minLength: 1, maxLength: 6 }),
          (storms) => {
            const budget = new VenueBudget(limits);
            const times: number[] = [];
            let now = START;
            for (const { afterMs, wanted } of storms) {
              now += afterMs;
              for (let dial = 0; dial < wanted; dial++) {
                now = Math.max(now, budget.dialAt("needed"));
                budget.dialled(now);
                times.push(now);
              }
            }
            // As many as are allowed, and one more: they span more than a window.
            for (let at = most; at < times.length; at++)
              expect((times[at] ?? 0) - (times[at - most] ?? 0)).toBeGreaterThanOrEqual(withinMs);
          },
        ),
        { numRuns: 30 },
      );
    },
  );
});
