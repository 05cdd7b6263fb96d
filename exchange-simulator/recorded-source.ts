/**
 * A recording as a live venue: its messages again, at their own pace, N times as fast, or as fast as the sockets take them (speed 0).
 *
 * - The replay waits for the first subscriber, and for a quarter of a second without further subscriptions, so that no first message is lost.
 * - A depth request is answered with the next recorded snapshot, as it was recorded, until the replay has passed it; after that from the book that
 *   the messages so far have built. A client then synchronises at the very diff at which an offline replay of the file does.
 * - At a recorded snapshot the replay waits until a client that hears this symbol's depth has been given it, at most `holdMs`.
 * - Times are kept, or moved by a whole number of minutes to end up at now. In a loop all sockets are closed with 1012 at the end, as at a venue's
 *   restart, and ids and times go on from there: neither ever goes backwards.
 */

import { parseSteps } from "../core/units/decimal.ts";
import { MS_PER_MINUTE } from "../core/units/time.ts";
import type { MarketGrids } from "./frame-text.ts";
import type { Hub } from "./hub.ts";
import { NO_SHIFT, type Shift, shiftMessage } from "./message-shift.ts";
import { type Bar, MinuteBars } from "./minute-bars.ts";
import { Pace, sleep } from "./pace.ts";
import type { DepthAnswer } from "./protocols/binance/rest.ts";
import { RecordedBook } from "./recorded-book.ts";
import { type RecordedMessage, readRecording, splitCombined } from "./recording.ts";
import { type RecordedSnapshot, type Survey, surveyRecording } from "./recording-survey.ts";
import type { MarketSource } from "./source.ts";
import { isDepthStreamOf } from "./stream-names.ts";
import { readMessage, readSnapshot } from "./venue-message.ts";

export interface RecordedOptions {
  readonly kind: "recorded";
  /** Replayed one after the other, as one recording. */
  readonly files: readonly string[];
  /** 1 is the recording's own pace, 0 is without bound. */
  readonly speed: number;
  readonly repeat: "once" | "loop";
  readonly times: "kept" | "shifted";
  /** Longest wait at a snapshot that nobody asks for; 5,000 unless told. */
  readonly holdMs?: number;
}

const HOLD_MS = 5_000;
const HOLD_POLL_MS = 5;
const QUIET_SUBSCRIPTIONS_MS = 250;

export class RecordedSource implements MarketSource {
  readonly gridsAre = "inferred";
  private readonly options: RecordedOptions;
  private readonly survey: Survey;
  private readonly books: ReadonlyMap<string, RecordedBook>;
  private readonly minuteBars: ReadonlyMap<string, MinuteBars>;
  private readonly delivered = new Set<string>();
  private shift: Shift = NO_SHIFT;
  private shownTime: number;
  /** Messages of this round that have been told. */
  private position = 0;
  private rounds = 0;
  private frames = 0;
  private isDone = false;
  private isStopped = false;

  constructor(options: RecordedOptions, survey: Survey) {
    if (!(options.speed >= 0)) throw new RangeError(`a speed of ${options.speed}`);
    this.options = options;
    this.survey = survey;
    const grids = [...survey.markets.values()];
    this.books = new Map(grids.map((market) => [market.symbol, new RecordedBook(market)]));
    this.minuteBars = new Map(grids.map((market) => [market.symbol, new MinuteBars()]));
    this.shift = this.nextShift();
    this.shownTime = this.shownStart;
  }

  get markets(): ReadonlyMap<string, MarketGrids> {
    return this.survey.markets;
  }

  get venueTime(): number {
    return this.shownTime;
  }

  depth(symbol: string, limit: number): DepthAnswer {
    const body = this.books.get(symbol)?.body(limit, this.shift.updateIds) ?? null;
    if (body !== null) return { body };
    const ahead = this.nextSnapshot(symbol);
    if (ahead !== null) return { body: shiftMessage(cutSnapshot(ahead.body, limit), this.shift) };
    return { unavailable: `the recording holds no snapshot of ${symbol} from here on` };
  }

  depthDelivered(symbol: string): void {
    this.delivered.add(symbol);
  }

  bars(symbol: string): readonly Bar[] {
    return this.minuteBars.get(symbol)?.all ?? [];
  }

  async run(hub: Hub): Promise<void> {
    for (;;) {
      await this.waitForClients(hub);
      if (this.isStopped) return;
      await this.replay(hub);
      if (this.isStopped || this.options.repeat === "once") break;
      this.startOver();
      hub.closeAll(1012, "service restart");
    }
    this.isDone = !this.isStopped;
  }

  stop(): void {
    this.isStopped = true;
  }

  status(): Readonly<Record<string, unknown>> {
    const { files, speed, repeat, times } = this.options;
    return {
      source: "recorded",
      files,
      speed,
      repeat,
      times,
      shiftMinutes: this.shift.minutes,
      messages: this.survey.messages,
      unplayable: this.survey.unplayable,
      position: this.position,
      rounds: this.rounds,
      frames: this.frames,
      done: this.isDone,
      markets: [...this.books].map(([symbol, book]) => ({ symbol, lastUpdateId: book.lastUpdateId, contentHash: book.contentHash })),
    };
  }

