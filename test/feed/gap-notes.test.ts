/** A loss that nothing can heal has to be in the ledger all the same, and must not close or hide the gap that is open beside it. */

import { describe, expect, it } from "vitest";
import type { Channel } from "../../exchanges/contract.ts";
import type { GapRecord } from "../../feed/contract.ts";
import { GapTracker } from "../../feed/gap-tracker.ts";

const FROM = Date.UTC(2026, 0, 5, 12);
const DAY = 86_400_000;
const NOTE = { from: FROM, to: FROM + 5, reason: "lost-trades", detail: "3 trade(s) before 9 never came" } as const;

describe("a gap that is noted", () => {
  it("is over as it is found, and counts as one of its day", () => {
    const tracker = new GapTracker("scripted:AAA", "trades");
    tracker.note(NOTE);
    expect(tracker.takeChanges()).toEqual([
      { ...NOTE, id: `scripted:AAA/trades/${FROM}/lost-trades`, market: "scripted:AAA", channel: "trades", action: "noted" },
    ]);
    expect(tracker.current).toBeNull();
    expect(tracker.count24h(FROM + DAY)).toBe(1);
    expect(tracker.count24h(FROM + DAY + 1)).toBe(0);
  });

  it("leaves the gap that is open as it is", () => {
    const tracker = new GapTracker("scripted:AAA", "trades");
    tracker.begin(FROM - 100, "stale", "silent");
    const open = tracker.current;
    tracker.note(NOTE);
    expect(tracker.current).toBe(open);
    tracker.end(FROM + 200);
    expect(tracker.takeChanges()).toMatchObject([
      { reason: "lost-trades", action: "noted" },
      { reason: "stale", to: FROM + 200, detail: "silent", action: "resubscribed" },
    ]);
  });

  it("is another one than the next, though both begin in one millisecond for one reason: one row would hide the other", () => {
    const noted = (): GapRecord[] => {
      const tracker = new GapTracker("scripted:AAA", "trades");
      tracker.note(NOTE);
      tracker.note({ ...NOTE, to: FROM + 9, detail: "1 trade(s) before 12 never came" });
      return tracker.takeChanges();
    };
    const id = `scripted:AAA/trades/${FROM}/lost-trades`;
    expect(noted().map((gap) => [gap.id, gap.to])).toEqual([
      [id, FROM + 5],
      [`${id}/2`, FROM + 9],
    ]);
    // Found again, they are the same: written twice each is one row.
    expect(noted()).toEqual(noted());
  });

  it("begun where one has just ended is a gap of its own: under the id of the closed one the ledger would never take it", () => {
    const tracker = new GapTracker("scripted:AAA");
    tracker.begin(FROM, "sequence-gap", "the first");
    tracker.end(FROM);
    tracker.begin(FROM, "sequence-gap", "the second");
    const id = `scripted:AAA/depth/${FROM}/sequence-gap`;
    expect(tracker.takeChanges().map((gap) => [gap.id, gap.to])).toEqual([
      [id, FROM],
      [`${id}/2`, null],
    ]);
  });

  it("begun after one that an earlier process left open, at the same time and for the same reason, is another", () => {
    const tracker = new GapTracker("scripted:AAA");
    tracker.begin(FROM, "restarted", "the first");
    const next = new GapTracker("scripted:AAA");
    next.resume(tracker.current as GapRecord);
    next.end(FROM + 3);
    next.begin(FROM, "restarted", "the second");
    expect(next.current?.id).toBe(`scripted:AAA/depth/${FROM}/restarted/2`);
  });

  it("is forgotten, oldest first, where nobody takes what is noted: five thousand are kept, of the count a thousand", () => {
    const tracker = new GapTracker("scripted:AAA", "trades");
    for (let index = 0; index <= 5_000; index++) tracker.note({ ...NOTE, from: FROM + index });
    const kept = tracker.takeChanges();
    expect(kept).toHaveLength(5_000);
    expect(kept[0]?.from).toBe(FROM + 1);
    expect(tracker.count24h(FROM + 5_000)).toBe(1_000);
    expect(tracker.takeChanges()).toEqual([]);
  });
});

describe("what has ended a gap", () => {
  it.each([
    ["depth", "stale", "depth", "resynced"],
    ["trades", "stale", "trades", "resubscribed"],
    ["quotes", "stale", "quotes", "resubscribed"],
    ["depth", "connection-down", "connection", "reconnected"],
  ] as const)("of %s for the reason %s is said of its channel: %s, %s", (of: Channel, reason, channel, action) => {
    const tracker = new GapTracker("scripted:AAA", of);
    tracker.begin(FROM, reason, "as told");
    tracker.end(FROM + 7);
    expect(tracker.takeChanges()).toEqual([
      {
        id: `scripted:AAA/${channel}/${FROM}/${reason}`,
        market: "scripted:AAA",
        channel,
        from: FROM,
        to: FROM + 7,
        reason,
        detail: "as told",
        action,
      },
    ]);
    tracker.end(FROM + 8);
    expect(tracker.takeChanges()).toEqual([]);
  });
});

describe("the gaps of a day", () => {
  it("are counted by their starts, whether begun or noted, and trouble during one is no other", () => {
    const tracker = new GapTracker("scripted:AAA");
    tracker.begin(FROM, "stale", "first");
    tracker.begin(FROM + 10, "stale", "trouble");
    tracker.end(FROM + 20);
    tracker.note({ ...NOTE, from: FROM + 30 });
    tracker.begin(FROM + 40, "stale", "second");
    tracker.end(FROM + 50);
    expect(tracker.recentStarts).toEqual([FROM, FROM + 30, FROM + 40]);
    expect(tracker.countSince(FROM + 30)).toBe(2);
    // The second had no trouble of its own.
    expect(tracker.takeChanges().map(({ detail }) => detail)).toEqual([
      "first; 1 further trouble(s) before it was whole",
      NOTE.detail,
      "second",
    ]);
  });

  it("are remembered over a restart, a hundred of them, before those of the new process", () => {
    const tracker = new GapTracker("scripted:AAA");
    for (let index = 0; index < 150; index++) tracker.note({ ...NOTE, from: FROM + index });
    const next = new GapTracker("scripted:AAA");
    next.note({ ...NOTE, from: FROM + 200 });
    next.remember(tracker.recentStarts);
    expect(next.countSince(0)).toBe(101);
    expect(next.countSince(FROM + 50)).toBe(101);
    expect(next.countSince(FROM + 51)).toBe(100);
    expect(next.recentStarts.at(-1)).toBe(FROM + 200);
  });

  it("are a thousand at most, the newest", () => {
    const tracker = new GapTracker("scripted:AAA");
    for (let index = 0; index < 1_200; index++) {
      tracker.begin(FROM + index, "stale", "as told");
      tracker.end(FROM + index);
    }
    expect(tracker.countSince(0)).toBe(1_000);
    expect(tracker.countSince(FROM + 200)).toBe(1_000);
    expect(tracker.countSince(FROM + 201)).toBe(999);
    tracker.remember(Array.from({ length: 500 }, () => FROM));
    expect(tracker.countSince(0)).toBe(1_000);
  });
});
