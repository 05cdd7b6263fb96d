/** That no book is ever continued across a hole: the rules at their edges, and any stream with faults in it. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFuturesSequencer, createSpotSequencer } from "../../exchanges/binance/sequencer.ts";
import type { BookSequencer } from "../../exchanges/contract.ts";

interface Message {
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly previousSequence: number | null;
}

function spot(firstSequence: number, lastSequence: number): Message {
  return { firstSequence, lastSequence, previousSequence: null };
}

function futures(previousSequence: number, firstSequence: number, lastSequence: number): Message {
  return { firstSequence, lastSequence, previousSequence };
}

const GAP = { resync: "sequence-gap" };

function after(sequencer: BookSequencer, snapshot: number, ...applied: Message[]): BookSequencer {
  sequencer.judgeSnapshot(snapshot, null);
  for (const message of applied) expect(sequencer.judge(message)).toBe("apply");
  return sequencer;
}

describe("spot", () => {
  const started = (...applied: Message[]) => after(createSpotSequencer(), 100, ...applied);

  it("drops what the snapshot holds, up to its last update", () => {
    expect(started().judge(spot(90, 99))).toBe("drop");
    expect(started().judge(spot(90, 100))).toBe("drop");
  });

  it("joins on U <= L + 1 <= u, and on nothing else", () => {
    expect(started().judge(spot(90, 101))).toBe("apply");
    expect(started().judge(spot(101, 101))).toBe("apply");
    expect(started().judge(spot(101, 150))).toBe("apply");
    expect(started().judge(spot(102, 150))).toEqual(GAP);
  });

  it("follows on U = previous u + 1, and on a message that begins inside what is held: a second connection may cut the same changes otherwise", () => {
    expect(started(spot(95, 110)).judge(spot(111, 111))).toBe("apply");
    expect(started(spot(95, 110)).judge(spot(112, 120))).toEqual(GAP);
    expect(started(spot(95, 110)).judge(spot(110, 120))).toBe("apply");
    expect(started(spot(95, 110)).judge(spot(100, 110))).toBe("duplicate");
  });

  it("names a late or repeated message a duplicate and stays where it was", () => {
    const sequencer = started(spot(95, 110), spot(111, 115));
    expect(sequencer.judge(spot(95, 110))).toBe("duplicate");
    expect(sequencer.judge(spot(111, 115))).toBe("duplicate");
    expect(sequencer.lastSequence).toBe(115);
    expect(sequencer.judge(spot(116, 116))).toBe("apply");
  });

  it("takes a snapshot that reaches the buffer's beginning, and no older one", () => {
    expect(createSpotSequencer().judgeSnapshot(100, 101)).toBe("apply");
    expect(createSpotSequencer().judgeSnapshot(100, 102)).toBe("too-old");
    expect(createSpotSequencer().judgeSnapshot(100, null)).toBe("apply");
  });
});

describe("futures", () => {
  const started = (...applied: Message[]) => after(createFuturesSequencer(), 100, ...applied);

  it("drops what ends before the snapshot, and joins on U <= L <= u", () => {
    expect(started().judge(futures(80, 85, 99))).toBe("drop");
    expect(started().judge(futures(80, 85, 100))).toBe("apply");
    expect(started().judge(futures(80, 100, 130))).toBe("apply");
    expect(started().judge(futures(98, 101, 130))).toEqual(GAP);
  });

  it("joins on pu = L: the snapshot stands in the place of the message before", () => {
    expect(started().judge(futures(100, 120, 130))).toBe("apply");
  });

  it("follows on pu = previous u, whatever numbers lie between", () => {
    expect(started(futures(80, 90, 110)).judge(futures(110, 150, 160))).toBe("apply");
    expect(started(futures(80, 90, 110)).judge(futures(111, 150, 160))).toEqual(GAP);
    expect(started(futures(80, 90, 110)).judge(futures(80, 90, 110))).toBe("duplicate");
  });

  it("takes no snapshot older than the buffer", () => {
    expect(createFuturesSequencer().judgeSnapshot(100, 100)).toBe("apply");
    expect(createFuturesSequencer().judgeSnapshot(100, 101)).toBe("too-old");
  });
});

/** A chain of messages with the numbers of its product, and what a bad line does to it: lost, repeated and swapped messages. */
const faultyChain = fc.record({
  product: fc.constantFrom("spot", "futures"),
  lengths: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 5, maxLength: 40 }),
  faults: fc.array(fc.record({ kind: fc.constantFrom("lose", "repeat", "swap"), at: fc.nat({ max: 39 }) }), { maxLength: 5 }),
});

function chainOf(product: string, lengths: readonly number[]): Message[] {
  let last = 100;
  return lengths.map((length) => {
    const firstSequence = product === "spot" ? last + 1 : last + 7;
    const message = { firstSequence, lastSequence: firstSequence + length - 1, previousSequence: product === "spot" ? null : last };
    last = message.lastSequence;
    return message;
  });
}

function spoil(chain: readonly Message[], faults: readonly { kind: string; at: number }[]): Message[] {
  const spoiled = [...chain];
  for (const { kind, at } of faults) {
    const message = spoiled[at];
    const next = spoiled[at + 1];
    if (message === undefined || next === undefined) continue;
    if (kind === "lose") spoiled.splice(at, 1);
    else if (kind === "repeat") spoiled.splice(at, 0, message);
    else spoiled.splice(at, 2, next, message);
  }
  return spoiled;
}

describe("any stream with lost, repeated and swapped messages", () => {
  it("is applied up to its first hole, each message once and in order, and not one further", () => {
    fc.assert(
      fc.property(faultyChain, ({ product, lengths, faults }) => {
        const chain = chainOf(product, lengths);
        const sequencer = product === "spot" ? createSpotSequencer() : createFuturesSequencer();
        sequencer.judgeSnapshot(100, null);
        const applied: Message[] = [];
        for (const message of spoil(chain, faults)) {
          const verdict = sequencer.judge(message);
          if (verdict === "apply") applied.push(message);
          else if (verdict !== "duplicate" && verdict !== "drop") {
            expect(verdict).toEqual(GAP);
            break;
          }
        }
        expect(applied).toEqual(chain.slice(0, applied.length));
      }),
    );
  });
});
