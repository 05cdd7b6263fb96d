/**
 * The connection that is to succeed the present one, before it does: opened ahead of the venue's forced close, and taken over once every market of it
 * has joined, so that no message is lost between the two.
 *
 * 1. Where each book is numbered, both connections' messages go to the same books: what comes twice is dropped by its number. A market has joined when
 *    a change of the standby's continued its book, or was in it already.
 * 2. Elsewhere the standby keeps books of its own, from its own snapshots. A market has joined when one of the two books has stood where the other
 *    stands: they are then the same chain of changes, and from there on the standby's is the market's. A standby that is behind gets a moment to
 *    catch up, so that the book doesn't step back.
 * 3. A market that nothing has come of on either joins after a while: whatever comes now comes on both.
 *
 * Trades go to the market from both, and count once by their ids.
 */

import type { MarketEvent } from "../core/market/event.ts";
import type { Instrument } from "../core/market/instrument.ts";
import type { Decoder, ExchangeAdapter, LossNotice } from "../exchanges/contract.ts";
import { ConnectionOrder } from "./connection-order.ts";
import type { MarketTracker } from "./market-tracker.ts";
import { NextBook } from "./next-book.ts";

/** A market silent on both connections for so long is joined without a proof: there was nothing to lose. */
const QUIET_JOINS_AFTER_MS = 30_000;
/** What a standby that has shown to be behind may take to catch up. */
const CATCH_UP_MS = 2_000;
/** Without every market by then, the standby is given up. */
export const STANDBY_JOINS_WITHIN_MS = 120_000;

interface Joining {
  readonly market: MarketTracker;
  /** Null where books are numbered. */
  readonly next: NextBook | null;
  isJoined: boolean;
  /** When the two books were shown to be one, the standby's behind. */
  behindSince: number | null;
}

export interface StandbyOptions {
  readonly adapter: ExchangeAdapter;
  readonly markets: ReadonlyMap<string, MarketTracker>;
  readonly openedAt: number;
  /** Whether a hole in the connection's numbers is a loss (feed-reducer.ts). */
  readonly judgesOrder: boolean;
}

export class Standby {
  readonly decoder: Decoder;
  readonly order = new ConnectionOrder();
  private readonly openedAt: number;
  private readonly isNumbered: boolean;
  private readonly judgesOrder: boolean;
  private readonly joining: ReadonlyMap<string, Joining>;

  constructor({ adapter, markets, openedAt, judgesOrder }: StandbyOptions) {
    const instruments: Instrument[] = [...markets.values()].map(({ instrument }) => instrument);
    this.decoder = adapter.createDecoder(instruments);
    this.openedAt = openedAt;
    this.judgesOrder = judgesOrder;
    this.isNumbered = adapter.continuity === "book";
    this.joining = new Map(
      [...markets].map(([symbol, market]): [string, Joining] => {
        const next = this.isNumbered ? null : new NextBook(adapter.createSequencer(), adapter.snapshotLimits);
        return [symbol, { market, next, isJoined: false, behindSince: null }];
      }),
    );
  }

  /** A frame of it has come. @returns the symbols that it speaks of. */
  frame(text: string, receivedAt: number): readonly string[] {
    const decoded = this.decoder.decode(text);
    if (this.judgesOrder && this.order.judge(this.decoder.connectionSequence) === "hole")
      for (const { next } of this.joining.values()) next?.lose();
    if (decoded.kind === "event") return this.take(decoded.event, text, receivedAt);
    if (decoded.kind === "events") {
      const symbols = new Set<string>();
      for (let event = decoded.next(); event !== null; event = decoded.next())
        for (const symbol of this.take(event, text, receivedAt)) symbols.add(symbol);
      return [...symbols];
    }
    if (decoded.kind === "malformed" && decoded.symbol !== null) this.joining.get(decoded.symbol)?.next?.lose();
    return [];
  }

  /** Whether this market's book is the standby's already, so that what the present connection says of it is of the past. */
  holds(symbol: string): boolean {
    const joining = this.joining.get(symbol);
    return joining?.isJoined === true && joining.next !== null;
  }

  /** The present connection has moved a market's book: the standby may have stood there already. */
  onPresent(symbol: string, receivedAt: number): void {
    const joining = this.joining.get(symbol);
    if (joining === undefined || joining.isJoined || joining.next === null || joining.market.state !== "live") return;
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

  /** The present connection is let go: books that weren't joined can't go on. @returns the symbols of those. */
  takeOver(receivedAt: number): string[] {
    const broken: string[] = [];
    for (const [symbol, { market, next, isJoined }] of this.joining) {
      if (isJoined || next === null || market.state !== "live") continue;
      if (next.isWhole && next.book.contentHash() === market.book.contentHash()) market.adopt(next, receivedAt);
      else broken.push(symbol);
    }
    return broken;
  }

  private take(event: MarketEvent | LossNotice, text: string, receivedAt: number): readonly string[] {
    const joining = this.joining.get(event.symbol);
    if (joining === undefined) return [];
    if (event.kind === "loss") joining.next?.lose();
    else if (joining.next === null) this.takeNumbered(joining, event, { text, receivedAt });
    else if (joining.isJoined || event.kind === "trade") joining.market.onEvent(event, text, receivedAt);
    else if (joining.next.take(event)) this.join(joining, receivedAt);
    return [event.symbol];
  }

  private takeNumbered(joining: Joining, event: MarketEvent, { text, receivedAt }: { text: string; receivedAt: number }): void {
    const { market } = joining;
    market.onEvent(event, text, receivedAt);
    if (event.kind !== "depth" || market.state !== "live") return;
    if ((market.lastSequence ?? -1) >= event.lastSequence) joining.isJoined = true;
  }

  /** Joins a market whose two books have shown to be one, unless the standby's is behind and may still catch up. */
  private join(joining: Joining, receivedAt: number): void {
    const { market, next } = joining;
    if (next === null || market.state !== "live" || !next.isWhole) return;
    const relation = next.relationTo(market.book);
    if (relation === "unrelated") return;
    if (relation === "behind") {
      joining.behindSince ??= receivedAt;
      if (receivedAt - joining.behindSince < CATCH_UP_MS) return;
    }
    market.adopt(next, receivedAt);
    joining.isJoined = true;
  }

  private isQuiet({ market, next }: Joining, now: number): boolean {
    if (now - this.openedAt < QUIET_JOINS_AFTER_MS) return false;
    const isSilent = (market.lastBookAt ?? 0) < this.openedAt;
    return isSilent && (next === null || (next.isWhole && next.book.contentHash() === market.book.contentHash()));
  }
}
