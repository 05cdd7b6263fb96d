/** That the tape loses nothing: what is written is what is read, in any order of chunks, whatever the frames hold. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeTapeLine, encodeFrame, encodeTapeRecord, type TapeRecord } from "../../core/wire/tape.ts";

const receivedAt = fc.integer({ min: 0, max: 8_640_000_000_000_000 });
const symbol = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
const text = fc.oneof(
  fc.string(),
  fc.json(),
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "\n", "\r\n", "a\nb", "\u2028", " ", "\ud800"),
);
const reason = fc.stringMatching(/^[a-z][a-z -]{0,40}$/);

const grid = fc.record({ decimals: fc.integer({ min: 0, max: 8 }), mantissa: fc.constantFrom(1, 5, 25) });

const record: fc.Arbitrary<TapeRecord> = fc.oneof(
  fc.record({ kind: fc.constant("frame" as const), receivedAt, text }),
  fc.record({ kind: fc.constant("binary" as const), receivedAt, base64: fc.base64String() }),
  fc.record({ kind: fc.constant("snapshot" as const), receivedAt, symbol, body: text }),
  fc.record({ kind: fc.constant("open" as const), receivedAt, connection: fc.nat().map(String) }),
  fc.record({ kind: fc.constant("down" as const), receivedAt, reason }),
  fc.record({ kind: fc.constant("hole" as const), receivedAt, symbol: fc.option(symbol), reason }),
  fc.record({ kind: fc.constant("instrument" as const), receivedAt, symbol, tick: grid, lot: grid }),
  fc.record({ kind: fc.constant("checkpoint" as const), receivedAt, symbol, body: fc.json() }),
);

function decodeAll(tape: string): unknown[] {
  return tape.split("\n").slice(0, -1).map(decodeTapeLine);
}

describe("the tape", () => {
  it("gives back every record, one a line", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 20 }), (records) => {
        expect(decodeAll(records.map(encodeTapeRecord).join(""))).toEqual(records);
      }),
      { numRuns: 1_000 },
    );
  });

  it("is concatenated by concatenating: chunks need no frame of their own", () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 10 }), fc.array(record, { maxLength: 10 }), (first, second) => {
        const tape = first.map(encodeTapeRecord).join("") + second.map(encodeTapeRecord).join("");
        expect(decodeAll(tape)).toEqual([...first, ...second]);
      }),
    );
  });

  it("writes an ordinary frame as it came, so that zcat reads it", () => {
    expect(encodeFrame(1_700_000_000_123, '{"stream":"btcusdt@trade"}')).toBe('1700000000123 f {"stream":"btcusdt@trade"}\n');
  });

  it.each(["a\nb", "a\rb", "a\r\nb"])("quotes a frame that would end its line for any reader: %j", (frame) => {
    expect(encodeFrame(1, frame)).toBe(`1 F ${JSON.stringify(frame)}\n`);
    expect(encodeTapeRecord({ kind: "snapshot", receivedAt: 1, symbol: "A", body: frame })).toBe(`1 S A ${JSON.stringify(frame)}\n`);
  });

  it("keeps a reason on its line, whatever is in it", () => {
    const line = encodeTapeRecord({ kind: "down", receivedAt: 1, reason: "closed\r\n1006\nabnormal" });
    expect(line.match(/\n/g)).toHaveLength(1);
    expect(decodeTapeLine(line.slice(0, -1))).toEqual({ kind: "down", receivedAt: 1, reason: "closed 1006 abnormal" });
  });

  it.each([
    ["nothing", ""],
    ["no kind", "123"],
    ["a time that is none", "12x f {}"],
    ["a negative time", "-1 f {}"],
    ["a time that no date can show, and that would be written as another", "9999999999999999 f {}"],
    ["an unknown kind", "1 z {}"],
    ["a quoted frame cut short", '1 F "abc'],
    ["a quoted frame that is no string", "1 F 7"],
    ["a snapshot without a body", "1 s BTCUSDT"],
    ["a quoted snapshot cut short", '1 S BTCUSDT "abc'],
    ["a hole without a reason", "1 g BTCUSDT"],
    ["a checkpoint without a body", "1 k BTCUSDT"],
    ["an instrument without a lot", "1 i BTCUSDT 0.01"],
    ["an instrument with a tick of nothing", "1 i BTCUSDT 0.00 0.001"],
  ])("says why a line is no record: %s", (_, line) => {
    expect(decodeTapeLine(line)).toHaveProperty("malformed");
  });

  it("answers any line with a value: a damaged tape can't stop its reader", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (line) => void expect(decodeTapeLine(line)).toBeTypeOf("object")));
  });
});
