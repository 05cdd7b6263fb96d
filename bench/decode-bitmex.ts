/**
 * BitMEX's frames decoded and applied a second, beside JSON.parse alone on the same strings: a recorded session of ten symbols, some 15 seconds
 * of all changes of their books, their quotes and trades. The partials are in the books before the clock starts.
 *
 * Twice: with a decoder and books made anew for each round, whose tables and blocks have yet to grow and are in no cache; and with
 * the same decoder and books in all rounds, which each round's partials bring back to where the session begins.
 */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Instrument } from "../core/market/instrument.ts";
import { bitmex } from "../exchanges/bitmex/bitmex.ts";
import { benchBesideParse, type SocketSession } from "./beside-parse.ts";
import { readRecording } from "./recording.ts";
import type { BenchOptions, BenchResult } from "./report.ts";

/** Beside it lies the venue's list of instruments: `.rest.txt.gz`. */
const RECORDING = resolve(import.meta.dirname, "../../shared/data/wire/bitmex-2021-07-22.ws.txt.gz");
/** A pass takes a millisecond: each round is as many, each timed beside its peer. */
const PASSES_PER_ROUND = 20;

export async function benchDecodeBitmex({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const path = file ?? RECORDING;
  if (!existsSync(path)) throw new Error(`no recording at ${path}: name one with --file`);
  const frames = readRecording(path)
    .map(({ text }) => text)
    .filter((text) => text.startsWith('{"table":'));
  const isPartial = (frame: string) => frame.includes('"action":"partial"');
  const session: SocketSession = {
    name: "BitMEX, new books,",
    adapter: bitmex,
    instruments: instrumentsOf(path.replace(".ws.", ".rest."), frames),
    snapshots: frames.filter((frame) => isPartial(frame) && frame.startsWith('{"table":"orderBookL2"')),
    frames: frames.filter((frame) => !isPartial(frame)),
    books: "new",
  };
  const sessions: SocketSession[] = [session, { ...session, name: "BitMEX, kept books,", books: "kept" }];
  return sessions.flatMap((each) => benchBesideParse(each, rounds * PASSES_PER_ROUND));
}

/** Of the symbols that the frames are of; the file's first line is the answer of `/instrument/active`. */
function instrumentsOf(path: string, frames: readonly string[]): readonly Instrument[] {
  const symbols = new Set(frames.map((frame) => /"symbol":"([^"]+)"/.exec(frame)?.[1] ?? ""));
  const [line = ""] = gunzipSync(readFileSync(path)).toString("utf8").split("\n", 1);
  const decoded = bitmex.decodeInstruments(line.slice(line.indexOf(": ") + 2), [...symbols]);
  if ("malformed" in decoded) throw new Error(`${path}: ${decoded.malformed}`);
  return decoded.instruments;
}
