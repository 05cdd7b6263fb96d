/**
 * Frames decoded and applied a second, beside JSON.parse alone on the same strings.
 *
 * Ours does everything a feed does with a frame (decode, judge the sequence, apply to the book); JSON.parse makes the objects and stops.
 * A ratio above 1 means that a frame is in the book before JSON.parse would have returned.
 */

import { DEFAULT_RECORDING, type DepthSession, openSession, type StartedBook, startBook } from "./depth-session.ts";
import { type BenchOptions, type BenchResult, type Contender, median, pairedRatio, timeRounds } from "./report.ts";

export async function benchDecode({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const session = openSession(file ?? DEFAULT_RECORDING);
  let started = startBook(session);
  let parsed = 0;
  const contenders: Contender[] = [
    {
      name: "edgebook",
      prepare() {
        started = startBook(session);
      },
      work: () => decodeAndApply(session, started),
    },
    {
      name: "JSON.parse",
      prepare() {
        parsed = 0;
      },
      work() {
        for (const frame of session.frames) if (JSON.parse(frame) !== null) parsed++;
      },
    },
  ];
  const [own, parse] = timeRounds(contenders, rounds) as [number[], number[]];
  if (parsed !== session.frames.length) throw new Error(`JSON.parse read ${parsed} of ${session.frames.length} frames`);
  const sizes = { frames: session.frames.length, characters: session.frames.reduce((sum, { length }) => sum + length, 0), rounds };
  const hash = started.book.contentHash();
  const result = (name: string, seconds: readonly number[]) => ({
    name: `decode ${name}`,
    sizes,
    seconds: median(seconds),
    framesPerSecond: Math.round(sizes.frames / median(seconds)),
    hash,
  });
  return [
    {
      ...result("and apply, edgebook", own),
      peer: "JSON.parse alone",
      ratio: pairedRatio(own, parse),
      timeShare: 1 / pairedRatio(own, parse),
    },
    { ...result("JSON.parse alone", parse) },
  ];
}

function decodeAndApply({ frames }: DepthSession, { decoder, sequencer, book }: StartedBook): void {
  for (const frame of frames) {
    const decoded = decoder.decode(frame);
    if (decoded.kind === "malformed") throw new Error(`malformed frame in the recording: ${decoded.reason}`);
    if (decoded.kind === "event" && decoded.event.kind === "depth" && sequencer.judge(decoded.event) === "apply")
      book.apply(decoded.event.levels);
  }
}
