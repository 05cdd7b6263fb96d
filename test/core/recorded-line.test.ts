/** Losses prevented: a frame that is taken for what the client sent, or the other way round, and a receive time that is a millisecond off. */

import { describe, expect, it } from "vitest";
import { decodeRecordedLine } from "../../core/wire/recorded-line.ts";

describe("a line of a recorder's file", () => {
  it.each([
    ['1723161253937250001 {"e":1}', { kind: "frame", receivedAt: 1_723_161_253_937.25, text: '{"e":1}' }],
    [
      '1723161253937250001 {"lastUpdateId":5,"bids":[]}',
      { kind: "answer", receivedAt: 1_723_161_253_937.25, url: null, body: '{"lastUpdateId":5,"bids":[]}' },
    ],
    // 1626993367.079 * 1000 is 1626993367078.9999 in doubles.
    ["1626993367.079: pong", { kind: "frame", receivedAt: 1_626_993_367_079, text: "pong" }],
    ['1626993368.5: {"a":"1.5: {}"}', { kind: "frame", receivedAt: 1_626_993_368_500, text: '{"a":"1.5: {}"}' }],
    ["12: [1]", { kind: "frame", receivedAt: 12_000, text: "[1]" }],
    ["wss://x/realtime <-> 1626993367.388005", { kind: "opened", receivedAt: 1_626_993_367_388.005, url: "wss://x/realtime" }],
    ['wss://x/realtime <- 1626993367.874177: {"op":"subscribe"}', { kind: "own" }],
    ['configuration: {"l2_book":[]}', { kind: "own" }],
    [
      "https://x/depth?symbol=A&limit=5 -> 1633998512.320639: {}",
      { kind: "answer", receivedAt: 1_633_998_512_320.639, url: "https://x/depth?symbol=A&limit=5", body: "{}" },
    ],
  ])("%s", (line, expected) => {
    expect(decodeRecordedLine(line)).toEqual(expected);
  });

  it.each(["", "hello", "1723161253937250001", "1626993367.079 {}", "wss://x", "wss://x <- ", "https://x -> y: {}", "1001 f {}", "-5: {}"])(
    "%j is none, and is shown",
    (line) => {
      expect(decodeRecordedLine(line)).toEqual({ malformed: `not a line of a recording: ${line}` });
    },
  );

  it("of a megabyte is shown in part", () => {
    expect(decodeRecordedLine("x".repeat(1_000_000))).toEqual({ malformed: `not a line of a recording: ${"x".repeat(60)}` });
  });
});
