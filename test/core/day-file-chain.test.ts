import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeHeader, type Trailer } from "../../core/wire/day-file/format.ts";
import { proveChain, readBlockAt, readDayFile, readTrailerOf, verifyDayFile } from "../../core/wire/day-file/reader.ts";
import { type DayFileState, DayFileWriter } from "../../core/wire/day-file/writer.ts";

const MARKET = "binance-spot:BTCUSDT";
const DAY = "2026-01-05";
/** Some 90 bytes a line; blocks of 2,000 bytes are some twenty of them. */
const BLOCK_BYTES = 2_000;

describe("a day file's chain", () => {
  it("proves a whole file, and names its content by the head", async () => {
    const { file, trailer } = await write(sampleTape(200));
    expect(await verifyDayFile([file], sha256, { market: MARKET, day: DAY })).toEqual({
      isWhole: true,
      market: MARKET,
      day: DAY,
      blocks: trailer.blocks.length,
      lines: 200,
      textBytes: sampleTape(200).length,
      head: Buffer.from(trailer.head).toString("hex"),
    });
    expect(trailer.blocks.length).toBeGreaterThan(5);
  });

  it("is the same file however the tape was cut into pushes", async () => {
    const tape = sampleTape(120);
    const { file } = await write(tape);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(tape.length), { maxLength: 12 }), async (cuts) => {
        const { file: again } = await write(tape, cuts);
        expect(Buffer.compare(again, file)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it("is read from pieces of any size", async () => {
    const tape = sampleTape(60);
    const { file } = await write(tape);
    for (const size of [1, 7, 1000]) {
      const pieces = Array.from({ length: Math.ceil(file.length / size) }, (_, at) => file.subarray(at * size, (at + 1) * size));
      expect(Buffer.compare(await textOf(pieces), tape)).toBe(0);
    }
  });

  it("shows any flipped byte", async () => {
    const { file } = await write(sampleTape(60));
    for (let at = 0; at < file.length; at++) {
      const flipped = Uint8Array.from(file);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      const verified = await verifyDayFile([flipped], sha256, { market: MARKET, day: DAY });
      if (verified.isWhole) throw new Error(`the flipped byte ${at} of ${file.length} goes unseen`);
    }
  });

  it("names the block in which a byte was flipped", async () => {
    const { file, trailer } = await write(sampleTape(100));
    const place = blockOf(trailer, 2);
    const flipped = Uint8Array.from(file);
    flipped[place.offset + place.bytes - 40] = (flipped[place.offset + place.bytes - 40] as number) ^ 1;
    expect(await verifyDayFile([flipped], sha256)).toMatchObject({ isWhole: false, fault: { kind: "block-damaged", block: 2 } });
  });

  it("shows a block that was taken out, and where", async () => {
    const { file, trailer } = await write(sampleTape(100));
    const place = blockOf(trailer, 1);
    const without = Buffer.concat([file.subarray(0, place.offset), file.subarray(place.offset + place.bytes)]);
    expect(await verifyDayFile([without], sha256)).toMatchObject({ isWhole: false, fault: { kind: "chain-broken", block: 1 } });
  });

  it("shows a last block that was taken out", async () => {
    const { file, trailer } = await write(sampleTape(100));
    const place = blockOf(trailer, trailer.blocks.length - 1);
    const without = Buffer.concat([file.subarray(0, place.offset), file.subarray(place.offset + place.bytes)]);
    expect(await verifyDayFile([without], sha256)).toMatchObject({ isWhole: false, fault: { kind: "chain-broken", block: null } });
  });

  it("shows two blocks that were swapped, and where", async () => {
    const { file, trailer } = await write(sampleTape(100));
    const [one, two] = [blockOf(trailer, 1), blockOf(trailer, 2)];
    const swapped = Buffer.concat([
      file.subarray(0, one.offset),
      file.subarray(two.offset, two.offset + two.bytes),
      file.subarray(one.offset, one.offset + one.bytes),
      file.subarray(two.offset + two.bytes),
    ]);
    expect(await verifyDayFile([swapped], sha256)).toMatchObject({ isWhole: false, fault: { kind: "chain-broken", block: 1 } });
  });

  it("shows an end that was cut off, wherever", async () => {
    const { file } = await write(sampleTape(40));
    for (let length = 0; length < file.length; length++) {
      const verified = await verifyDayFile([file.subarray(0, length)], sha256);
      expect(verified).toMatchObject({ isWhole: false, fault: { kind: "cut" } });
    }
  });

  it("shows what was added behind the end", async () => {
    const { file } = await write(sampleTape(10));
    expect((await verifyDayFile([Buffer.concat([file, Buffer.from([0])])], sha256)).isWhole).toBe(false);
    expect((await verifyDayFile([Buffer.concat([file, file])], sha256)).isWhole).toBe(false);
  });

  it("shows the file of another market or day, and of another version", async () => {
    const { file } = await write(sampleTape(10));
    expect(await verifyDayFile([file], sha256, { market: "bitmex:XBTUSD" })).toMatchObject({ fault: { kind: "other-market" } });
    expect(await verifyDayFile([file], sha256, { day: "2026-01-06" })).toMatchObject({ fault: { kind: "other-market" } });
    const newer = Uint8Array.from(file);
    newer[7] = 2;
    expect(await verifyDayFile([newer], sha256)).toMatchObject({ fault: { kind: "unknown-version" } });
    expect(await verifyDayFile([Buffer.from("1795268884810 o 1\n")], sha256)).toMatchObject({ fault: { kind: "not-a-day-file" } });
  });

  it("lets a block be fetched alone, by receive time", async () => {
    const tape = sampleTape(100);
    const { file } = await write(tape);
    const short = await readTrailerOf(file.subarray(file.length - 20), sha256);
    if (!("needed" in short)) throw new Error("a trailer in twenty bytes");
    const trailer = await readTrailerOf(file.subarray(file.length - short.needed), sha256);
    if (!("head" in trailer)) throw new Error(JSON.stringify(trailer));
    const third = blockOf(trailer, 2);
    const text = await readBlockAt(file.subarray(third.offset, third.offset + third.bytes), 2, sha256);
    if (!(text instanceof Uint8Array)) throw new Error(JSON.stringify(text));
    const before = trailer.blocks.slice(0, 2).reduce((sum, { textBytes }) => sum + textBytes, 0);
    expect(Buffer.compare(text, tape.subarray(before, before + third.textBytes))).toBe(0);
    const times = Buffer.from(text)
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => Number(line.split(" ")[0]));
    expect([third.firstReceivedAt, third.lastReceivedAt]).toEqual([Math.min(...times), Math.max(...times)]);
  });

  it("writes an empty day, which is whole", async () => {
    const { file } = await write(new Uint8Array(0));
    expect(await verifyDayFile([file], sha256)).toMatchObject({ isWhole: true, blocks: 0, lines: 0, textBytes: 0 });
  });

  it("never throws, and never believes, arbitrary bytes behind a right beginning", async () => {
    const { file } = await write(sampleTape(10));
    const header = decodeHeader(file);
    if (header === null || !("length" in header)) throw new Error("no header");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), fc.constantFrom([0x42], [0x54], []), async (bytes, tag) => {
        const hostile = Buffer.concat([file.subarray(0, header.length), Uint8Array.from(tag), bytes]);
        expect((await verifyDayFile([hostile], sha256)).isWhole).toBe(false);
      }),
      { numRuns: 300 },
    );
  });
});

