/**
 * One pass over a recording before it is replayed: its symbols and their grids, its span of time and of update ids, its snapshots.
 * The replay needs them ahead of its position. Of the messages nothing is kept but the snapshots, up to a bound.
 */

import { GridFinder } from "../core/units/grid-finder.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { MarketGrids } from "./frame-text.ts";
import { RecordingError, readRecording, splitCombined } from "./recording.ts";
import { type LevelText, readMessage, readSnapshot, type VenueMessage } from "./venue-message.ts";

export interface RecordedSnapshot {
  readonly symbol: string;
  /** Its place among the messages of the recording. */
  readonly index: number;
  readonly body: string;
  readonly lastUpdateId: number;
}

export interface Survey {
  readonly markets: ReadonlyMap<string, MarketGrids>;
  readonly snapshots: readonly RecordedSnapshot[];
  readonly messages: number;
  /** Messages that aren't of a combined stream: acknowledgements and the like. They aren't replayed. */
  readonly unplayable: number;
  /** The venue's time in the first message that has one, epoch ms; null when none has. */
  readonly firstVenueTime: number | null;
  /** Length by the receiver's clock, in whole minutes, rounded up. */
  readonly minutes: number;
  /** Every update id is below `firstUpdateId + updateIdSpan`; likewise for trades. */
  readonly updateIdSpan: number;
  readonly tradeIdSpan: number;
}

const LARGEST_SNAPSHOTS = 256 * 1_048_576;

/** Throws RecordingError for what can't be replayed. @param onMessages is told the count now and then. */
export async function surveyRecording(files: readonly string[], onMessages: (count: number) => void = () => {}): Promise<Survey> {
  const finders = new Map<string, { tick: GridFinder; lot: GridFinder }>();
  const updateIds = new Span();
  const tradeIds = new Span();
  const received = new Span();
  const pending: { index: number; symbol: string | null; body: string }[] = [];
  let index = 0;
  let unplayable = 0;
  let snapshotBytes = 0;
  let firstVenueTime: number | null = null;
  const finderOf = (symbol: string) => {
    const known = finders.get(symbol) ?? { tick: new GridFinder(), lot: new GridFinder() };
    finders.set(symbol, known);
    return known;
  };
  for await (const recorded of readRecording(files)) {
    received.see(recorded.receivedAt);
    if (recorded.kind === "snapshot") {
      snapshotBytes += recorded.body.length;
      if (snapshotBytes > LARGEST_SNAPSHOTS) throw new RecordingError("the recording holds too many snapshots to be replayed in one piece");
      pending.push({ index, symbol: recorded.symbol, body: recorded.body });
    } else {
      const parts = splitCombined(recorded.text);
      const message = parts === null ? null : readMessage(parts.data);
      if (parts === null) unplayable++;
      if (message !== null) {
        if ("eventTime" in message) firstVenueTime ??= message.eventTime;
        seeGrids(message, finderOf(message.symbol));
        seeIds(message, updateIds, tradeIds);
      }
    }
    index++;
    if (index % 8_192 === 0) onMessages(index);
  }
  if (index === 0) throw new RecordingError(`nothing is recorded in ${files.join(", ")}`);
  const only = finders.size === 1 ? [...finders.keys()][0] : undefined;
  const snapshots = pending.map(({ index, symbol, body }) => {
    const named = symbol ?? only;
    if (named === undefined)
      throw new RecordingError(`message ${index} is a snapshot without a symbol, in a recording of ${finders.size} symbols`);
    const snapshot = readSnapshot(body);
    if (snapshot === null) throw new RecordingError(`message ${index} is no depth snapshot: ${body.slice(0, 80)}`);
    updateIds.see(snapshot.lastUpdateId);
    seeLevels([...snapshot.bids, ...snapshot.asks], finderOf(named));
    return { symbol: named, index, body, lastUpdateId: snapshot.lastUpdateId };
  });
  return {
    markets: new Map([...finders].map(([symbol, { tick, lot }]) => [symbol, { symbol, tick: tick.grid, lot: lot.grid }])),
    snapshots,
    messages: index,
    unplayable,
    firstVenueTime,
    minutes: Math.ceil((received.length + 1) / MS_PER_MINUTE),
    updateIdSpan: updateIds.length + 1,
    tradeIdSpan: tradeIds.length + 1,
  };
}

class Span {
  private first = Number.POSITIVE_INFINITY;
  private last = Number.NEGATIVE_INFINITY;

  see(value: number): void {
    this.first = Math.min(this.first, value);
    this.last = Math.max(this.last, value);
  }

  /** 0 when nothing was seen. */
  get length(): number {
    return this.last < this.first ? 0 : this.last - this.first;
  }
}

function seeIds(message: VenueMessage, updateIds: Span, tradeIds: Span): void {
  if (message.kind === "depth") {
    updateIds.see(message.firstId);
    updateIds.see(message.lastId);
  } else if (message.kind === "quote") updateIds.see(message.updateId);
  else if (message.kind === "trade") tradeIds.see(message.tradeId);
}

function seeGrids(message: VenueMessage, finders: { tick: GridFinder; lot: GridFinder }): void {
  if (message.kind === "depth") {
    seeLevels(message.bids, finders);
    seeLevels(message.asks, finders);
  } else if (message.kind === "trade") {
    finders.tick.see(message.price);
    finders.lot.see(message.size);
  } else {
    for (const price of message.prices) finders.tick.see(price);
    for (const size of message.sizes) finders.lot.see(size);
  }
}

function seeLevels(levels: readonly LevelText[], finders: { tick: GridFinder; lot: GridFinder }): void {
  for (const [price, size] of levels) {
    finders.tick.see(price);
    finders.lot.see(size);
  }
}
