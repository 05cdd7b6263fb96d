/** Trades that stop while the book goes on are volume that reads as 0; a quiet market that is taken for a dead one is resubscribed to without end. */

import { describe, expect, it } from "vitest";
import { ChannelWatch } from "../../feed/channel-watch.ts";
import { GapTracker } from "../../feed/gap-tracker.ts";

const START = Date.UTC(2026, 0, 5, 12);
const BOUND = 10_000;
const HOUR = 3_600_000;

function watch(channel: "trades" | "quotes" = "trades"): ChannelWatch {
  return new ChannelWatch(new GapTracker("scripted:AAA", channel), BOUND);
}

/** Heard `count` times from START on. @returns when last. */
function heardEach(channel: ChannelWatch, everyMs: number, count: number): number {
  for (let index = 0; index < count; index++) channel.heard(START + index * everyMs);
  return START + (count - 1) * everyMs;
}

describe("a channel's own pace", () => {
  it("excuses twenty of its mean intervals", () => {
    const channel = watch();
    heardEach(channel, 1_000, 60);
    expect(channel.staleAfterMs).toBe(20_000);
  });

  it("excuses no less than the venue's bound, and no more than an hour", () => {
    const busy = watch();
    heardEach(busy, 100, 60);
    expect(busy.staleAfterMs).toBe(BOUND);
    const asleep = watch();
    heardEach(asleep, HOUR, 60);
    expect(asleep.staleAfterMs).toBe(HOUR);
    expect(watch().staleAfterMs).toBe(BOUND);
  });

  it("excuses four times its longest silence: trades come in bursts, and a mean of bursts says nothing of the pauses", () => {
    const channel = watch();
    const last = heardEach(channel, 100, 500);
    channel.heard(last + 60_000);
    expect(channel.staleAfterMs).toBe(240_000);
  });

  it("forgets its longest silence: half of it after seven hundred intervals", () => {
    const channel = watch();
    channel.heard(START);
    for (let count = 0; count <= 693; count++) channel.heard(START + 60_000 + count * 100);
    expect(channel.staleAfterMs).toBeGreaterThan(119_000);
    expect(channel.staleAfterMs).toBeLessThan(121_000);
  });

  it("is a mean of all while few are known, and then one that a busier time moves", () => {
    const few = watch();
    for (const at of [0, 1_000, 4_000]) few.heard(START + at);
    // Mean 2 s.
    expect(few.staleAfterMs).toBe(40_000);
    const channel = watch();
    const last = heardEach(channel, 4_000, 600);
    for (let count = 1; count <= 256; count++) channel.heard(last + count * 1_000);
    // (1 - 1/256)^256 = 0.367 of the way from 1 s to 4 s is left.
    expect(channel.staleAfterMs).toBeGreaterThan(42_000);
    expect(channel.staleAfterMs).toBeLessThan(42_100);
  });
});

describe("a silence", () => {
  it("is a gap from the last message on, told once, and over with the next", () => {
    const channel = watch();
    const last = heardEach(channel, 1_000, 60);
    expect(channel.judge(last + 20_000)).toBe(false);
    expect(channel.judge(last + 20_001)).toBe(true);
    expect(channel.judge(last + 30_000)).toBe(false);
    expect(channel.takeDue()).toBe(true);
    expect(channel.takeDue()).toBe(false);
    expect(channel.gaps.takeChanges()).toEqual([
      {
        id: `scripted:AAA/trades/${last}/stale`,
        market: "scripted:AAA",
        channel: "trades",
        from: last,
        to: null,
        reason: "stale",
        detail: "nothing for longer than its own pace allows (20 s) while the book went on",
        action: "pending",
      },
    ]);
    channel.heard(last + 40_000);
    expect(channel.gaps.takeChanges()).toMatchObject([{ from: last, to: last + 40_000, action: "resubscribed" }]);
    expect(channel.judge(last + 40_000 + channel.staleAfterMs + 1)).toBe(true);
  });

  it("that goes on is asked into again, ever later and at last once an hour: a lost request must not be the end of a channel", () => {
    const channel = watch();
    const last = heardEach(channel, 1_000, 60);
    const asked: number[] = [];
    for (let at = last; at <= last + 6 * HOUR; at += 1_000) if (channel.judge(at)) asked.push((at - last) / 1_000);
    // 10 s, 20 s, … 2,560 s after the one before, then each hour.
    expect(asked).toEqual([21, 31, 51, 91, 171, 331, 651, 1_291, 2_571, 5_131, 8_731, 12_331, 15_931, 19_531]);
    expect(channel.gaps.takeChanges()).toHaveLength(1);
    channel.heard(last + 6 * HOUR);
    expect(channel.takeDue()).toBe(false);
    const silentAgain = last + 6 * HOUR + channel.staleAfterMs + 1;
    expect([channel.judge(silentAgain), channel.judge(silentAgain + BOUND - 1), channel.judge(silentAgain + BOUND)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it("is not judged before thirty intervals are known: the first pause of a thin market is no death", () => {
    const channel = watch();
    const last = heardEach(channel, 1_000, 30);
    expect(channel.judge(last + HOUR)).toBe(false);
    channel.heard(last + 1_000);
    expect(channel.judge(last + 1_000 + HOUR)).toBe(true);
  });

  it("of a channel that has never spoken is none", () => {
    expect(watch().judge(START + HOUR)).toBe(false);
  });

  it("between two connections is no interval, and no silence of the channel's", () => {
    const channel = watch();
    const last = heardEach(channel, 1_000, 60);
    channel.judge(last + 60_000);
    channel.interrupted(last + 70_000);
    expect(channel.gaps.current).toBeNull();
    expect(channel.gaps.takeChanges()).toMatchObject([{ to: last + 70_000 }]);
    expect(channel.judge(last + HOUR)).toBe(false);
    channel.heard(last + HOUR);
    expect(channel.staleAfterMs).toBe(20_000);
    expect(channel.judge(last + HOUR + 20_001)).toBe(true);
  });
});

describe("messages that are known to be lost", () => {
  it("are a gap that is over as it is found, from the last message on", () => {
    const channel = watch("quotes");
    channel.heard(START);
    channel.lost(START + 500, "unknown-level", "as told");
    expect(channel.gaps.takeChanges()).toEqual([
      {
        id: `scripted:AAA/quotes/${START}/unknown-level`,
        market: "scripted:AAA",
        channel: "quotes",
        from: START,
        to: START + 500,
        reason: "unknown-level",
        detail: "as told",
        action: "noted",
      },
    ]);
    expect(channel.gaps.current).toBeNull();
  });

  it("before any message are at least written down where they were found", () => {
    const channel = watch();
    channel.lost(START, "lost-trades", "as told");
    expect(channel.gaps.takeChanges()).toMatchObject([{ from: START, to: START, action: "noted" }]);
  });
});
