/**
 * Recorders' files (core/wire/recorded-line.ts) as records of a tape. Such a file leaves out what a tape says: that the connection was opened, where it
 * doesn't note that itself, and whose snapshot a bare body is. Answers that lie in a file beside it are put where they came, by receive time.
 */

import { readLines } from "../../archive/line-reader.ts";
import { decodeRecordedLine } from "../../core/wire/recorded-line.ts";
import type { TapeRecord } from "../../core/wire/tape.ts";
import type { ExchangeAdapter } from "../../exchanges/contract.ts";
import { CommandError } from "../command-error.ts";
import type { SourceRecord } from "../replay/feed-source.ts";
import type { SurveyedLine } from "./instrument-inference.ts";

/** An answer to a request, as a recorder kept it. */
export interface RecordedAnswer {
  readonly receivedAt: number;
  readonly url: string;
  readonly body: string;
}

/** Answers are held while their recording is read: a day of snapshots of some markets, and no more. */
const MOST_ANSWER_CHARACTERS = 256_000_000;

/** The answers of a file of them, oldest first. Throws CommandError when there are too many. */
export async function readAnswers(path: string): Promise<RecordedAnswer[]> {
  const answers: RecordedAnswer[] = [];
  let characters = 0;
  for await (const { lines } of readLines(path)) {
    for (const line of lines) {
      const recorded = decodeRecordedLine(line);
      if ("malformed" in recorded || recorded.kind !== "answer" || recorded.url === null) continue;
      characters += recorded.body.length;
      if (characters > MOST_ANSWER_CHARACTERS) throw new CommandError(`${path} holds more than ${MOST_ANSWER_CHARACTERS} characters`);
      answers.push({ receivedAt: recorded.receivedAt, url: recorded.url, body: recorded.body });
    }
  }
  return answers.toSorted((left, right) => left.receivedAt - right.receivedAt);
}

/** Whose snapshot was asked for at `url`; null when it asked for something else. */
export function snapshotSymbolOf(url: string, { snapshots, hosts }: ExchangeAdapter): string | null {
  if (snapshots.kind !== "request" || !URL.canParse(url)) return null;
  const asked = new URL(url);
  const ours = new URL(snapshots.request(hosts, "X").url);
  if (asked.pathname !== ours.pathname) return null;
  const parameter = [...ours.searchParams].find(([, value]) => value === "X")?.[0];
  return parameter === undefined ? null : asked.searchParams.get(parameter);
}

/** The snapshots among the answers, as records. */
export function snapshotRecords(answers: readonly RecordedAnswer[], adapter: ExchangeAdapter): Extract<TapeRecord, { kind: "snapshot" }>[] {
  return answers.flatMap(({ receivedAt, url, body }) => {
    const symbol = snapshotSymbolOf(url, adapter);
    return symbol === null ? [] : [{ kind: "snapshot" as const, receivedAt: Math.floor(receivedAt), symbol, body }];
  });
}

/** @param only the one symbol of the recording, whose the bodies without a request are; null where there are several. @returns null for what wasn't received. */
export function recordOf(line: string, only: string | null): SourceRecord | null {
  const recorded = decodeRecordedLine(line);
  if ("malformed" in recorded) return recorded;
  if (recorded.kind === "own") return null;
  const receivedAt = Math.floor(recorded.receivedAt);
  switch (recorded.kind) {
    case "frame":
      return { kind: "frame", receivedAt, text: recorded.text };
    case "opened":
      return { kind: "open", receivedAt, connection: recorded.url };
    case "answer":
      if (recorded.url !== null) return null;
      if (only === null) return { malformed: "a snapshot that doesn't say whose it is, in a recording of several markets" };
      return { kind: "snapshot", receivedAt, symbol: only, body: recorded.body };
  }
}

/** What a line tells of the recording (instrument-inference.ts). */
export function surveyedLine(line: string): SurveyedLine | null {
  const recorded = decodeRecordedLine(line);
  if ("malformed" in recorded) return null;
  if (recorded.kind === "frame") return { payload: recorded.text, answerOf: null };
  return recorded.kind === "answer" && recorded.url === null ? { payload: recorded.body, answerOf: null } : null;
}

/** The records with an opening before the first, where there is none, and each of `snapshots` before the first record that came after it. */
export async function* completed(
  blocks: AsyncIterable<SourceRecord[]>,
  snapshots: readonly Extract<TapeRecord, { kind: "snapshot" }>[],
): AsyncGenerator<SourceRecord[]> {
  let isOpen = false;
  let next = 0;
  for await (const block of blocks) {
    const joined: SourceRecord[] = [];
    for (const record of block) {
      if (!("malformed" in record)) {
        if (!isOpen && record.kind !== "open") joined.push({ kind: "open", receivedAt: record.receivedAt, connection: "1" });
        isOpen = true;
        for (let due = snapshots[next]; due !== undefined && due.receivedAt <= record.receivedAt; due = snapshots[++next]) joined.push(due);
      }
      joined.push(record);
    }
    yield joined;
  }
  yield snapshots.slice(next);
}