/** Quotes whose receive times step back now and then, as they do where two gzip members of one minute meet. */
function sampleTape(lines: number): Uint8Array {
  const rows = Array.from({ length: lines }, (_, at) => {
    const receivedAt = 1_767_571_200_000 + at * 137 - (at % 10 === 9 ? 5_000 : 0);
    return `${receivedAt} f {"u":${4_000_000 + at * 3},"s":"BTCUSDT","b":"61837.${10 + (at % 80)}000000","B":"${at}.50000000"}\n`;
  });
  return new Uint8Array(Buffer.from(rows.join("")));
}

async function write(tape: Uint8Array, cuts: readonly number[] = []): Promise<{ file: Uint8Array; trailer: Trailer }> {
  const writer = new DayFileWriter({ market: MARKET, day: DAY, digest: sha256, blockBytes: BLOCK_BYTES });
  const pieces: Uint8Array[] = [];
  const ends = [...cuts].sort((a, b) => a - b).concat(tape.length);
  let from = 0;
  for (const end of ends) {
    pieces.push(await writer.push(tape.subarray(from, end)));
    from = end;
  }
  const { bytes, trailer } = await writer.finish();
  return { file: new Uint8Array(Buffer.concat([...pieces, bytes])), trailer };
}

async function textOf(pieces: Iterable<Uint8Array>): Promise<Uint8Array> {
  const texts: Uint8Array[] = [];
  for await (const part of readDayFile(pieces, sha256)) {
    if (part.kind === "fault") throw new Error(JSON.stringify(part.fault));
    if (part.kind === "block") texts.push(part.text);
  }
  return Buffer.concat(texts);
}

function blockOf(trailer: Trailer, number: number) {
  const place = trailer.blocks[number];
  if (place === undefined) throw new Error(`no block ${number}`);
  return place;
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(bytes).digest();
}

describe("a day file that is made in several sittings", () => {
  it("is the same file, wherever the work was put down and taken up again", async () => {
    const tape = sampleTape(120);
    const { file } = await write(tape);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(tape.length), { maxLength: 6 }), async (cuts) => {
        const pieces: Uint8Array[] = [];
        let from: DayFileState | undefined;
        const ends = [...cuts.toSorted((a, b) => a - b), tape.length];
        const options = { market: MARKET, day: DAY, digest: sha256, blockBytes: BLOCK_BYTES, proof: "decoded" } as const;
        for (const [index, end] of ends.entries()) {
          const writer = new DayFileWriter({ ...options, ...(from === undefined ? {} : { from }) });
          pieces.push(await writer.push(tape.subarray(ends[index - 1] ?? 0, end)));
          // All but the waiting text goes through JSON.
          const { waiting, ...rest } = writer.state();
          from = { ...(JSON.parse(JSON.stringify(rest)) as Omit<DayFileState, "waiting">), waiting };
        }
        const last = new DayFileWriter({ ...options, ...(from === undefined ? {} : { from }) });
        expect(Buffer.compare(Buffer.concat([...pieces, (await last.finish()).bytes]), file)).toBe(0);
      }),
      { numRuns: 20 },
    );
  });

  it("whose chain alone is proved shows any flipped byte, and tells the same of a whole one", async () => {
    const { file } = await write(sampleTape(60));
    expect(await proveChain([file], sha256)).toEqual(await verifyDayFile([file], sha256));
    for (let at = 0; at < file.length; at += 3) {
      const flipped = Uint8Array.from(file);
      flipped[at] = (flipped[at] as number) ^ (1 << (at % 8));
      if ((await proveChain([flipped], sha256, { market: MARKET, day: DAY })).isWhole)
        throw new Error(`the flipped byte ${at} goes unseen`);
    }
  });
});
