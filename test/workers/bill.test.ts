/** The bill, in numbers that were worked out by hand: one that is too low is found out by paying it. */

import { describe, expect, it } from "vitest";
import { type Bill, type FeedUsage, monthlyBill, type StoredUsage, type Usage } from "../../workers/cost/bill.ts";
import { PRICES, type PricedThing } from "../../workers/cost/prices.ts";

const MINUTE = 60_000;
const DAY = 86_400_000;

/** A feed of twenty markets over a day, in round numbers. */
function feed(parts: Partial<FeedUsage> = {}): FeedUsage {
  const counts = { calls: 5_760, alarms: 8_640, messages: 8_640_000, rowsRead: 1_000_000, rowsWritten: 60_000 };
  return { feed: "main", object: "main", measuredMs: DAY, ...counts, heldBytes: 2_000_000, ...parts };
}

function stored(parts: Partial<StoredUsage> = {}): StoredUsage {
  const counts = { minutes: 1_440, rows: 28_800, gaps: 100, batches: 1_440, objects: 1_440, tapeBytes: 2_000_000_000 };
  return { feed: "main", ...counts, ...parts };
}

const ever = { databaseBytes: 4_000_000_000, rows: 2_000_000, tapeBytes: 5_000_000_000, deletedBytes: 0, dayBytes: 0 };
const NO_DAYS = { files: 0, classA: 0, classB: 0, bytes: 0, textBytes: 0, deletedBytes: 0 };
const NO_LEDGER = { hours: 0, markets: 0, models: 0, forecasts: 0, scorings: 0, scoreRows: 0 };
const usage = (parts: Partial<Usage> = {}): Usage => ({
  feeds: [feed()],
  stored: [stored()],
  days: NO_DAYS,
  ledger: NO_LEDGER,
  ever,
  ...parts,
});

function line(bill: Bill, id: PricedThing): Bill["lines"][number] {
  const found = bill.lines.find((each) => each.id === id);
  if (found === undefined) throw new Error(`the bill has no ${id}`);
  return found;
}

describe("the bill of one feed", () => {
  const bill = monthlyBill(usage());

  it("has a line for each thing that has a price, each once", () => {
    expect(bill.lines.map(({ id }) => id).toSorted()).toEqual(Object.keys(PRICES).toSorted());
  });

  it.each<[PricedThing, number, number, number]>([
    ["worker-requests", 1_440, 43_200, 0],
    // 50 ms × 1,440
    ["worker-cpu", 72_000, 2_160_000, 0],
    // 0.128 GB × 86,400 s
    ["object-duration", 11_059.2, 331_776, 0],
    ["object-requests", 14_400, 432_000, 0],
    ["object-rows-read", 1_000_000, 30_000_000, 0],
    ["object-rows-written", 60_000, 1_800_000, 0],
    ["object-storage", 0, 2_000_000, 0],
    // 28,800 + 100 + 1,440
    ["d1-rows-read", 30_340, 910_200, 0],
    // 28,800 × 3 + 100 × 3 + 1,440 × 2
    ["d1-rows-written", 89_580, 2_687_400, 0],
    // 4 GB / 2 M rows = 2,000 bytes; × 28,800 = 57.6 MB a day; 4 GB + 57.6 MB × 15 = 4.864 GB of 5 GB.
    ["d1-storage", 57_600_000, 4_864_000_000, 0],
    // 1,440 + 48 × 2 + 80 listings
    ["r2-class-a", 1_616, 48_480, 0],
    ["r2-class-b", 0, 0, 0],
    // 5 GB + 2 GB × 15 = 35 GB, less 10 GB, at 1.5 cents.
    ["r2-storage", 2_000_000_000, 35_000_000_000, 0.375],
  ])("%s: %d a day, %d a month, $%d", (id, perDay, perMonth, costUsd) => {
    expect(line(bill, id)).toMatchObject({ perDay, perMonth, costUsd });
  });

  it("is the plan and its lines together", () => {
    expect([bill.planUsd, bill.totalUsd]).toEqual([5, 5.375]);
  });

  it("shows arithmetic that comes to what it says, in every line", () => {
    for (const { arithmetic, costUsd, perMonth, included, per, priceUsd, billable } of [...bill.lines, bill.ifMessagesAreBilled.line]) {
      expect(arithmetic).toBe(`max(0, ${perMonth} - ${included}) / ${per} × ${priceUsd} = ${costUsd}`);
      expect(billable).toBeCloseTo(Math.max(0, perMonth - included), 3);
      expect(costUsd).toBeCloseTo((billable / per) * priceUsd, 4);
    }
  });

  it("says beside it what it would be if the venue's messages were billed", () => {
    const { messagesPerDay, line: requests, totalUsd } = bill.ifMessagesAreBilled;
    // 14,400 + 8,640,000 / 20 = 446,400 a day; × 30 = 13,392,000; less a million, at 15 cents a million: 1.8588.
    expect([messagesPerDay, requests.perDay, requests.perMonth, requests.costUsd]).toEqual([8_640_000, 446_400, 13_392_000, 1.8588]);
    expect(totalUsd).toBe(7.2338);
  });
});

