/**
 * The one reducer: what a connection receives goes in, with receive times; books, features, gaps and minute snapshots come out.
 *
 * Live capture, `replay` and `dataset` all run this code, so the same inputs give the same books and bytes. Pure: it asks for snapshots by
 * saying that it wants them (`wantedSnapshots`), and never waits. Receive times never go backwards here: a clock that does is held.
 */

import type { MarketEvent } from "../core/market/event.ts";
import { MS_PER_SECOND } from "../core/units/time.ts";
import type { TapeRecord } from "../core/wire/tape.ts";
import type { Channel, Decoded, Decoder, ExchangeAdapter, LossNotice } from "../exchanges/contract.ts";
import { type Checkpoint, decodeCheckpoint } from "./checkpoint.ts";
import { type ClosedMinute, ClosedMinutes } from "./closed-minutes.ts";
import { ConnectionOrder, type FrameOrder } from "./connection-order.ts";
import type { GapReason, GapRecord } from "./contract.ts";
import { createMarkets, type FeedReducerOptions } from "./feed-markets.ts";
import { type CarriedSymbols, controlOutcome, type FrameOutcome, ignoredOutcome, NONE, type Rebuilt } from "./frame-outcome.ts";
import { MalformedFrames } from "./malformed-frames.ts";
import type { MarketTracker } from "./market-tracker.ts";
import { createPendingRoom, type PendingLimits, pendingLimits } from "./pending-frames.ts";
import { Standby, type StandbyOutcome } from "./standby.ts";
import { holeInNumbers, isUnreadable, unreadable } from "./tape-holes.ts";
import { replayRecord, type TapeTarget } from "./tape-replay.ts";
import { SNAPSHOT_LEVELS } from "./views.ts";

const NO_STANDBY: StandbyOutcome = { symbols: NONE, broken: null, refusal: null };

export class FeedReducer implements TapeTarget {
  readonly markets: ReadonlyMap<string, MarketTracker>;
  frames = 0;
  /** The largest receive time so far. */
  now = 0;
  private readonly malformed = new MalformedFrames();
  private decoder: Decoder;
  private order = new ConnectionOrder();
  private standby: Standby | null = null;
  private readonly adapter: ExchangeAdapter;
  private readonly continuity: ExchangeAdapter["continuity"];
  /** A market's own tape leaves out the connection's other frames, and says itself where one was missing. */
  private isOneMarketsTape: boolean;
  private readonly limits: PendingLimits;
  private readonly minutes: ClosedMinutes;

  constructor(options: FeedReducerOptions) {
    const { adapter, instruments } = options;
    this.adapter = adapter;
    this.isOneMarketsTape = options.frames === "one-market";
    this.decoder = adapter.createDecoder(instruments);
    this.continuity = adapter.continuity;
    this.limits = pendingLimits(instruments.length, options.pendingRoom ?? createPendingRoom());
    this.markets = createMarkets(options, { decoder: this.decoder, limits: this.limits });
    this.minutes = new ClosedMinutes(this.markets, options.snapshotLevels ?? SNAPSHOT_LEVELS);
  }

  get malformedFrames(): number {
    return this.malformed.count;
  }

  /** The newest of them, each with its reason. */
  get malformedSamples(): readonly string[] {
    return this.malformed.samples;
  }

  /** A text frame has come. */
  frame(text: string, receivedAt: number): FrameOutcome {
    this.moveTo(receivedAt);
    this.frames++;
    const decoded = this.decoder.decode(text);
    const { last } = this.order;
    const judged = this.order.judge(this.decoder.connectionSequence);
    const order = judged === "hole" && this.isOneMarketsTape ? "continues" : judged;
    const hole = order === "hole" ? holeInNumbers(this.order.last, last) : null;
    if (hole !== null) this.connectionBroken(hole);
    switch (decoded.kind) {
      case "event": {
        const market = this.markets.get(decoded.event.symbol);
        if (market !== undefined && (order !== "repeated" || decoded.event.kind === "trade")) this.give(market, decoded.event, text);
        const symbol = market === undefined ? null : market.instrument.symbol;
        return { symbol, others: NONE, decoded: "event", detail: null, isClosing: false, refusal: null, hole, rebuilt: null };
      }
      case "events":
        return {
          ...this.takeEvents(decoded, text, order),
          decoded: "event",
          detail: null,
          isClosing: false,
          refusal: null,
          hole,
          rebuilt: null,
        };
      case "malformed":
        return {
          rebuilt: this.countMalformed(text, decoded),
          symbol: this.knownSymbol(decoded.symbol),
          others: NONE,
          decoded: "malformed",
          detail: decoded.reason,
          isClosing: false,
          refusal: null,
          hole,
        };
      case "control":
        return controlOutcome(decoded, hole);
      case "ignored":
        return ignoredOutcome(decoded, hole);
    }
  }

