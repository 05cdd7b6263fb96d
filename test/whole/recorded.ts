/** What a running edgebook has recorded of a market, and the same market again from its tapes: the two have to be equal. */

import { gunzipSync } from "node:zlib";
import { featureSetV1 } from "../../core/features/registry.ts";
import { type Instrument, parseMarketId } from "../../core/market/instrument.ts";
import { parseGrid } from "../../core/units/decimal.ts";
import { MS_PER_MINUTE } from "../../core/units/time.ts";
import { decodeTapeLine, type TapeRecord } from "../../core/wire/tape.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import type { MinuteSnapshot } from "../../feed/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import type { GapBody, MarketView, SnapshotBody } from "../../workers/api/schemas.ts";
import type { System } from "./system.ts";

/** A stored minute, with the records of the tape that it names. */
export interface RecordedMinute {
  readonly row: SnapshotBody;
  readonly records: readonly TapeRecord[];
}

export async function marketsOf(system: System): Promise<string[]> {
  const { markets } = await system.get<{ markets: MarketView[] }>("/v1/markets");
  return markets.map(({ market }) => market);
}

export async function snapshotsOf(system: System, market: string): Promise<SnapshotBody[]> {
  return (await system.get<{ snapshots: SnapshotBody[] }>(`/v1/markets/${market}/snapshots`)).snapshots;
}

export async function gapsOf(system: System, market: string): Promise<GapBody[]> {
  return (await system.get<{ gaps: GapBody[] }>(`/v1/markets/${market}/gaps`)).gaps;
}

/** Downloads the tape of each row. Throws where a row names none, the bytes are not those, or a line is no record. */
export async function downloadMinutes(system: System, rows: readonly SnapshotBody[]): Promise<RecordedMinute[]> {
  return Promise.all(rows.map(async (row) => ({ row, records: await downloadTape(system, row) })));
}

async function downloadTape(system: System, { minuteIso, tape }: SnapshotBody): Promise<TapeRecord[]> {
  if (tape === null) throw new Error(`the row of ${minuteIso} names no tape`);
  const response = await system.fetch(tape.url);
  if (response.status !== 200) throw new Error(`${tape.url} answered ${response.status}: ${await response.text()}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  if (bytes.length !== tape.bytes) throw new Error(`${tape.key} has ${bytes.length} bytes, its row says ${tape.bytes}`);
  const lines = gunzipSync(bytes).toString("utf8").trimEnd().split("\n");
  return lines.map((line) => {
    const record = decodeTapeLine(line);
    if ("malformed" in record) throw new Error(`${tape.key}: ${record.malformed}`);
    return record;
  });
}

export interface Replayed {
  readonly minutes: readonly MinuteSnapshot[];
  readonly malformedFrames: number;
  readonly checkpointMismatches: number;
}

/** Minutes in order, the first one that was recorded first, through a reducer of their own. */
export async function replay(system: System, market: string, recorded: readonly RecordedMinute[]): Promise<Replayed> {
  const instrument = await instrumentOf(system, market);
  const adapter = findAdapter(instrument.venue);
  if (adapter === null) throw new Error(`no adapter speaks ${instrument.venue}`);
  const reducer = new FeedReducer({ adapter, instruments: [instrument], featureSet: featureSetV1 });
  for (const { row, records } of recorded) {
    for (const record of records) reducer.record(record);
    reducer.tick(row.minute + MS_PER_MINUTE);
  }
  return {
    minutes: reducer.takeClosedMinutes().flatMap(({ snapshots }) => snapshots),
    malformedFrames: reducer.malformedFrames,
    checkpointMismatches: reducer.markets.get(instrument.symbol)?.checkpointMismatches ?? Number.NaN,
  };
}

/** What a minute's end has to be the same in, stored and replayed. Features to the last bit. */
export interface MinuteEnd {
  readonly minute: number;
  readonly lastSequence: number | null;
  readonly bookHash: string | null;
  readonly marketTime: number | null;
  readonly features: SnapshotBody["features"];
  readonly bids: readonly (readonly [number, number])[] | null;
  readonly asks: readonly (readonly [number, number])[] | null;
}

export function storedEnd(row: SnapshotBody): MinuteEnd {
  const { minute, lastSequence, bookHash, marketTime, features } = row;
  return { minute, lastSequence, bookHash, marketTime, features, bids: levelsOf(row.bids), asks: levelsOf(row.asks) };
}

export function replayedEnd(snapshot: MinuteSnapshot): MinuteEnd {
  const { minute, lastSequence, bookHash, marketTime, features, bids, asks } = snapshot;
  return {
    minute,
    lastSequence,
    bookHash,
    marketTime,
    features: features === null ? null : { ...features, row: [...features.row] },
    bids,
    asks,
  };
}

function levelsOf(levels: SnapshotBody["bids"]): [number, number][] | null {
  return levels === null ? null : levels.map(({ priceTicks, sizeLots }) => [priceTicks, sizeLots]);
}

async function instrumentOf(system: System, market: string): Promise<Instrument> {
  const { instrument } = await system.get<MarketView>(`/v1/markets/${market}`);
  const parts = parseMarketId(market);
  const tick = parseGrid(instrument?.tick ?? "");
  const lot = parseGrid(instrument?.lot ?? "");
  if (parts === null || tick === null || lot === null) throw new Error(`${market} has the instrument ${JSON.stringify(instrument)}`);
  return { ...parts, tick, lot };
}
