/** That a block of a day file gives back every byte of what was received: whatever venues, wires and attackers write. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { openDayFileKernel } from "../../archive/day-file-kernel.ts";
import { Random } from "../../core/math/random.ts";
import { decodeBlock, encodeBlock } from "../../core/wire/day-file/block-codec.ts";
import { encodeBlockBy } from "../../core/wire/day-file/kernel.ts";
import { GOLDEN } from "../../core/wire/day-file/number-map.ts";
import { encodeFrame, encodeTapeRecord } from "../../core/wire/tape.ts";
import { readRecordedTape } from "../recordings/recorded-tapes.ts";
import { readNanosecondLines, recording, WITHOUT_RECORDINGS } from "../recordings/recordings.ts";
import { DAY_FILE_DIGEST, dayFileDigest } from "./day-file-digest.ts";

/** Numbers that look like numbers and are written otherwise than a number is. */
const ODD_NUMBERS = [
  "0001",
  "-0",
  "1e5",
  "00.10",
  "0.0",
  "1.",
  ".5",
  "-",
  "12345678901234567890",
  "0.1234567890123",
  "-7",
  "1E-8",
  "999999999999999",
  "1000000000000000",
  "0",
  "-0.0",
];
const ODD_TIMES = [
  "2021-04-17T16:43:37.067586Z",
  "2021-04-17T16:43:37Z",
  "2021-02-30T00:00:00.000Z",
  "2024-02-29T23:59:59.9Z",
  "2023-02-29T00:00:00Z",
  "2021-04-17T24:00:00Z",
  "2021-04-17T16:43:37.067586123Z",
  "1969-12-31T23:59:59Z",
  "2099-12-31T23:59:59.999999Z",
  "2100-01-01T00:00:00.000000Z",
];

const number = fc.oneof(
  fc.constantFrom(...ODD_NUMBERS),
  fc.integer().map(String),
  fc.tuple(fc.nat(99_999), fc.stringMatching(/^\d{1,8}$/)).map(([whole, decimals]) => `${whole}.${decimals}`),
);
const scalar = fc.oneof(
  number,
  number.map((text) => `"${text}"`),
  fc.constantFrom(...ODD_TIMES).map((text) => `"${text}"`),
  fc.constantFrom("true", "false", "null", '""', '"buy"', '"a\\"b"', '"\\\\"'),
  fc.string({ unit: "binary", maxLength: 6 }).map((text) => JSON.stringify(text)),
);
const level = fc.tuple(number, number).map(([price, size]) => `["${price}","${size}"]`);
/** Frames of few shapes with many values, as venues send them, and with shapes broken here and there. */
const frame = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(number, fc.array(level, { maxLength: 6 }), fc.array(level, { maxLength: 6 }))
      .map(([u, b, a]) => `{"u":${u},"b":[${b}],"a":[${a}]}`),
  },
  {
    weight: 2,
    arbitrary: fc
      .array(fc.tuple(scalar, number), { maxLength: 4 })
      .map((rows) => `{"data":[${rows.map(([side, id]) => `{"side":${side},"id":${id}}`)}]}`),
  },
  { weight: 2, arbitrary: fc.tuple(scalar, scalar).map(([a, b]) => `{"type":${a},"time":${b}}`) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.string({ unit: "binary" }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "",
      "[",
      "{",
      "[[",
      "[[]]",
      "[{}",
      '{"a":[',
      "[[1],[2],",
      '[["1","2"],["3"]]',
      "[[[1]],[[2]]]",
      '"',
      "\\",
      "[1,2,3]",
      "\r",
      "\n",
      "\ud800",
    ),
  },
);
/** Steps back as often as forward. */
const receivedAt = fc.oneof(
  fc.integer({ min: 1_767_000_000_000, max: 1_767_000_100_000 }),
  fc.integer({ min: 0, max: 8_640_000_000_000_000 }),
);