  /** A frame that isn't text, or was cut by the transport. @returns the books that are built again for it; null when none are. */
  unreadableFrame(sample: string, reason: string, receivedAt: number): Rebuilt | null {
    this.moveTo(receivedAt);
    this.frames++;
    return this.countMalformed(sample, { reason, symbol: null });
  }

  /** The answer to a snapshot request. A body that can't be used counts as malformed and the market asks again later. */
  snapshot(symbol: string, body: string, receivedAt: number): void {
    this.moveTo(receivedAt);
    const market = this.markets.get(symbol);
    if (market === undefined) return;
    const decoded = this.decoder.decodeSnapshot(symbol, body);
    if (decoded.kind === "event" && decoded.event.kind === "snapshot") {
      market.onSnapshot(decoded.event, this.now);
    } else {
      const reason = decoded.kind === "malformed" ? decoded.reason : `a snapshot answer that is ${decoded.kind}`;
      // No book was built from it, and it is asked for again.
      this.countMalformed(body, { reason, symbol, channel: "quotes" });
      market.snapshotFailed(this.now);
    }
  }

  snapshotFailed(symbol: string, at: number): void {
    this.moveTo(at);
    this.markets.get(symbol)?.snapshotFailed(this.now);
  }

  connectionOpened(at: number): void {
    this.moveTo(at);
    this.decoder.reset();
    this.order.reset();
    this.closeStandby();
    for (const market of this.markets.values()) market.connectionOpened(this.now);
  }

  /** Another connection has been opened, to succeed the present one. */
  standbyOpened(at: number): void {
    this.moveTo(at);
    this.closeStandby();
    this.standby = this.createStandby(this.now);
  }

  private createStandby(openedAt: number): Standby {
    const { adapter, markets, limits } = this;
    return new Standby({ adapter, markets, openedAt, judgesOrder: !this.isOneMarketsTape, pendingLimits: limits });
  }

  /** A text frame of the standby. One that can't succeed any more is to be given up at once (`standbyLost`). */
  standbyFrame(text: string, receivedAt: number): StandbyOutcome {
    this.moveTo(receivedAt);
    this.frames++;
    return this.standby?.frame(text, this.now) ?? NO_STANDBY;
  }

  /** Where the standby is: it may be taken over, or should be given up. */
  standbyState(now: number): "none" | "joining" | "joined" | "overdue" {
    if (this.standby === null) return "none";
    if (this.standby.isJoined(now)) return "joined";
    return this.standby.isOverdue(now) ? "overdue" : "joining";
  }

  /** The standby is given up: markets that are on it already go back to nothing. */
  standbyLost(at: number): void {
    this.moveTo(at);
    const { standby } = this;
    this.closeStandby();
    standby?.lost(this.now);
  }

  /** The standby is the connection from here on; what still comes of the other one isn't given to us any more. */
  takeOver(at: number): void {
    this.moveTo(at);
    const { standby } = this;
    if (standby === null) return;
    standby.takeOver(this.now);
    this.closeStandby();
    // Whoever had lost its connection has one again.
    for (const market of this.markets.values()) if (market.state === "disconnected") market.connectionOpened(this.now);
    if (this.continuity === "book") return;
    this.decoder = standby.decoder;
    this.order = standby.order;
    for (const market of this.markets.values()) market.useDecoder(standby.decoder);
  }

  private closeStandby(): void {
    if (this.standby === null) return;
    this.standby.close();
    this.standby = null;
    for (const market of this.markets.values()) market.useDecoder(this.decoder);
  }

  connectionLost(at: number, reason: GapReason, detail: string): void {
    this.moveTo(at);
    for (const market of this.markets.values()) market.connectionLost(this.now, reason, detail);
  }