  private get shownStart(): number {
    return (this.survey.firstVenueTime ?? 0) + this.shift.minutes * MS_PER_MINUTE;
  }

  private async waitForClients(hub: Hub): Promise<void> {
    do {
      await hub.subscribed();
      if (this.isStopped) return;
      await sleep(QUIET_SUBSCRIPTIONS_MS);
    } while (!this.isStopped && (hub.connectionCount === 0 || Date.now() - hub.lastSubscribedAt < QUIET_SUBSCRIPTIONS_MS));
  }

  private async replay(hub: Hub): Promise<void> {
    const pace = new Pace(this.options.speed, hub);
    for await (const message of readRecording(this.options.files)) {
      await pace.reach(message.receivedAt);
      if (this.isStopped) return;
      if (message.kind === "snapshot") await pace.hold(() => this.passSnapshot(message, hub));
      else this.passFrame(message.text, hub);
      this.position++;
    }
  }

  private passFrame(text: string, hub: Hub): void {
    const parts = splitCombined(text);
    if (parts === null) return;
    const data = shiftMessage(parts.data, this.shift);
    this.keep(data, parts.data);
    this.frames++;
    hub.publish(parts.stream, data, data === parts.data ? text : undefined);
  }

  /** Brings book, bars and clock up to a message. The book keeps the recorded ids, the bars the times shown. */
  private keep(shown: string, recorded: string): void {
    if (recorded.startsWith('{"e":"depthUpdate"')) {
      const diff = readMessage(recorded);
      if (diff?.kind !== "depth") return;
      this.books.get(diff.symbol)?.pass(diff);
      this.showTime(diff.eventTime + this.shift.minutes * MS_PER_MINUTE);
      return;
    }
    if (!recorded.startsWith('{"e":"trade"')) return;
    const trade = readMessage(shown);
    if (trade?.kind !== "trade") return;
    this.showTime(trade.eventTime);
    const grids = this.markets.get(trade.symbol);
    if (grids === undefined) return;
    const priceTicks = parseSteps(trade.price, 0, trade.price.length, grids.tick);
    const sizeLots = parseSteps(trade.size, 0, trade.size.length, grids.lot);
    if (priceTicks === null || sizeLots === null) return;
    const { time, tradeId, isBuyerMaker } = trade;
    this.minuteBars.get(trade.symbol)?.add({ time, tradeId, priceTicks, sizeLots, takerSide: isBuyerMaker ? "sell" : "buy" });
  }

  private showTime(time: number): void {
    this.shownTime = Math.max(this.shownTime, time);
  }

  private async passSnapshot(message: RecordedMessage & { kind: "snapshot" }, hub: Hub): Promise<void> {
    const symbol = message.symbol ?? [...this.markets.keys()][0] ?? "";
    const book = this.books.get(symbol);
    const snapshot = readSnapshot(message.body);
    if (book === undefined || snapshot === null || book.lastUpdateId !== null) return;
    const deadline = Date.now() + (this.options.holdMs ?? HOLD_MS);
    const isAwaited = () => !this.delivered.has(symbol) && hub.hasSubscriberOf((stream) => isDepthStreamOf(stream, symbol));
    while (isAwaited() && Date.now() < deadline && !this.isStopped) await sleep(HOLD_POLL_MS);
    book.passSnapshot(snapshot);
  }

  private nextSnapshot(symbol: string): RecordedSnapshot | null {
    return this.survey.snapshots.find((snapshot) => snapshot.symbol === symbol && snapshot.index >= this.position) ?? null;
  }

  private startOver(): void {
    this.rounds++;
    this.position = 0;
    this.delivered.clear();
    for (const book of this.books.values()) book.forget();
    this.shift = this.nextShift();
    this.showTime(this.shownStart);
  }

  private nextShift(): Shift {
    const { rounds, survey } = this;
    const toNow = Math.floor((Date.now() - (survey.firstVenueTime ?? Date.now())) / MS_PER_MINUTE);
    const onFromLast = rounds === 0 ? Number.NEGATIVE_INFINITY : this.shift.minutes + survey.minutes;
    const first = this.options.times === "shifted" ? toNow : 0;
    return {
      minutes: Math.max(first, onFromLast),
      updateIds: rounds * survey.updateIdSpan,
      tradeIds: rounds * survey.tradeIdSpan,
    };
  }
}

export async function openRecording(options: RecordedOptions, onMessages?: (count: number) => void): Promise<RecordedSource> {
  return new RecordedSource(options, await surveyRecording(options.files, onMessages));
}

/** As recorded where it has no more levels than asked for. */
function cutSnapshot(body: string, limit: number): string {
  const snapshot = readSnapshot(body);
  if (snapshot === null || (snapshot.bids.length <= limit && snapshot.asks.length <= limit)) return body;
  const { lastUpdateId, bids, asks } = snapshot;
  return JSON.stringify({ lastUpdateId, bids: bids.slice(0, limit), asks: asks.slice(0, limit) });
}