describe("a block of a day file", () => {
  it("loses no byte of frames, whatever they hold", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(receivedAt, frame), { maxLength: 40 }), (frames) => {
        expectSame(utf8(frames.map(([at, text]) => encodeFrame(at, text)).join("")));
      }),
      { numRuns: 500 },
    );
  });

  it("loses no byte of any record kind", () => {
    const symbol = fc.stringMatching(/^[A-Za-z0-9_.-]{1,20}$/);
    const record = fc.oneof(
      fc.record({ kind: fc.constant("binary" as const), receivedAt, base64: fc.base64String() }),
      fc.record({ kind: fc.constant("snapshot" as const), receivedAt, symbol, body: frame }),
      fc.record({ kind: fc.constant("open" as const), receivedAt, connection: fc.nat().map(String) }),
      fc.record({ kind: fc.constant("hole" as const), receivedAt, symbol: fc.option(symbol), reason: fc.constant("restarted") }),
      fc.record({ kind: fc.constant("checkpoint" as const), receivedAt, symbol, body: fc.json() }),
    );
    fc.assert(
      fc.property(fc.array(record, { maxLength: 30 }), (records) => void expectSame(utf8(records.map(encodeTapeRecord).join("")))),
      { numRuns: 300 },
    );
  });

  it("loses no byte of what is no tape at all", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3_000 }), (bytes) => void expectSame(bytes)),
      { numRuns: 300 },
    );
    for (const text of [
      "",
      "\n",
      "\n\n",
      "1",
      "1 ",
      "1 f",
      "1 f {}",
      "01 f {}\n",
      "-1 f {}\n",
      "1.5 f {}\n",
      "999999999999999 f 1\n0 f 2\n",
    ])
      expectSame(utf8(text));
  });

  it("loses no byte of numbers and times at the edges of what a column holds", () => {
    const lines = [...ODD_NUMBERS, ...ODD_TIMES, "4000000000000", "-999999999999999", "0.999999999", "999999.999999999"];
    for (const first of lines)
      expectSame(
        utf8(lines.map((next, at) => `${at} f {"a":"${first}","b":"${next}"}\n${4e12 + at} f {"a":"${next}","b":"${first}"}\n`).join("")),
      );
  });

  it("loses no level of lists that are in no order, repeat a price, or change their decimals", () => {
    const lists = [
      '["2.0","1"],["1.0","1"],["3.0","0"]',
      '["1.0","5"],["1.0","6"],["1.0","5"]',
      '["1","5"],["1.00","5"],["1.000","0.00"]',
      "",
      '["3","1"],["2","1"],["1","1"]',
      '["-1","-5"],["0","0"]',
    ];
    expectSame(utf8(lists.flatMap((bids, at) => lists.map((asks) => `${at} f {"b":[${bids}],"a":[${asks}]}\n`)).join("")));
  });

  it("keeps more shapes of lines than it has templates for", () => {
    expectSame(utf8(Array.from({ length: 400 }, (_, at) => `${at} f {"key${at % 150}":${at}}\n`).join("")));
  });

  it("is not slowed down by prices that were chosen to collide", () => {
    // All these keys fall to one place of a table of 2^32 by their low bits: a chain without a bound would take 10^10 steps, and this test its time.
    const levels = Array.from({ length: 200_000 }, (_, at) => `["${4_294_967_296 * (at + 1)}","1"]`);
    expectSame(utf8(`1 f {"b":[${levels}]}\n`));
  });

  it("loses no level of messages of any length, whose prices come again in any order", () => {
    const random = new Random(7);
    const whole = (below: number) => Math.floor(random.uniform() * below);
    const sizes = ["0", "0.00000000", "1.5", "12", "0.25000000", "31.41592653", "1000000", "123456789012345", "0.123456789"];
    for (const most of [1, 8, 60, 1_500]) {
      const lines = Array.from({ length: 40 }, (_, line) => {
        const prices = Array.from({ length: 1 + whole(most) }, () => 5_000 + whole(most * 2));
        const sorted = [...new Set(prices)].sort((a, b) => (line % 3 === 0 ? b - a : a - b));
        const side = (keys: readonly number[]) =>
          keys.map((key) => `["${key}.${line % 5 === 0 ? "10" : "1"}","${sizes[whole(sizes.length)]}"]`);
        return `${line * 7} f {"b":[${side(sorted)}],"a":[${side(line % 4 === 0 ? prices : sorted)}]}\n`;
      });
      expectSame(utf8(lines.join("")));
    }
  });

  it("loses no amount of those that were chosen to collide once they are listed", () => {
    // First enough others that the counter's table grows, in which they then do not collide; in the small one of listed amounts they do.
    const others = Array.from({ length: 12_000 }, (_, at) => 10_000_001 + ((at * at * 7_919) % 9_999_991));
    const colliding = Array.from({ length: 299_999 }, (_, at) => at + 1)
      .filter((amount) => Math.imul(amount, GOLDEN) >>> 22 === 0)
      .slice(0, 250);
    expect(colliding).toHaveLength(250);
    // Less frequent ones are listed behind them: each has to be told by its own rank.
    const later = Array.from({ length: 20 }, (_, at) => 400_003 + at * 17);
    const often = Array.from({ length: 6 }, (_, time) => (time === 0 ? colliding : [...colliding, ...later])).flat();
    const amounts = [...others, ...often];
    const lines = Array.from({ length: Math.ceil(amounts.length / 20) }, (_, line) => {
      const levels = amounts.slice(line * 20, line * 20 + 20).map((amount, at) => `["${1_000 + line * 20 + at}","${amount}"]`);
      return `${1_767_000_000_000 + line} f {"b":[${levels}]}\n`;
    });
    expectSame(utf8(lines.join("")));
  });

  it("takes a fraction of the text where the text repeats", () => {
    const lines = Array.from(
      { length: 2_000 },
      (_, at) =>
        `${1_767_000_000_000 + at * 100} f {"u":${900_000 + at * 7},"s":"BTCUSDT","b":[["61837.${10 + (at % 50)}000000","0.00000000"]]}\n`,
    );
    expect(encodeBlock(utf8(lines.join(""))).length).toBeLessThan(6_000);
  });

  it("has the bytes that every engine gives", () => {
    expect(dayFileDigest(encodeBlock)).toBe(DAY_FILE_DIGEST);
  });

  it("answers with a reason to bytes that are no block, and to blocks with bytes changed", () => {
    const text = utf8(
      Array.from(
        { length: 40 },
        (_, at) => `${at * 7} f {"u":${at},"t":"2021-04-17T16:43:37.0${10 + at}Z","s":"x${at % 3}","b":[["${at}.5","1"]]}\n`,
      ).join(""),
    );
    const block = encodeBlock(text);
    expect(decodeBlock(block, text.length + 1)).toHaveProperty("malformed");
    expect(decodeBlock(block, -1)).toHaveProperty("malformed");
    expect(decodeBlock(block, Number.NaN)).toHaveProperty("malformed");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(block.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(block.length),
        (changes, cut) => {
          const hostile = Uint8Array.from(block);
          for (const [at, byte] of changes) hostile[at] = byte;
          expectAnswer(decodeBlock(hostile, text.length));
          expectAnswer(decodeBlock(hostile.subarray(0, cut), text.length));
        },
      ),
      { numRuns: 1_500 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(100_000), (bytes, size) => expectAnswer(decodeBlock(bytes, size))),
      { numRuns: 2_000 },
    );
  });
});

