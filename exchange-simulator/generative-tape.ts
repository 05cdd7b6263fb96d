/**
 * A tape of one generated market, made offline: what a feed would have recorded of it, deterministic byte for byte and far faster than real time.
 * Pure: no clock, no I/O. The training data of the shipped model is made with it.
 */

import type { PresetName } from "../core/simulation/presets.ts";
import type { TapeRecord } from "../core/wire/tape.ts";
import { combinedText } from "./frame-text.ts";
import { GenerativeSymbol, type StreamKind } from "./generative-symbol.ts";
import { streamName } from "./stream-names.ts";

export interface SimulateTapeOptions {
  readonly preset: PresetName;
  readonly seed: number;
  readonly symbol: string;
  /** Length of the tape. */
  readonly seconds: number;
  /** Epoch ms of its start. */
  readonly startTime: number;
  /** Length of a depth batch; 100 unless told. */
  readonly intervalMs?: number;
}

/** When the snapshot is taken after the start: amid the diffs, as a feed that synchronises would have it. */
const SNAPSHOT_AFTER_MS = 250;
const SNAPSHOT_LIMIT = 5_000;
const CHUNK_MS = 1_000;

/** The connection's opening, frames of the combined stream in order of time, and one snapshot 250 ms in. Messages arrive at their venue time. */
export function* simulateTape(options: SimulateTapeOptions): Generator<TapeRecord> {
  const { preset, seed, symbol, startTime } = options;
  const market = new GenerativeSymbol({ symbol, preset, seed, startTime, intervalMs: options.intervalMs ?? 100 });
  const end = startTime + Math.round(options.seconds * 1_000);
  const records: TapeRecord[] = [];
  const listener = {
    wants: () => true,
    hear: (kind: StreamKind, data: string, receivedAt: number) => {
      records.push({ kind: "frame", receivedAt, text: combinedText(streamName(symbol, kind), data) });
    },
  };
  yield { kind: "open", receivedAt: startTime, connection: "1" };
  const snapshotAt = Math.min(end, startTime + SNAPSHOT_AFTER_MS);
  market.advanceTo(snapshotAt, listener);
  yield* records;
  yield { kind: "snapshot", receivedAt: snapshotAt, symbol, body: market.depthBody(SNAPSHOT_LIMIT) };
  for (let until = snapshotAt; until < end; ) {
    until = Math.min(end, until + CHUNK_MS);
    records.length = 0;
    market.advanceTo(until, listener);
    yield* records;
  }
}
