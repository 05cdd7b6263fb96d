/** The records of a tape in a replay: each is to the reducer what it was live (core/wire/tape.ts says how they are written). */

import type { TapeRecord } from "../core/wire/tape.ts";
import type { GapReason } from "./contract.ts";
import { DOWN_REASONS, isInNumbers } from "./tape-holes.ts";

/** What the reducer takes of a tape. */
export interface TapeTarget {
  unreadableFrame(sample: string, reason: string, receivedAt: number): unknown;
  snapshot(symbol: string, body: string, receivedAt: number): void;
  snapshotAsked(symbol: string, at: number): void;
  connectionOpened(at: number): void;
  connectionLost(at: number, reason: GapReason, detail: string): void;
  resync(symbol: string, at: number, detail: string): void;
  numbersBroken(at: number, detail: string): void;
  checkpoint(symbol: string, body: string, at: number): void;
  standbyOpened(at: number): void;
  standbyFrame(text: string, receivedAt: number): unknown;
  standbyLost(at: number): void;
  takeOver(at: number): void;
  readsOneMarketsTape(): void;
}

/** Takes one record of a tape; its frames the reducer takes itself. */
export function replayRecord(record: Exclude<TapeRecord, { kind: "frame" }>, feed: TapeTarget): void {
  switch (record.kind) {
    case "binary":
      feed.unreadableFrame(record.base64, "a binary frame", record.receivedAt);
      break;
    case "snapshot":
      feed.snapshot(record.symbol, record.body, record.receivedAt);
      break;
    case "open":
      feed.connectionOpened(record.receivedAt);
      break;
    case "down":
      replayDown(record.reason, record.receivedAt, feed);
      break;
    case "hole":
      replayHole(record, feed);
      break;
    case "checkpoint":
      feed.checkpoint(record.symbol, record.body, record.receivedAt);
      break;
    case "asked":
      feed.snapshotAsked(record.symbol, record.receivedAt);
      break;
    case "standby-open":
      feed.standbyOpened(record.receivedAt);
      break;
    case "standby-frame":
      feed.standbyFrame(record.text, record.receivedAt);
      break;
    case "standby-down":
      feed.standbyLost(record.receivedAt);
      break;
    case "takeover":
      feed.takeOver(record.receivedAt);
      break;
    case "instrument":
      // Grids are fixed when the reducer is made: whoever reads a tape looks for this record first. Only our recorder's tapes have it.
      feed.readsOneMarketsTape();
      break;
  }
}

/** The recorder writes "<reason>: <detail>"; a tape of somebody else's may say anything. */
function replayDown(text: string, at: number, feed: TapeTarget): void {
  const reason = DOWN_REASONS.find((known) => text.startsWith(`${known}: `));
  if (reason === undefined) feed.connectionLost(at, "connection-down", text);
  else feed.connectionLost(at, reason, text.slice(reason.length + 2));
}

function replayHole({ symbol, reason, receivedAt }: Extract<TapeRecord, { kind: "hole" }>, feed: TapeTarget): void {
  if (symbol !== null) feed.resync(symbol, receivedAt, reason);
  else if (isInNumbers(reason)) feed.numbersBroken(receivedAt, reason);
  else feed.connectionLost(receivedAt, "restarted", reason);
}