describe("recorded tapes", () => {
  const spot = recording("wire/binance-spot-btcusdt-20240808.ndjson.gz");
  it.skipIf(spot === null)(`come out of a block as they went in, and a depth update takes under 2.2 bytes ${WITHOUT_RECORDINGS}`, () => {
    if (spot === null) return;
    const depth = readNanosecondLines(spot).filter(({ text }) => text.includes('"depthUpdate"'));
    const levels = depth.reduce((sum, { text }) => sum + countLevels(text), 0);
    const tape = utf8(depth.map(({ receivedAt: at, text }) => encodeFrame(at, text)).join(""));
    expect(levels).toBe(124_090);
    expect(expectSame(tape).length / levels).toBeLessThan(2.2);
  });

  for (const path of [
    "wire/binance-spot-btcusdt-20240808.ndjson.gz",
    "wire/binance-cm-btcusd-perp-20240808.ndjson.gz",
    "wire/binance-spot-thin-2021-10-12.ws.txt.gz",
    "wire/bitmex-2021-07-22.ws.txt.gz",
    "wire/coinbase-exchange-2021-04-17.ws.txt.gz",
  ]) {
    const file = recording(path);
    it.skipIf(file === null)(`lose no byte of ${path} ${WITHOUT_RECORDINGS}`, () => {
      if (file !== null)
        expectSame(
          utf8(
            readRecordedTape(file)
              .map(({ receivedAt: at, text }) => encodeFrame(at, text))
              .join(""),
          ),
        );
    });
  }
});

function countLevels(frame: string): number {
  const { data } = JSON.parse(frame);
  return data.b.length + data.a.length;
}

function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "utf8"));
}

/** One instance for all blocks: nothing of one may show in another. */
const kernel = openDayFileKernel();

/** The text comes back, and the kernel writes the same block of it. */
function expectSame(text: Uint8Array): Uint8Array {
  const block = encodeBlock(text);
  if (Buffer.compare(encodeBlockBy(kernel, text), block) !== 0)
    throw new Error(`the kernel's bytes are others: ${JSON.stringify(Buffer.from(text).toString("latin1").slice(0, 400))}`);
  const back = decodeBlock(block, text.length);
  if ("malformed" in back) throw new Error(`${back.malformed}: ${JSON.stringify(Buffer.from(text).toString("latin1").slice(0, 400))}`);
  if (Buffer.compare(back, text) !== 0)
    throw new Error(`other bytes: ${JSON.stringify(Buffer.from(text).toString("latin1").slice(0, 400))}`);
  return block;
}

function expectAnswer(answer: Uint8Array | { readonly malformed: string }): void {
  if (answer instanceof Uint8Array) return;
  expect(answer.malformed).toBeTypeOf("string");
}