describe("day files", () => {
  const days = { files: 21, classA: 2_000, classB: 33_000, bytes: 900_000_000, textBytes: 10_000_000_000, deletedBytes: 1_900_000_000 };
  const bill = monthlyBill(usage({ days, ever: { ...ever, deletedBytes: 1_000_000_000, dayBytes: 2_000_000_000 } }));

  it.each<[PricedThing, number, number, number]>([
    // 72,000 and 45 ms for each of 10,000 MB; × 30 = 15,660,000 of 30 M.
    ["worker-cpu", 522_000, 15_660_000, 0],
    // 30,340 + 21 × 1,500
    ["d1-rows-read", 61_840, 1_855_200, 0],
    // 89,580 + 21 × 12
    ["d1-rows-written", 89_832, 2_694_960, 0],
    // 1,440 + 2,000 + 176
    ["r2-class-a", 3_616, 108_480, 0],
    ["r2-class-b", 33_000, 990_000, 0],
    // 5 + 2 - 1 = 6 GB now; a day 2 + 0.9 - 1.9 = 1 GB, × 15: 21 GB less 10, at 1.5 cents.
    ["r2-storage", 1_000_000_000, 21_000_000_000, 0.165],
  ])("make %s %d a day, %d a month, $%d", (id, perDay, perMonth, costUsd) => {
    expect(line(bill, id)).toMatchObject({ perDay, perMonth, costUsd });
  });

  it("that let more go than comes shrink what lies there, never below nothing", () => {
    const shrinking = monthlyBill(usage({ days: { ...days, deletedBytes: 9_000_000_000 } }));
    expect(line(shrinking, "r2-storage")).toMatchObject({ perDay: -6_100_000_000, perMonth: 0, costUsd: 0 });
  });
});

describe("forecasts", () => {
  /** Three markets, two models: scored each minute of 24 hours. */
  const ledger = { hours: 24, markets: 3, models: 2, forecasts: 10_000, scorings: 6 * 1_440, scoreRows: 144 };
  const bill = monthlyBill(usage({ ledger }));

  it.each<[PricedThing, number, number]>([
    // 10,000 × 12 + 1,440 × 500 ms, at two cents a million
    ["worker-cpu", 840_000, 0.0168],
    // at 15 cents a million
    ["object-requests", 10_000, 0.0015],
    // 10,000 × 4 + 8,640 × 25 + 1,440 × 2 × 3, at a tenth of a cent a million
    ["d1-rows-read", 264_640, 0.000265],
    // 10,000 × 2 + 8,640 + 144 × 2, at a dollar a million
    ["d1-rows-written", 28_928, 0.028928],
    // 10,000 × 320 + 144 × 8,000 bytes, at 75 cents a billion
    ["d1-storage", 4_352_000, 0.003264],
    // 1,440 × 2 × 2, at 36 cents a million
    ["r2-class-b", 5_760, 0.002074],
  ])("are %s: %d a day, $%d, were nothing included", (id, perDay, usdPerDay) => {
    expect(bill.forecasts.lines.find((each) => each.id === id)).toMatchObject({ perDay, usdPerDay });
  });

  it("cost what their lines add up to, each of which says how", () => {
    const { lines, usdPerDay } = bill.forecasts;
    expect(usdPerDay).toBe(0.052831);
    expect(lines.reduce((sum, each) => sum + each.usdPerDay, 0)).toBeCloseTo(usdPerDay, 9);
    for (const { arithmetic, perDay, per, priceUsd, usdPerDay: usd } of lines) {
      expect(arithmetic).toBe(`${perDay} / ${per} × ${priceUsd} = ${usd}`);
      expect(usd).toBeCloseTo((perDay / per) * priceUsd, 6);
    }
  });

  it("are in the month's lines too: all but the object's calls, which it counts itself, and storage, which is as large as it is", () => {
    const without = monthlyBill(usage());
    const more = (id: PricedThing): number => line(bill, id).perDay - line(without, id).perDay;
    for (const { id, perDay } of bill.forecasts.lines)
      expect([id, more(id)]).toEqual([id, ["object-requests", "d1-storage"].includes(id) ? 0 : perDay]);
  });

  it("are a rate of the hours in which there were any: an instance of an hour isn't a twenty-fourth as dear", () => {
    const hour = { hours: 1, markets: 3, models: 1, forecasts: 400, scorings: 180, scoreRows: 3 };
    const rows = line(monthlyBill(usage({ ledger: hour })), "d1-rows-written");
    expect(rows.perDay).toBe(89_580 + 24 * (400 * 2 + 180 + 3 * 2));
    expect(rows.from).toContain("9600 forecasts × 2, 4320 scorings × 1, 72 hours of scores × 2");
    expect(line(monthlyBill(usage({ ledger: hour })), "d1-rows-read").perDay).toBe(30_340 + 24 * (400 * 4 + 180 * 25) + 1_440 * 3);
  });

  it("that never were cost nothing, though cron runs", () => {
    const { forecasts } = monthlyBill(usage());
    expect([forecasts.usdPerDay, forecasts.lines.map(({ perDay }) => perDay)]).toEqual([0, [0, 0, 0, 0, 0, 0]]);
  });
});

