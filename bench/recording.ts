/**
 * A recorder's file as a bench or a test wants it: what the venue sent, in order, as a socket would have given it (core/wire/recorded-line.ts).
 *
 * Frames are flat strings (each decoded from its own bytes): a slice of the whole file would make every later character access slower than a
 * socket's string is.
 */

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Instrument } from "../core/market/instrument.ts";
import { decodeRecordedLine, type RecordedLine } from "../core/wire/recorded-line.ts";
import { RecordingSurvey } from "../training/datasets/instrument-inference.ts";

export interface RecordedFrame {
  readonly kind: "frame" | "snapshot";
  /** Epoch ms, with a fraction. */
  readonly receivedAt: number;
  /** Of a snapshot, where the recording says whose it is. */
  readonly symbol: string | null;
  readonly text: string;
}

/** Frames and depth snapshots. Throws for a line that is none of a recorder's. */
export function readRecording(path: string): RecordedFrame[] {
  return readRecordedLines(path).flatMap((line): RecordedFrame[] => {
    if (line.kind === "frame") return [{ kind: "frame", receivedAt: line.receivedAt, symbol: null, text: flat(line.text) }];
    if (line.kind !== "answer" || !line.body.startsWith('{"lastUpdateId"')) return [];
    const symbol = /[?&]symbol=(\w+)/.exec(line.url ?? "")?.[1] ?? null;
    return [{ kind: "snapshot", receivedAt: line.receivedAt, symbol, text: flat(line.body) }];
  });
}

/** Every line of the file, whatever it is. Throws for one that is none of a recorder's. */
export function readRecordedLines(path: string): RecordedLine[] {
  const lines = gunzipSync(readFileSync(path)).toString("utf8").split("\n");
  return lines.flatMap((line) => {
    if (line === "") return [];
    const recorded = decodeRecordedLine(line);
    if ("malformed" in recorded) throw new Error(`${path}: ${recorded.malformed}`);
    return [recorded];
  });
}

/** The instruments of a recording that kept no list of them: grids on which all of it lies. A live feed asks the venue. */
export function inferInstruments(venue: string, frames: readonly RecordedFrame[]): Instrument[] {
  const survey = new RecordingSurvey();
  for (const { symbol, text } of frames) survey.take({ payload: text, answerOf: symbol });
  return survey.instruments(venue);
}

function flat(text: string): string {
  return Buffer.from(text).toString("utf8");
}
