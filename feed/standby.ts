/**
 * The connection that is to succeed the present one, before it does: opened ahead of the venue's forced close, and taken over once every market of it
 * has joined, so that no message is lost between the two.
 *
 * 1. Where each book is numbered, both connections' messages go to the same books: what comes twice is dropped by its number. A market has joined when
 *    a change of the standby's continued its book, or was in it already. One that begins beyond the book waits until the present connection has brought
 *    what is before it (ahead-frames.ts).
 * 2. Elsewhere the standby keeps books of its own, from its own snapshots. A market has joined when one of the two books has stood where the other
 *    stands: they are then the same chain of changes, and from there on the standby's is the market's. A standby that is behind gets a moment to
 *    catch up, so that the book doesn't step back.
 *    That is an audit of the whole book, too. Two that don't meet in time and have the same levels different all the while are two books: the
 *    standby's, the venue's of a moment ago, takes the other's place, with a gap since that one was last known whole. Where no difference has lasted
 *    they are one, which the two connections cut into other messages.
 *    A market without a book at the takeover (it is being built, or was lost with its connection) has the standby's at once, where that one is whole: a
 *    snapshot of the very connection that carries it from there on, and each change since. Nothing else would be asked for.
 * 3. A market that nothing has come of on either joins after a while: whatever comes now comes on both.
 *
 * Trades go to the market from both, and count once by their ids.
 *
 * A standby that has lost something of a market that has joined, or of nobody knows which, is given up: it is there to lose nothing.
 */

import type { MarketEvent } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";
import type { Decoded, Decoder, ExchangeAdapter, LossNotice, SocketRefusal } from "../exchanges/contract.ts";
import { AheadFrames } from "./ahead-frames.ts";
import type { Checkpoint, StandbyState } from "./checkpoint.ts";
import { ConnectionOrder, type FrameOrder } from "./connection-order.ts";
import { type Joining, joinAnew, joiningState, recallJoining } from "./joining.ts";
import { LastingDifference } from "./lasting-difference.ts";
import type { MarketTracker } from "./market-tracker.ts";
import { NextBook } from "./next-book.ts";
import type { PendingLimits } from "./pending-frames.ts";
import { holeInNumbers, unreadable } from "./tape-holes.ts";

/** A market silent on both connections for so long is joined without a proof: there was nothing to lose. */
const QUIET_JOINS_AFTER_MS = 30_000;
/** What a standby that has shown to be behind may take to catch up. */
const CATCH_UP_MS = 2_000;
/** Past it two books that haven't met are judged by what has differed all the while: messages of two connections are apart by a second at the most. */
const MEETS_WITHIN_MS = 10_000;
/** Without every market by then, the standby is given up. */
export const STANDBY_JOINS_WITHIN_MS = 120_000;

interface ReceivedFrame {
  readonly text: string;
  readonly receivedAt: number;
  readonly order: FrameOrder;
}

/** What a frame of a standby was. */
export interface StandbyOutcome {
  /** The symbols that it speaks of. */
  readonly symbols: readonly string[];
  /** Why the standby can't succeed any more, and is to be given up; null when it can. */
  readonly broken: string | null;
  /** What the venue refuses on it; null for any other frame. */
  readonly refusal: SocketRefusal | null;
}

export interface StandbyOptions {
  readonly adapter: ExchangeAdapter;
  readonly markets: ReadonlyMap<string, MarketTracker>;
  readonly openedAt: number;
  /** Whether a hole in the connection's numbers is a loss (feed-markets.ts). */
  readonly judgesOrder: boolean;
  readonly pendingLimits: PendingLimits;
}

export class Standby {
  readonly decoder: Decoder;
  readonly order = new ConnectionOrder();
  private readonly openedAt: number;
  private readonly isNumbered: boolean;
  private readonly judgesOrder: boolean;
  private readonly joining: ReadonlyMap<string, Joining>;

  constructor({ adapter, markets, openedAt, judgesOrder, pendingLimits }: StandbyOptions) {
    const instruments: Instrument[] = [...markets.values()].map(({ instrument }) => instrument);
    this.decoder = adapter.createDecoder(instruments);
    this.openedAt = openedAt;
    this.judgesOrder = judgesOrder;
    this.isNumbered = adapter.continuity === "book";
    for (const market of markets.values()) market.tradeHoles.opened();
    this.joining = new Map(
      [...markets].map(([symbol, market]): [string, Joining] => {
        const next = this.isNumbered ? null : new NextBook(adapter.createSequencer(), adapter.snapshotLimits);
        const ahead = new AheadFrames(pendingLimits);
        return [symbol, { market, next, ahead, isJoined: false, behindSince: null, bothSince: null, lasting: new LastingDifference() }];
      }),
    );
  }

