/** Many markets in one object: a byte given to the wrong market, or to none, is lost without anybody noticing. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { groupTapes, layOut, parseDirectory, withoutStored } from "../../core/wire/minute-tapes.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

describe("an object of many markets", () => {
  it("is their bytes in order of symbol, with a directory that says how long each is", () => {
    const tapes = [
      { symbol: "ETHUSDT", bytes: bytes(4, 5) },
      { symbol: "_feed", bytes: bytes(9) },
      { symbol: "BTCUSDT", bytes: bytes(1, 2, 3) },
    ];
    const { directory, body } = layOut(tapes);
    expect(directory).toBe("BTCUSDT:3 ETHUSDT:2 _feed:1");
    expect(body).toEqual(bytes(1, 2, 3, 4, 5, 9));
    expect(layOut(tapes.toReversed())).toEqual({ directory, body });
    expect(parseDirectory(directory, 6)).toEqual(
      new Map([
        ["BTCUSDT", { offset: 0, bytes: 3 }],
        ["ETHUSDT", { offset: 3, bytes: 2 }],
        ["_feed", { offset: 5, bytes: 1 }],
      ]),
    );
  });

  it("gives each market back exactly its own, whatever they are called and however long they are", () => {
    const symbol = fc.stringMatching(/^[A-Za-z0-9_.-]{1,40}$/);
    const tape = fc.record({ symbol, bytes: fc.uint8Array({ maxLength: 40 }) });
    fc.assert(
      fc.property(fc.uniqueArray(tape, { selector: (each) => each.symbol, minLength: 1, maxLength: 30 }), (tapes) => {
        const { directory, body } = layOut(tapes);
        const ranges = parseDirectory(directory, body.length);
        expect(ranges?.size).toBe(tapes.length);
        for (const each of tapes) {
          const range = ranges?.get(each.symbol) ?? { offset: -1, bytes: -1 };
          expect(body.slice(range.offset, range.offset + range.bytes)).toEqual(Uint8Array.from(each.bytes));
        }
      }),
    );
  });

  it.each([
    ["of an object of another length", "A:3", 4],
    ["that names a market twice", "A:1 A:1", 2],
    ["with a length that is none", "A:x", 1],
    ["with nothing", "", 0],
  ])("has no directory %s: a range of it would be another market's", (_, text, length) => {
    expect(parseDirectory(text, length)).toBeNull();
  });
});

describe("which markets go into one object", () => {
  it("all of them while there is room, in order of symbol, each once", () => {
    const listed = [
      { symbol: "C", bytes: 8_000_000 },
      { symbol: "A", bytes: 8_000_000 },
      { symbol: "B", bytes: 8_000_000 },
    ];
    expect(groupTapes(listed)).toEqual([["A", "B"], ["C"]]);
    expect(groupTapes([])).toEqual([]);
  });

  it("one that is too large for any goes alone, and stops no other", () => {
    const listed = [
      { symbol: "A", bytes: 1 },
      { symbol: "B", bytes: 20_000_000 },
      { symbol: "C", bytes: 1 },
      { symbol: "D", bytes: 1 },
    ];
    expect(groupTapes(listed)).toEqual([["A"], ["B"], ["C", "D"]]);
  });

  it("never more than their directory has room for beside the object: the store would refuse it", () => {
    const listed = Array.from({ length: 500 }, (_, index) => ({
      symbol: `${String(index).padStart(3, "0")}${"X".repeat(37)}`,
      bytes: 9_999,
    }));
    const groups = groupTapes(listed);
    expect(groups.flat()).toEqual(listed.map(({ symbol }) => symbol));
    for (const group of groups) {
      const { directory } = layOut(group.map((symbol) => ({ symbol, bytes: bytes(1) })));
      expect(directory.length + group.length * 9).toBeLessThan(8_000);
    }
  });
});

describe("what of a tape isn't stored yet", () => {
  it.each([
    ["nothing, when all of it is", [2, 3], [1, 2, 3, 4], []],
    ["what stands behind a part that is", [1, 2, 3], [1, 2], [3]],
    ["what stands before and behind one", [1, 2, 3, 4], [2, 3], [1, 4]],
    ["everything, when the two are different", [1, 2], [3, 4], [1, 2]],
    ["everything, when they only share a piece", [1, 2, 3], [2, 3, 4], [1, 2, 3]],
    ["everything, when nothing is stored", [1, 2], [], [1, 2]],
    ["nothing of nothing", [], [1], []],
  ])("is %s", (_, given, stored, left) => {
    expect(withoutStored(bytes(...given), bytes(...stored))).toEqual(bytes(...left));
  });
});