  /**
   * The feed begins: every market has a gap, since an earlier process last had it.
   * @param aliveAt when that was; null for a market that none had.
   */
  begin(at: number, aliveAt: (symbol: string) => number | null): void {
    this.moveTo(at);
    for (const [symbol, market] of this.markets) {
      const from = aliveAt(symbol);
      if (from === null) market.gaps.begin(at, "started", "the feed was started");
      else market.gaps.begin(from, "restarted", "the feed's process was gone");
    }
  }

  /** Builds one market's book again. */
  resync(symbol: string, at: number, detail: string): void {
    this.moveTo(at);
    this.markets.get(symbol)?.resync(this.now, isUnreadable(detail) ? "malformed" : "stale", detail);
  }

  /** Time has passed with nothing received. */
  tick(now: number): void {
    this.moveTo(now);
  }

  /** Symbols by the connection that their markets are on. */
  byCarrier(symbols: readonly string[]): CarriedSymbols[] {
    const moved = symbols.filter((symbol) => this.standby?.holds(symbol));
    const carried: CarriedSymbols[] = [
      { on: "present", symbols: symbols.filter((symbol) => !moved.includes(symbol)) },
      { on: "standby", symbols: moved },
    ];
    return carried.filter((each) => each.symbols.length > 0);
  }

  /** Symbols whose snapshot should be asked for now; call `snapshotAsked` for each that was. */
  wantedSnapshots(now: number): string[] {
    return [...this.markets.values()].filter((market) => market.wantsSnapshot(now)).map((market) => market.instrument.symbol);
  }

  /** Whether a book is being built, and the snapshot that it was asked for hasn't come. */
  awaitsSnapshot(symbol: string): boolean {
    const market = this.markets.get(symbol);
    return market !== undefined && market.state === "syncing" && market.snapshots.isAwaited;
  }

  snapshotAsked(symbol: string, at: number): void {
    this.moveTo(at);
    this.markets.get(symbol)?.snapshotAsked(this.now);
  }

  /** Live symbols without a depth message for longer than their own pace allows. */
  staleSymbols(now: number): string[] {
    const isStale = (market: MarketTracker): boolean => market.state === "live" && market.silenceMs(now) > market.staleAfterMs();
    return [...this.markets.values()].filter(isStale).map((market) => market.instrument.symbol);
  }

  /** Channels that are silent, by channel: to be subscribed to anew. Each is named once, and again after a while. */
  silentChannels(now: number): { channel: Channel; symbols: string[] }[] {
    this.moveTo(now);
    const silent = new Map<Channel, string[]>();
    for (const market of this.markets.values()) {
      for (const channel of market.takeSilentChannels()) silent.set(channel, [...(silent.get(channel) ?? []), market.instrument.symbol]);
    }
    return [...silent].map(([channel, symbols]) => ({ channel, symbols }));
  }

  /** @returns whether a venue has named other grids than a market's since the last call: the instruments are to be asked for anew. */
  takeGridDoubt(): boolean {
    let isDoubted = false;
    for (const market of this.markets.values()) isDoubted = market.takeGridDoubt() || isDoubted;
    return isDoubted;
  }

  takeClosedMinutes(): ClosedMinute[] {
    return this.minutes.take();
  }

  takeGapChanges(): GapRecord[] {
    return [...this.markets.values()].flatMap((market) => market.takeGapChanges());
  }

  /** Replays one record of a tape. @returns what a frame was; null for any other record. */
  record(record: TapeRecord): FrameOutcome | null {
    if (record.kind === "frame") return this.frame(record.text, record.receivedAt);
    replayRecord(record, this);
    return null;
  }

  /** A tape is one market's, and not all that a connection brought. */
  readsOneMarketsTape(): void {
    this.isOneMarketsTape = true;
  }

  /** A market's book as text for the tape, which is to have it before whatever comes next; null unless it is live. */
  takeCheckpoint(symbol: string): string | null {
    const body = this.markets.get(symbol)?.checkpoint(this.standby?.stateOf(symbol) ?? null) ?? null;
    if (body !== null) this.standby?.checkpointed(symbol, this.now);
    return body;
  }

  /** A checkpoint of a tape. */
  checkpoint(symbol: string, body: string, at: number): void {
    this.moveTo(at);
    const market = this.markets.get(symbol);
    if (market === undefined) return;
    const checkpoint = decodeCheckpoint(body);
    if ("malformed" in checkpoint || !this.recallStandby(market, checkpoint)) {
      market.malformedFrames++;
      return;
    }
    market.onCheckpoint(checkpoint, this.now);
    if (checkpoint.standby !== null) this.standby?.checkpointed(symbol, this.now);
  }