  /** A frame of it has come. One that shows a loss of nobody knows which is not believed in any part. */
  frame(text: string, receivedAt: number): StandbyOutcome {
    const decoded = this.decoder.decode(text);
    const { last } = this.order;
    const order = this.order.judge(this.decoder.connectionSequence);
    if (order === "hole" && this.judgesOrder) return { symbols: [], broken: holeInNumbers(this.order.last, last), refusal: null };
    if (decoded.kind === "event") return this.takeAll([decoded.event], { text, receivedAt, order });
    if (decoded.kind === "events") return this.takeAll(eventsOf(decoded), { text, receivedAt, order });
    if (decoded.kind === "malformed") return this.malformed(decoded, receivedAt);
    return { symbols: [], broken: null, refusal: decoded.kind === "control" && decoded.control === "refused" ? decoded : null };
  }

  /** Whether this market's book is the standby's already, so that what the present connection says of it is of the past. */
  holds(symbol: string): boolean {
    const joining = this.joining.get(symbol);
    return joining?.isJoined === true && joining.next !== null;
  }

  /** The present connection has moved a market's book: the standby may have stood there already. */
  onPresent(symbol: string, receivedAt: number): void {
    const joining = this.joining.get(symbol);
    if (joining === undefined) return;
    if (joining.next === null) this.giveReached(joining, receivedAt);
    if (joining.isJoined || joining.next === null || joining.market.state !== "live") return;
    joining.next.presentMoved(joining.market.book);
    this.join(joining, receivedAt);
  }

  /** Whether the present connection can be let go. */
  isJoined(now: number): boolean {
    return [...this.joining.values()].every((joining) => joining.isJoined || joining.market.state !== "live" || this.isQuiet(joining, now));
  }

  /** It hasn't joined, and won't. */
  isOverdue(now: number): boolean {
    return now - this.openedAt > STANDBY_JOINS_WITHIN_MS;
  }

  /** What it has of a market, for a checkpoint. */
  stateOf(symbol: string): StandbyState | null {
    const joining = this.joining.get(symbol);
    return joining === undefined ? null : { openedAt: this.openedAt, ...joiningState(joining, this.decoder) };
  }

  /** A replay begins here, at a checkpoint that says what this standby had of the market. @returns whether it could be read. */
  recall(symbol: string, checkpoint: Checkpoint, receivedAt: number): boolean {
    const joining = this.joining.get(symbol);
    return joining !== undefined && recallJoining(joining, checkpoint, { decoder: this.decoder, receivedAt });
  }

  /** A checkpoint of the market was written, or is read where there is a book. */
  checkpointed(symbol: string, receivedAt: number): void {
    const joining = this.joining.get(symbol);
    if (joining !== undefined && !joining.isJoined) joinAnew(joining, receivedAt);
  }

  /** It is over, however it went: nothing is compared any more. */
  close(): void {
    for (const { market, next, ahead } of this.joining.values()) {
      ahead.clear();
      next?.end(market.book);
      market.tradeHoles.closed();
    }
  }

  /** It has been closed because it is gone: markets that are on it already go back to nothing. */
  lost(at: number): void {
    for (const { market, next, isJoined } of this.joining.values()) {
      if (!isJoined || next === null) continue;
      if (market.state === "live") market.resync(at, "standby-lost", "the connection that it had been moved to went down");
      // What it was asked for there doesn't come.
      else market.snapshots.begin(at);
    }
  }

  /** The present connection is let go: books that weren't joined can't go on. */
  takeOver(receivedAt: number): void {
    const broken: MarketTracker[] = [];
    for (const joining of this.joining.values()) {
      const { market, next, isJoined } = joining;
      // What is before them doesn't come any more.
      if (next === null) this.giveAhead(joining, receivedAt);
      if (isJoined || next === null) continue;
      if (market.state !== "live") {
        if (next.isWhole && next.book.state !== "crossed") market.begunBy(next, receivedAt);
        continue;
      }
      const isSilent = (market.lastBookAt ?? 0) < this.openedAt && receivedAt - this.openedAt >= QUIET_JOINS_AFTER_MS;
      if (!next.isWhole) broken.push(market);
      else if (next.book.contentHash() === market.book.contentHash()) this.meet(market, next, receivedAt);
      else if (isSilent) market.audited(receivedAt, next);
      else broken.push(market);
    }
    for (const market of broken) market.resync(receivedAt, "rotation", "the next connection's book did not meet the last one's");
  }

  /** What a late frame says of books is of the past; its trades are still trades. */
  private takeAll(events: Iterable<MarketEvent | LossNotice>, { text, receivedAt, order }: ReceivedFrame): StandbyOutcome {
    const symbols: string[] = [];
    let broken: string | null = null;
    for (const event of events) {
      const joining = this.joining.get(event.symbol);
      if (joining === undefined) continue;
      if (!symbols.includes(event.symbol)) symbols.push(event.symbol);
      if (event.kind === "loss") broken = this.lose(joining, event, receivedAt) ?? broken;
      else if (order !== "repeated" || event.kind === "trade") this.take(joining, event, { text, receivedAt });
    }
    return { symbols, broken, refusal: null };
  }

