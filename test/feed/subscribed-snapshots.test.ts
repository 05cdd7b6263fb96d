/** A book that begins with a message of its own stream: asked for too early it comes twice, never asked for again it never comes. */

import { describe, expect, it } from "vitest";
import { SnapshotSchedule } from "../../feed/snapshot-schedule.ts";

const START = Date.UTC(2026, 0, 5, 12);

describe("a snapshot that is subscribed to", () => {
  it("is waited for until fifteen seconds after it was asked for, then asked for again, as often as it doesn't come", () => {
    const schedule = new SnapshotSchedule();
    schedule.begin(START);
    for (const at of [START, START + 15_000, START + 30_000]) {
      expect(schedule.isDue(at, "subscribed")).toBe(true);
      schedule.asked(at);
      expect(schedule.isDue(at, "subscribed")).toBe(false);
      expect(schedule.isDue(at + 14_999, "subscribed")).toBe(false);
    }
  });

  it("is asked for at once after the first failure, and later after each more, also when the wait for the last has run out", () => {
    const schedule = new SnapshotSchedule();
    schedule.begin(START);
    schedule.asked(START);
    schedule.failed(START + 1_000);
    expect(schedule.isDue(START + 1_000, "subscribed")).toBe(true);
    schedule.asked(START + 1_000);
    schedule.failed(START + 2_000);
    expect(schedule.isDue(START + 3_999, "subscribed")).toBe(false);
    expect(schedule.isDue(START + 4_000, "subscribed")).toBe(true);
    for (let count = 0; count < 20; count++) schedule.failed(START + 5_000);
    schedule.asked(START + 5_000);
    expect(schedule.isDue(START + 5_000 + 41_999, "subscribed")).toBe(false);
    expect(schedule.isDue(START + 5_000 + 42_000, "subscribed")).toBe(true);
  });

  it("is waited for a minute longer at most, however often it failed", () => {
    const schedule = new SnapshotSchedule();
    for (let count = 0; count < 100; count++) schedule.failed(START);
    expect(schedule.isDue(START + 59_999, "subscribed")).toBe(false);
    expect(schedule.isDue(START + 60_000, "subscribed")).toBe(true);
  });

  it("that was asked for the last book is not waited for by the next", () => {
    const schedule = new SnapshotSchedule();
    schedule.asked(START);
    schedule.begin(START + 100);
    expect(schedule.isDue(START + 100, "subscribed")).toBe(true);
    schedule.asked(START + 100);
    schedule.begin(START + 200);
    expect(schedule.isDue(START + 200, "change-kept")).toBe(true);
  });

  it("is asked for anew for the next book once it has come, and after a forgiven one without a wait", () => {
    const schedule = new SnapshotSchedule();
    schedule.begin(START);
    schedule.asked(START);
    schedule.answered();
    schedule.begin(START + 1_000);
    expect(schedule.isDue(START + 1_000, "subscribed")).toBe(true);
    schedule.failed(START + 1_000);
    schedule.failed(START + 1_000);
    expect(schedule.isDue(START + 1_000, "subscribed")).toBe(false);
    schedule.forgive();
    expect(schedule.isDue(START + 1_000, "subscribed")).toBe(true);
  });
});

describe("a snapshot that is requested", () => {
  it("has no such limit: its request always ends", () => {
    const schedule = new SnapshotSchedule();
    schedule.begin(START);
    schedule.asked(START);
    expect(schedule.isDue(START + 3_600_000, "change-kept")).toBe(false);
    expect(schedule.isDue(START + 3_600_000, "nothing-kept")).toBe(false);
  });
});
