/** The venue's book of a replay: one that is off by a diff is what every client is then told, and is right by nobody's rule. */

import { describe, expect, it } from "vitest";
import { type DepthMessage, RecordedBook } from "../../exchange-simulator/recorded-book.ts";

const GRIDS = { symbol: "AAAUSDT", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 0, mantissa: 1 } };
const SNAPSHOT = { lastUpdateId: 10, bids: [["100.00", "5"]], asks: [["100.01", "6"]] } as const;

describe("the book of a replay", () => {
  it("takes from the diffs around a snapshot those that are new to it, and no older one a second time", () => {
    const book = new RecordedBook(GRIDS);
    book.pass(diff(7, 8, "1"));
    book.pass(diff(9, 10, "2"));
    book.pass(diff(10, 12, "3"));
    expect(book.body(5, 0)).toBeNull();
    book.passSnapshot(SNAPSHOT);
    expect(bookOf(book)).toEqual({ lastUpdateId: 12, bids: [["100.00000000", "3.00000000"]], asks: [["100.01000000", "6.00000000"]] });
    for (const old of [diff(9, 10, "7"), diff(11, 12, "8")]) book.pass(old);
    expect(bookOf(book)).toMatchObject({ lastUpdateId: 12, bids: [["100.00000000", "3.00000000"]] });
    book.pass(diff(13, 13, "4"));
    expect(bookOf(book)).toMatchObject({ lastUpdateId: 13, bids: [["100.00000000", "4.00000000"]] });
  });

  it("is the snapshot itself where the diffs so far are all older", () => {
    const book = new RecordedBook(GRIDS);
    book.pass(diff(7, 10, "1"));
    book.passSnapshot(SNAPSHOT);
    expect(bookOf(book)).toMatchObject({ lastUpdateId: 10, bids: [["100.00000000", "5.00000000"]] });
  });

  it("is unknown from a hole on, until the next snapshot", () => {
    const book = new RecordedBook(GRIDS);
    book.passSnapshot(SNAPSHOT);
    book.pass(diff(12, 13, "9"));
    expect(book.body(5, 0)).toBeNull();
    book.passSnapshot({ ...SNAPSHOT, lastUpdateId: 11 });
    expect(bookOf(book)).toMatchObject({ lastUpdateId: 13, bids: [["100.00000000", "9.00000000"]] });
  });
});

/** Sets the size at 100.00. */
function diff(firstId: number, lastId: number, size: string): DepthMessage {
  return { kind: "depth", symbol: "AAAUSDT", eventTime: 1_000, firstId, lastId, bids: [["100.00", size]], asks: [] };
}

function bookOf(book: RecordedBook): unknown {
  return JSON.parse(book.body(5, 0) ?? "null");
}
