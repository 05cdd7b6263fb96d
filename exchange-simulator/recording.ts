/**
 * Recorded wire files, read as a stream of records in the order in which they were received. Plain, or gzip (also several members) where
 * the name ends in .gz.
 *
 * Three forms, told apart by the first line:
 * - ndjson: `<received ns> <json>`; a line `{"lastUpdateId":…}` is the answer to a depth request, of the one symbol of the file;
 * - cryptofeed's: `<received s>: <frame>`; what the client sent and connection lines (`wss://…`) are left out; a file `X.ws.txt.gz` has its REST
 *   answers in `X.rest.txt.gz` beside it, lines `<url> -> <received s>: <body>`, of which depth snapshots are taken;
 * - our own tape (core/wire/tape.ts).
 * What isn't a message of a combined stream or a snapshot is left out. Memory is bounded by the longest line.
 */

import { existsSync } from "node:fs";
import { ArchiveError } from "../archive/archive-error.ts";
import { readLines as readBlocks } from "../archive/line-reader.ts";
import { decodeRecordedLine } from "../core/wire/recorded-line.ts";
import { decodeTapeLine } from "../core/wire/tape.ts";

export type RecordedMessage =
  | { kind: "frame"; receivedAt: number; text: string }
  /** `symbol` is null where the file doesn't say: it then has but one. */
  | { kind: "snapshot"; receivedAt: number; symbol: string | null; body: string };

export class RecordingError extends Error {}

type ReadLine = (line: string) => RecordedMessage | null;

/** Messages of the files, one file after the other. Throws RecordingError for a file that is missing, cut off or in none of the forms. */
export async function* readRecording(files: readonly string[]): AsyncGenerator<RecordedMessage> {
  for (const file of files) yield* mergeByTime(readFile(file), await restSnapshots(file));
}

/** Whether a text is a message of a combined stream, and where its parts are. @returns null when it isn't. */
export function splitCombined(text: string): { stream: string; data: string } | null {
  const head = '{"stream":"';
  const middle = '","data":';
  if (!text.startsWith(head) || !text.endsWith("}")) return null;
  const end = text.indexOf('"', head.length);
  if (end < 0 || !text.startsWith(middle, end)) return null;
  return { stream: text.slice(head.length, end), data: text.slice(end + middle.length, -1) };
}

async function* readFile(file: string): AsyncGenerator<RecordedMessage> {
  let read: ReadLine | null = null;
  for await (const line of readLines(file)) {
    if (line === "") continue;
    read ??= formOf(line, file);
    const message = read(line);
    if (message !== null) yield message;
  }
}

function formOf(line: string, file: string): ReadLine {
  if (/^\d{1,16} [a-zA-Z] /.test(line)) return readTapeLine;
  if (!("malformed" in decodeRecordedLine(line))) return readRecordersLine;
  throw new RecordingError(`${file} is in none of the known forms; it begins ${JSON.stringify(line.slice(0, 60))}`);
}

/** What is no frame of a combined stream, and no snapshot, isn't played: a line torn by the recorder's end least of all. */
function readRecordersLine(line: string): RecordedMessage | null {
  const recorded = decodeRecordedLine(line);
  if ("malformed" in recorded) return null;
  const { kind } = recorded;
  if (kind === "frame") return recorded.text.startsWith("{") ? recorded : null;
  return kind === "answer" ? { kind: "snapshot", receivedAt: recorded.receivedAt, symbol: null, body: recorded.body } : null;
}

function readTapeLine(line: string): RecordedMessage | null {
  const record = decodeTapeLine(line);
  if ("malformed" in record) throw new RecordingError(`not a line of a tape: ${record.malformed}`);
  if (record.kind === "frame") return { kind: "frame", receivedAt: record.receivedAt, text: record.text };
  if (record.kind !== "snapshot") return null;
  return { kind: "snapshot", receivedAt: record.receivedAt, symbol: record.symbol, body: record.body };
}

/** The file beside a cryptofeed recording (`X.ws.txt.gz`) that holds the answers to its requests; null where there is none. */
export function answersBeside(file: string): string | null {
  const match = /^(.*)\.ws(\.txt(?:\.gz)?)$/.exec(file);
  const beside = match === null ? null : `${match[1]}.rest${match[2]}`;
  return beside !== null && existsSync(beside) ? beside : null;
}

/** The depth snapshots of a cryptofeed recording, oldest first; none for other forms. */
async function restSnapshots(file: string): Promise<RecordedMessage[]> {
  const beside = answersBeside(file);
  if (beside === null) return [];
  const snapshots: RecordedMessage[] = [];
  for await (const line of readLines(beside)) {
    const answer = decodeRecordedLine(line);
    if ("malformed" in answer || answer.kind !== "answer") continue;
    const symbol = /\/depth\?\S*symbol=([A-Z0-9]+)/.exec(answer.url ?? "")?.[1];
    if (symbol !== undefined) snapshots.push({ kind: "snapshot", receivedAt: answer.receivedAt, symbol, body: answer.body });
  }
  return snapshots.sort((left, right) => left.receivedAt - right.receivedAt);
}

async function* mergeByTime(frames: AsyncGenerator<RecordedMessage>, snapshots: RecordedMessage[]): AsyncGenerator<RecordedMessage> {
  let next = 0;
  for await (const frame of frames) {
    for (let due = snapshots[next]; due !== undefined && due.receivedAt <= frame.receivedAt; due = snapshots[next]) {
      yield due;
      next++;
    }
    yield frame;
  }
  yield* snapshots.slice(next);
}

async function* readLines(file: string): AsyncGenerator<string> {
  try {
    for await (const { lines } of readBlocks(file)) yield* lines;
  } catch (cause) {
    throw cause instanceof ArchiveError ? new RecordingError(cause.message, { cause }) : cause;
  }
}
