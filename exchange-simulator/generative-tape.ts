/**
 * A tape of one generated market, made offline: what a feed would have recorded of it, deterministic byte for byte and far faster than real time.
 * Pure: no clock, no I/O. The training data of the shipped model is made with it.
 */

import type { PresetName } from "../core/simulation/presets.ts";
import type { TapeRecord } from "../core/wire/tape.ts";
import { generativeSource } from "./market/generative-records.ts";
import { binanceSpot } from "./protocols/binance/venue.ts";
import { streamName } from "./stream-names.ts";
import { World } from "./world.ts";

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
const VENUE = "binance-spot";
const KINDS = ["depth", "quote", "trade", "kline"] as const;
/** Nobody ends a connection that is recorded in memory. */
const UNCUT = { close: () => {}, terminate: () => {}, reset: () => {} };

/** The connection's opening, frames of the combined stream in order of time, and one snapshot 250 ms in. Messages arrive at their venue time. */
export function* simulateTape(options: SimulateTapeOptions): Generator<TapeRecord> {
  const { preset, seed, symbol, startTime, intervalMs } = options;
  const end = startTime + Math.round(options.seconds * 1_000);
  const world = new World({
    sources: [generativeSource({ name: symbol, preset, seed, startTime })],
    venues: [{ protocol: binanceSpot, listings: [[symbol, symbol]], settings: intervalMs === undefined ? {} : { intervalMs } }],
  });
  let records: TapeRecord[] = [];
  const deliver = (text: string) => records.push({ kind: "frame", receivedAt: world.clock.now, text });
  const streams = KINDS.map((kind) => streamName(symbol, kind)).join("/");
  world.connect(VENUE, { path: "/stream", query: new URLSearchParams({ streams }) }, { ...UNCUT, deliver });
  const live = (until: number): TapeRecord[] => {
    records = [];
    world.advanceTo(until);
    return records;
  };
  yield { kind: "open", receivedAt: startTime, connection: "1" };
  const snapshotAt = Math.min(end, startTime + SNAPSHOT_AFTER_MS);
  yield* live(snapshotAt);
  const query = new URLSearchParams({ symbol, limit: String(SNAPSHOT_LIMIT) });
  const { body } = world.rest(VENUE, { method: "GET", path: "/api/v3/depth", query }).answer;
  yield { kind: "snapshot", receivedAt: snapshotAt, symbol, body };
  for (let until = snapshotAt; until < end; ) {
    until = Math.min(end, until + CHUNK_MS);
    yield* live(until);
  }
}
