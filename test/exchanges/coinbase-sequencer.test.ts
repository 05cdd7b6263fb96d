/** Coinbase's two ways of continuing a book: counted by us, or rising with the connection's numbers. */

import { describe, expect, it } from "vitest";
import { createCountedSequencer, createRisingSequencer } from "../../exchanges/coinbase/sequencer.ts";

const at = (sequence: number) => ({ firstSequence: sequence, lastSequence: sequence, previousSequence: null });

describe.each([
  ["counted", createCountedSequencer],
  ["rising", createRisingSequencer],
] as const)("%s", (_, create) => {
  it("drops what comes before a snapshot: there is no book that it could change", () => {
    const sequencer = create();
    expect([sequencer.judge(at(1)), sequencer.isSynced, sequencer.lastSequence]).toEqual(["drop", false, null]);
    expect(sequencer.judgeSnapshot(0, null)).toBe("apply");
    expect([sequencer.judge(at(1)), sequencer.isSynced, sequencer.lastSequence]).toEqual(["apply", true, 1]);
    sequencer.reset();
    expect([sequencer.judge(at(2)), sequencer.isSynced]).toEqual(["drop", false]);
  });

  it("begins anew with a snapshot that comes in the middle", () => {
    const sequencer = create();
    sequencer.judgeSnapshot(0, null);
    for (let sequence = 1; sequence < 5; sequence++) sequencer.judge(at(sequence));
    sequencer.judgeSnapshot(0, null);
    expect(sequencer.judge(at(1))).toBe("apply");
  });

  it("breaks at a number of the past, which is of another book, and stays broken until it is reset", () => {
    const sequencer = create();
    sequencer.judgeSnapshot(7, null);
    expect([sequencer.judge(at(6)), sequencer.judge(at(6)), sequencer.lastSequence]).toEqual([
      { resync: "sequence-gap" },
      { resync: "sequence-gap" },
      7,
    ]);
  });
});

it("a count may not skip, nor repeat: each message of the book is one", () => {
  const judged = (sequence: number) => {
    const sequencer = createCountedSequencer();
    sequencer.judgeSnapshot(0, null);
    sequencer.judge(at(1));
    return sequencer.judge(at(sequence));
  };
  expect([judged(1), judged(2), judged(3)]).toEqual([{ resync: "sequence-gap" }, "apply", { resync: "sequence-gap" }]);
});

it("the connection's numbers skip where other messages were, and are shared by two events of one frame", () => {
  const sequencer = createRisingSequencer();
  sequencer.judgeSnapshot(10, null);
  expect([sequencer.judge(at(10)), sequencer.judge(at(25)), sequencer.judge(at(25)), sequencer.judge(at(26))]).toEqual(
    Array.from({ length: 4 }, () => "apply"),
  );
});