describe("sixty markets on three venues", () => {
  const names = ["binance", "bitmex", "coinbase"];
  const bill = monthlyBill({
    feeds: names.map((name) => feed({ feed: name, object: name })),
    stored: names.map((name) => stored({ feed: name })),
    days: NO_DAYS,
    ledger: NO_LEDGER,
    ever: { databaseBytes: 0, rows: 0, tapeBytes: 0, deletedBytes: 0, dayBytes: 0 },
  });

  it("cost most for objects that never sleep, where each has its own: the second and the third are beyond the plan", () => {
    // 995,328 GB-s less 400,000, at 12.5 dollars a million.
    expect(line(bill, "object-duration")).toMatchObject({ perMonth: 995_328, billable: 595_328, costUsd: 7.4416 });
  });

  it("cost nothing for it where they share one: it is counted once", () => {
    const shared = monthlyBill({ ...usage(), feeds: names.map((name) => feed({ feed: name })) });
    expect(line(shared, "object-duration")).toMatchObject({ perMonth: 331_776, billable: 0, costUsd: 0 });
  });

  it("stay within what is included for writes to R2, which an object for each market and minute would not", () => {
    expect(line(bill, "r2-class-a")).toMatchObject({ perMonth: 145_440, costUsd: 0 });
    const apart = monthlyBill({ ...usage(), stored: names.map((name) => stored({ feed: name, objects: 28_800 })) });
    // 28,800 × 3 + 176 for the one feed that looks: 86,576 a day, 2,597,280; less a million, at 4.5 dollars.
    expect(line(apart, "r2-class-a")).toMatchObject({ perMonth: 2_597_280, costUsd: 7.1878 });
  });

  it("name each feed and over what it was measured", () => {
    expect(line(bill, "object-requests").from).toBe(
      "calls and alarms counted over binance 86400000 ms, bitmex 86400000 ms, coinbase 86400000 ms",
    );
    expect(line(bill, "r2-class-a").from).toContain("binance 1440, bitmex 1440, coinbase 1440");
  });
});

describe("a rate", () => {
  it("is of each feed's own time: one that restarted a minute ago is not idle", () => {
    const young = feed({ feed: "young", measuredMs: MINUTE, calls: 4, alarms: 6 });
    const old = feed({ feed: "old", measuredMs: 2 * DAY, calls: 11_520, alarms: 17_280 });
    expect(line(monthlyBill(usage({ feeds: [young, old] })), "object-requests").perDay).toBe(14_400 + 14_400);
  });

  it("is of minutes stored, not of the clock: catching up after an hour's outage is no busier day", () => {
    const part = stored({ minutes: 60, rows: 1_200, objects: 60, gaps: 0, batches: 12, tapeBytes: 1_000 });
    expect(line(monthlyBill(usage({ stored: [part] })), "r2-class-a").perDay).toBe(1_440 + 176);
    expect(line(monthlyBill(usage({ stored: [part] })), "d1-rows-written").perDay).toBe(28_800 * 3 + 288 * 2);
    expect(line(monthlyBill(usage({ stored: [part] })), "r2-storage").perDay).toBe(24_000);
  });

  it("is rounded up, never down: a bill is no place for luck", () => {
    const part = feed({ measuredMs: 7 * MINUTE, calls: 1, alarms: 0 });
    // 205.7 a day
    expect(line(monthlyBill(usage({ feeds: [part] })), "object-requests")).toMatchObject({ perDay: 206, perMonth: 6_180 });
  });
});
