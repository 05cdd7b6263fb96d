/** A minute that is missing from a tape: the book behind it is wrong, and where nothing is numbered nobody would notice. */

import { describe, expect, it } from "vitest";
import { type HoleRecord, LostMinutes } from "../../core/wire/lost-minutes.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";

const START = Date.UTC(2026, 0, 5, 10, 23);
const at = (minute: number, second = 0): number => START + minute * 60_000 + second * 1_000;

function declared(receivedAt: number, symbol = "A"): TapeRecord {
  return { kind: "instrument", receivedAt, symbol, tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 2, mantissa: 1 } };
}

function frame(receivedAt: number): TapeRecord {
  return { kind: "frame", receivedAt, text: "{}" };
}

function hole(receivedAt: number, reason: string, symbol: string | null = "A"): HoleRecord {
  return { kind: "hole", receivedAt, symbol, reason };
}

/** The records as whoever reads the tape takes them. */
function read(...records: TapeRecord[]): TapeRecord[] {
  const lost = new LostMinutes();
  return [...records.flatMap((record) => [...lost.before(record), record]), ...lost.end()];
}

const ONE = "nothing is recorded of 1 minute from 2026-01-05T10:24Z on";

describe("a minute that is missing from within a tape", () => {
  it("is a hole behind the next minute's declaration, before whatever changes a book", () => {
    const [before, head, after] = [frame(at(0, 59)), declared(at(2)), frame(at(2, 1))];
    expect(read(declared(at(0)), before, head, after)).toEqual([declared(at(0)), before, head, hole(at(2), ONE), after]);
  });

  it("is a hole of each market that the tape is of", () => {
    const [a, b, after] = [declared(at(2)), declared(at(2), "B"), frame(at(2, 1))];
    expect(read(frame(at(0)), a, b, after)).toEqual([frame(at(0)), a, b, hole(at(2), ONE), hole(at(2), ONE, "B"), after]);
  });

  it("is one though the market is quiet behind it, and though the tape ends there", () => {
    expect(read(frame(at(0)), declared(at(2)), declared(at(3)))).toEqual([
      ...[frame(at(0)), declared(at(2)), hole(at(2), ONE)],
      declared(at(3)),
    ]);
    expect(read(frame(at(0)), declared(at(2)))).toEqual([frame(at(0)), declared(at(2)), hole(at(2), ONE)]);
  });

  it("counts with those beside it, each stretch told once", () => {
    const many = "nothing is recorded of 61 minutes from 2026-01-05T10:24Z on";
    const read62 = read(frame(at(0)), declared(at(62)), frame(at(62, 1)), declared(at(64)), frame(at(64, 1)));
    expect(read62.filter(({ kind }) => kind === "hole")).toEqual([
      hole(at(62), many),
      hole(at(64), "nothing is recorded of 1 minute from 2026-01-05T11:26Z on"),
    ]);
  });
});

describe("what has lost nothing, and is not broken by us", () => {
  it.each<[string, TapeRecord[]]>([
    ["a quiet market: its minutes hold their declarations alone", [declared(at(0)), declared(at(1)), declared(at(2)), frame(at(2, 30))]],
    ["a tape that begins anywhere", [declared(at(7)), frame(at(7, 1))]],
    ["minutes that storage refused, and that lie in the one before", [declared(at(0)), frame(at(1, 20)), declared(at(2)), frame(at(2, 1))]],
    ["two feeds' tapes of one minute, whose times step back", [frame(at(1, 59)), declared(at(1)), frame(at(1, 2)), declared(at(2))]],
    ["another recorder's tape, which declares at its beginning", [declared(at(0)), frame(at(0)), frame(at(9))]],
    [
      "a restart, which the tape tells itself",
      [frame(at(0)), declared(at(9)), hole(at(9), "restarted; last alive at 1", null), frame(at(9, 1))],
    ],
    ["a connection that was opened", [frame(at(0)), declared(at(9)), { kind: "open", receivedAt: at(9), connection: "2" }]],
    ["a connection that went down", [frame(at(0)), declared(at(9)), { kind: "down", receivedAt: at(9), reason: "stale: 1" }]],
  ])("%s", (_, records) => {
    expect(read(...records)).toEqual(records);
  });
});
