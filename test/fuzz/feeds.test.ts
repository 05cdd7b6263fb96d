/**
 * What no frame may do: throw, be read as something that it doesn't say, leave a wrong book that looks whole, or keep a market from ever having one
 * again. Each venue's valid sessions are broken by seed and run through the whole feed (run.ts says what is held).
 */

import { describe, expect, it } from "vitest";
import { adapters } from "../../exchanges/registry.ts";
import { fuzz } from "./fuzz.ts";
import { fuzzChanges, fuzzSeed } from "./settings.ts";
import { fuzzVenues } from "./venues.ts";

const HOUR = 3_600_000;
/** Below it the rarest kinds come too seldom to be counted on. */
const COUNTED_FROM = 20_000;

it("holds every venue of the registry: one that is added without an entry here would go untested", () => {
  expect(fuzzVenues.map(({ adapter }) => adapter.venue).toSorted()).toEqual(adapters.map(({ venue }) => venue).toSorted());
});

describe.each(fuzzVenues.map((venue) => [venue.adapter.venue, venue] as const))("%s", (_, venue) => {
  it("shows no book that is not the venue's, whatever is sent", { timeout: HOUR }, () => {
    const { runs, faults, probed, changed, same, compared, gaveUp, trueAtEnd } = fuzz(venue, { seed: fuzzSeed, changes: fuzzChanges });
    expect(faults + probed).toBeGreaterThanOrEqual(fuzzChanges);
    expect(Object.getOwnPropertyNames({})).toEqual([]);
    expect("polluted" in {}).toBe(false);
    if (fuzzChanges < COUNTED_FROM) return;
    // A suite that is refused at the door proves nothing: every kind of reading has to come, and books to be compared. The rarest, control on the
    // futures, is 1 of 240 of any seed; half of that is held.
    const least = Math.floor(fuzzChanges / 500);
    for (const [kind, count] of Object.entries(changed)) expect(count, `changed texts read as ${kind}`).toBeGreaterThan(least);
    expect(changed.events, "changed texts that were believed").toBeGreaterThan(fuzzChanges / 20);
    expect(same.read, "texts written another way").toBeGreaterThan(least);
    expect(gaveUp, "books given up").toBeGreaterThan(least);
    expect(trueAtEnd, "books compared with the true one").toBeGreaterThan(runs);
    expect(compared, "books compared with the naive one").toBeGreaterThan(runs * 10);
  });
});
