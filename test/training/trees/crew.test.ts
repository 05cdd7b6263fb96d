/** Work that is shared while threads are still starting: done once each, by whoever is there, and nobody waits for who will never come. */

import { describe, expect, it } from "vitest";
import { CREW_BYTES, Crew, CrewFailed } from "../../../training/trees/crew.ts";

/** The first thread's and another one's, which this test plays both. */
function crewOfTwo(): { first: Crew; other: Crew } {
  const control = new Int32Array(new SharedArrayBuffer(CREW_BYTES));
  return { first: new Crew(control, 2), other: new Crew(control, 2) };
}

describe("tasks of an open step", () => {
  it("are all done by the first thread when no other has started", () => {
    const { first } = crewOfTwo();
    const done: number[] = [];
    first.shareOpen({ step: 1, count: 4, isOpening: true }, (task) => done.push(task));
    first.shareOpen({ step: 2, count: 2, isOpening: true }, (task) => done.push(10 + task));
    expect(done).toEqual([0, 1, 2, 3, 10, 11]);
  });

  it("are done once each when another thread comes in the midst of it", () => {
    const { first, other } = crewOfTwo();
    const byFirst: number[] = [];
    const byOther: number[] = [];
    first.shareOpen({ step: 1, count: 5, isOpening: true }, (task) => {
      byFirst.push(task);
      if (task !== 1) return;
      other.shareOpen({ step: 1, count: 5, isOpening: false }, (taken) => byOther.push(taken));
    });
    expect([byFirst, byOther]).toEqual([
      [0, 1],
      [2, 3, 4],
    ]);
  });

  it("aren't taken by a thread that comes when its step is over: another step's tasks would be done in its place", () => {
    const { first, other } = crewOfTwo();
    const done: string[] = [];
    first.shareOpen({ step: 1, count: 2, isOpening: true }, (task) => done.push(`1.${task}`));
    other.shareOpen({ step: 1, count: 2, isOpening: false }, (task) => done.push(`late 1.${task}`));
    first.shareOpen({ step: 2, count: 2, isOpening: true }, (task) => {
      done.push(`2.${task}`);
      // Of the first step, as a thread that was asleep all the while.
      if (task === 0) other.shareOpen({ step: 1, count: 2, isOpening: false }, (late) => done.push(`late 1.${late}`));
    });
    expect(done).toEqual(["1.0", "1.1", "2.0", "2.1"]);
  });

  it("are given up when a thread fails, by all who wait for it", () => {
    const { first, other } = crewOfTwo();
    expect(() => first.shareOpen({ step: 1, count: 3, isOpening: true }, () => other.fail())).toThrow(CrewFailed);
    expect(() => other.shareOpen({ step: 2, count: 3, isOpening: false }, () => null)).toThrow(CrewFailed);
  });

  it("are refused where a ticket can't hold their number: it would name another step's", () => {
    const { first } = crewOfTwo();
    expect(() => first.shareOpen({ step: 1, count: 65_536, isOpening: true }, () => null)).toThrow(RangeError);
    expect(() => first.shareOpen({ step: 32_767, count: 1, isOpening: true }, () => null)).toThrow(RangeError);
  });
});