  private take(joining: Joining, event: MarketEvent, { text, receivedAt }: { text: string; receivedAt: number }): void {
    const { market, next } = joining;
    if (next === null) this.takeNumbered(joining, event, { text, receivedAt });
    else if (joining.isJoined || event.kind === "trade") market.onEvent(event, text, receivedAt);
    else if (next.take(event)) this.join(joining, receivedAt);
  }

  private malformed({ reason, symbol, channel = null }: Extract<Decoded, { kind: "malformed" }>, receivedAt: number): StandbyOutcome {
    const joining = symbol === null ? undefined : this.joining.get(symbol);
    const symbols = joining === undefined ? [] : [joining.market.instrument.symbol];
    // Each book's numbers show a loss of theirs; trades and quotes come on the present connection too.
    if (this.isNumbered || (channel !== null && channel !== "depth")) return { symbols, broken: null, refusal: null };
    const detail = unreadable(reason);
    if (joining === undefined) return { symbols, broken: detail, refusal: null };
    const loss: LossNotice = { kind: "loss", symbol: joining.market.instrument.symbol, channel: "depth", reason: "malformed", detail };
    return { symbols, broken: this.lose(joining, loss, receivedAt), refusal: null };
  }

  /** Something of a book was lost: one that hasn't joined waits for another of the venue's. @returns why all is to be given up; null when it isn't. */
  private lose({ market, next, isJoined }: Joining, loss: LossNotice, receivedAt: number): string | null {
    if (next === null || loss.channel !== "depth") return null;
    if (isJoined) market.onLoss(loss, receivedAt);
    else next.lose();
    return isJoined ? loss.detail : null;
  }

  private takeNumbered(joining: Joining, event: MarketEvent, { text, receivedAt }: { text: string; receivedAt: number }): void {
    const { market, ahead } = joining;
    const isKept = event.kind === "depth" && market.state === "live" && ahead.keep(event, text, { after: market.lastSequence, receivedAt });
    if (isKept) joining.isJoined = false;
    else this.giveNumbered(joining, event, { text, receivedAt });
    this.giveReached(joining, receivedAt);
  }

  private giveNumbered(joining: Joining, event: MarketEvent, { text, receivedAt }: { text: string; receivedAt: number }): void {
    const { market } = joining;
    market.onEvent(event, text, receivedAt);
    if (event.kind !== "depth" || market.state !== "live") return;
    if ((market.lastSequence ?? -1) >= event.lastSequence) joining.isJoined = true;
  }

  /** What was kept of the standby's goes to its book once that has reached it, or can't, or hasn't for too long: then it shows a hole. */
  private giveReached(joining: Joining, receivedAt: number): void {
    const { market, ahead } = joining;
    if (ahead.isEmpty) return;
    if (market.state !== "live" || ahead.isReached(market.lastSequence) || ahead.isOverdue(receivedAt)) this.giveAhead(joining, receivedAt);
  }

  private giveAhead(joining: Joining, receivedAt: number): void {
    for (const text of joining.ahead.take()) {
      const decoded = this.decoder.decode(text);
      if (decoded.kind === "event") this.giveNumbered(joining, decoded.event, { text, receivedAt });
    }
  }

  /** Joins a market whose two books have shown to be one, unless the standby's is behind and may still catch up. */
  private join(joining: Joining, receivedAt: number): void {
    const { market, next } = joining;
    if (next === null || market.state !== "live" || !next.isWhole) {
      joining.bothSince = null;
      joining.lasting = new LastingDifference();
      return;
    }
    joining.bothSince ??= receivedAt;
    const relation = next.relationTo(market.book);
    if (relation === "behind") {
      joining.behindSince ??= receivedAt;
      if (receivedAt - joining.behindSince < CATCH_UP_MS) return;
    }
    if (relation === "unrelated") {
      joining.lasting.look(next.book, market.book);
      if (receivedAt - joining.bothSince < MEETS_WITHIN_MS) return;
    }
    if (relation === "unrelated" && joining.lasting.isThere) market.audited(receivedAt, next);
    else this.meet(market, next, receivedAt);
    joining.isJoined = true;
    market.useDecoder(this.decoder);
    next.end(market.book);
  }

  private meet(market: MarketTracker, next: NextBook, receivedAt: number): void {
    market.adopt(next, receivedAt);
    market.audited(receivedAt, "equal");
  }

  private isQuiet({ market, next }: Joining, now: number): boolean {
    if (now - this.openedAt < QUIET_JOINS_AFTER_MS) return false;
    const isSilent = (market.lastBookAt ?? 0) < this.openedAt;
    return isSilent && (next === null || next.isWhole);
  }
}

function* eventsOf(decoded: Extract<Decoded, { kind: "events" }>): Generator<MarketEvent | LossNotice> {
  for (let event = decoded.next(); event !== null; event = decoded.next()) yield event;
}