  /** A replay that begins while two connections are open has the next one's part from the checkpoint. @returns whether it could be read. */
  private recallStandby(market: MarketTracker, checkpoint: Checkpoint): boolean {
    const { standby: had } = checkpoint;
    if (had === null || market.state === "live") return true;
    this.standby ??= this.createStandby(had.openedAt);
    market.useDecoder(this.decoder);
    return this.standby.recall(market.instrument.symbol, checkpoint, this.now);
  }

  /** A tape says that the connection's numbers had a hole here: the frame that showed it comes next. */
  numbersBroken(at: number, detail: string): void {
    this.moveTo(at);
    this.connectionBroken(detail);
    this.order.reset();
  }

  private moveTo(time: number): void {
    if (time <= this.now) return;
    this.minutes.moveTo(time);
    // At whole seconds, so that a replay, which has no ticks and may lack other markets' frames, judges what was judged live.
    const second = time - (time % MS_PER_SECOND);
    if (second > this.now) for (const market of this.markets.values()) market.judgeChannels(second);
    this.now = time;
  }

  /** All of a frame that says several things. What a late frame says of books is of the past; its trades are still trades. */
  private takeEvents(
    decoded: Extract<Decoded, { kind: "events" }>,
    text: string,
    order: FrameOrder,
  ): Pick<FrameOutcome, "symbol" | "others"> {
    let symbol: string | null = null;
    let others: string[] | null = null;
    for (let event = decoded.next(); event !== null; event = decoded.next()) {
      const market = this.markets.get(event.symbol);
      if (market === undefined) continue;
      if (event.kind === "loss") this.giveLoss(market, event);
      else if (order !== "repeated" || event.kind === "trade") this.give(market, event, text);
      if (symbol === null) symbol = event.symbol;
      else if (event.symbol !== symbol && !others?.includes(event.symbol)) others = [...(others ?? []), event.symbol];
    }
    return { symbol, others: others ?? NONE };
  }

  /** An event of the present connection goes to its market, unless the standby has that one already; its trades always do. */
  private give(market: MarketTracker, event: MarketEvent, text: string): void {
    const { standby } = this;
    if (standby === null) {
      market.onEvent(event, text, this.now);
      return;
    }
    const { symbol } = market.instrument;
    if (event.kind !== "trade" && standby.holds(symbol)) return;
    market.onEvent(event, text, this.now);
    standby.onPresent(symbol, this.now);
  }

  private giveLoss(market: MarketTracker, loss: LossNotice): void {
    if (!this.standby?.holds(market.instrument.symbol)) market.onLoss(loss, this.now);
  }

  /** Something of this connection was lost, and nobody can say whose it was. */
  private connectionBroken(detail: string): void {
    // A book that is being built is asked for already, and asked for again when it doesn't come.
    for (const [symbol, market] of this.markets)
      if (market.state === "live" && !this.standby?.holds(symbol)) market.resync(this.now, "sequence-gap", detail);
  }

  /** @returns the books of other markets than its own that are built again. */
  private countMalformed(
    text: string,
    { reason, symbol, channel = null }: Omit<Extract<Decoded, { kind: "malformed" }>, "kind">,
  ): Rebuilt | null {
    this.malformed.add(text, reason);
    const market = symbol === null ? undefined : this.markets.get(symbol);
    if (market !== undefined) market.malformedFrames++;
    if (channel === "trades")
      market?.onLoss({ kind: "loss", symbol: market.instrument.symbol, channel, reason: "malformed", detail: reason }, this.now);
    // Where each book is numbered, its next message shows whether this one was of it. Nothing does elsewhere.
    if (this.continuity === "book" || (channel !== null && channel !== "depth")) return null;
    const detail = unreadable(reason);
    const symbols: string[] = [];
    for (const each of market === undefined ? this.markets.values() : [market]) {
      if (each.state !== "live" || this.standby?.holds(each.instrument.symbol)) continue;
      each.resync(this.now, "malformed", detail);
      if (market === undefined) symbols.push(each.instrument.symbol);
    }
    return symbols.length === 0 ? null : { symbols, reason: detail };
  }

  private knownSymbol(symbol: string | null): string | null {
    return symbol !== null && this.markets.has(symbol) ? symbol : null;
  }
}
