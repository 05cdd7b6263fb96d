/**
 * The streams of one market, and the clients that get them. At each turn every text is made once and goes to all who want it.
 *
 * Trades, gaps and the loss of the book are heard of as they happen, and only while somebody listens; depth and quote are read from the
 * market when their turn comes. A gap goes to every client of the market, whichever its channels: silence must not look like quiet.
 */

import type { GapRecord, MarketStatus } from "../contract.ts";
import type { GapTracker } from "../gap-tracker.ts";
import type { MarketTracker } from "../market-tracker.ts";
import { bookRefusal } from "../views.ts";
import type { Client } from "./client.ts";
import { type Advance, DepthStream } from "./depth-stream.ts";
import { gapText, type Subscription, stateText, subscriptionText, TURN_MS, tradesText, tradeText } from "./protocol.ts";
import { QuoteStream } from "./quote-stream.ts";

/** Trades of one turn that are sent: 5,000 a second, and at some 130 bytes each no more than half of what a client may have outstanding. */
const MAX_TRADES = 500;
const MAX_TRADES_OF_MESSAGE = 250;
/** Gaps heard of in one turn; a market that has more is told of the last ones. */
const MAX_GAPS = 20;

/** The grids, the state and the open gaps, with words of the venue's in them. */
const GREETING_BYTES = 4_096;

interface Member {
  subscription: Subscription;
  /** It has still to be told the grids and how the market stands. */
  isNew: boolean;
  wantsSnapshot: boolean;
  wantsQuote: boolean;
}

export class MarketStream {
  readonly market: string;
  private tracker: MarketTracker | null = null;
  private readonly members = new Map<Client, Member>();
  private depths: DepthStream[] = [];
  private quotes: QuoteStream[] = [];
  private trades: string[] = [];
  private missedTrades = 0;
  private gaps: GapRecord[] = [];
  private state: MarketStatus["state"] = "disconnected";

  private readonly onNews: () => void;

  /** @param onNews called when something has come that a turn should send. */
  constructor(market: string, onNews: () => void) {
    this.market = market;
    this.onNews = onNews;
  }

  /** Nothing can come of another turn until there is news: nobody listens, or the venue is away and everybody knows it. */
  get isQuiet(): boolean {
    if (this.members.size === 0) return true;
    const isAway = (this.tracker === null || this.tracker.state === "disconnected") && this.state === "disconnected";
    if (!isAway || this.trades.length > 0 || this.gaps.length > 0) return false;
    return [...this.members].every(([client, { isNew }]) => !isNew || client.flow.isLagging);
  }

  /** The market's books begin, or begin anew: on other grids, perhaps. */
  attach(tracker: MarketTracker): void {
    this.detach();
    this.tracker = tracker;
    this.depths = [];
    this.quotes = [];
    for (const member of this.members.values()) renew(member);
    this.arrange();
  }

  subscribe(client: Client, subscription: Subscription): void {
    this.members.set(client, { subscription, isNew: true, wantsSnapshot: true, wantsQuote: true });
    this.arrange();
  }

  leave(client: Client): void {
    if (this.members.delete(client)) this.arrange();
  }

  /** The client has missed something: it gets what a new one gets. */
  renew(client: Client): void {
    const member = this.members.get(client);
    if (member !== undefined) renew(member);
  }

  /** Sends what this turn has to bring. @param turn counts them. */
  advance(turn: number, now: number): void {
    const { tracker } = this;
    if (this.members.size === 0) return;
    if (tracker === null) {
      this.greet((client) => client.send(stateText(this.market, "disconnected", "The venue's instruments have not come yet."), now));
      return;
    }
    const state = this.takeState(tracker, now);
    const gaps = this.gaps.map(gapText);
    this.gaps = [];
    for (const [client, { isNew }] of this.members) {
      if (isNew) continue;
      for (const text of gaps) client.send(text, now);
      if (state !== null) client.send(state, now);
    }
    this.greet((client, member) => this.greeting(tracker, member, now).every((text) => client.send(text, now)));
    this.sendTrades(now);
    for (const stream of this.quotes) this.sendQuote(stream, tracker, { turn, now });
    for (const stream of this.depths) this.sendDepth(stream, tracker, { turn, now });
  }

  private greet(send: (client: Client, member: Member) => boolean): void {
    for (const [client, member] of this.members) {
      if (member.isNew && client.hasRoomToSpare(GREETING_BYTES)) member.isNew = !send(client, member);
    }
  }

  private greeting(tracker: MarketTracker, { subscription }: Member, now: number): string[] {
    const open = gapsOf(tracker).flatMap(({ current }) => (current === null ? [] : [gapText(current)]));
    const state = stateText(this.market, this.state, bookRefusal(tracker, now)?.detail ?? null);
    return [subscriptionText(subscription, tracker), state, ...open];
  }

  /** @returns the word that the state is another now, null when it is the same. */
  private takeState(tracker: MarketTracker, now: number): string | null {
    const refusal = bookRefusal(tracker, now);
    const state = refusal === null ? "live" : (refusal.reason as MarketStatus["state"]);
    if (state === this.state) return null;
    this.state = state;
    return stateText(this.market, state, refusal?.detail ?? null);
  }

  private sendTrades(now: number): void {
    if (this.trades.length === 0) return;
    const count = this.trades.length;
    const texts: string[] = [];
    for (let at = 0; at < count; at += MAX_TRADES_OF_MESSAGE) {
      const isLast = at + MAX_TRADES_OF_MESSAGE >= count;
      texts.push(tradesText(this.market, this.trades.slice(at, at + MAX_TRADES_OF_MESSAGE), isLast ? this.missedTrades : 0));
    }
    const missed = count + this.missedTrades;
    this.trades = [];
    this.missedTrades = 0;
    for (const [client, { subscription }] of this.members) {
      if (!subscription.channels.includes("trades")) continue;
      // Lagging since the midst of them counts as all of them missed: none too few is claimed.
      if (!texts.every((text) => client.send(text, now)) && client.missedTrades !== null) client.missedTrades += missed;
    }
  }

  private sendQuote(stream: QuoteStream, tracker: MarketTracker, { turn, now }: { turn: number; now: number }): void {
    const text = stream.text === null || isDue(stream.intervalMs, turn) ? stream.advance(tracker, now) : null;
    if (stream.text === null) return;
    for (const [client, member] of this.members) {
      const { channels, intervalMs } = member.subscription;
      if (member.isNew || !channels.includes("quote") || intervalMs !== stream.intervalMs) continue;
      if (text !== null) member.wantsQuote = !client.send(text, now);
      else if (member.wantsQuote) member.wantsQuote = !client.send(stream.text, now);
    }
  }

  private sendDepth(stream: DepthStream, tracker: MarketTracker, { turn, now }: { turn: number; now: number }): void {
    const advance = stream.isBroken || isDue(stream.intervalMs, turn) ? stream.advance(tracker) : null;
    if (stream.isBroken) return;
    for (const [client, member] of this.members) {
      const { channels, levels, intervalMs } = member.subscription;
      if (member.isNew || !channels.includes("depth") || levels !== stream.levels || intervalMs !== stream.intervalMs) continue;
      this.sendDepthTo(client, member, { stream, advance, now });
    }
  }

  private sendDepthTo(
    client: Client,
    member: Member,
    { stream, advance, now }: { stream: DepthStream; advance: Advance | null; now: number },
  ): void {
    if (member.wantsSnapshot || advance?.kind === "snapshot")
      member.wantsSnapshot = !client.sendWhenRoom(stream.snapshot(this.market), now);
    else if (advance !== null) member.wantsSnapshot = !client.send(advance.text, now);
  }

  /** Keeps just the streams that somebody wants, and listens to the market just while somebody does. */
  private arrange(): void {
    const wanted = [...this.members.values()].map(({ subscription }) => subscription);
    const depth = wanted.filter(({ channels }) => channels.includes("depth"));
    const quote = wanted.filter(({ channels }) => channels.includes("quote"));
    this.depths = distinct(depth, (each) => `${each.levels}/${each.intervalMs}`).map(
      ({ levels, intervalMs }) =>
        this.depths.find((stream) => stream.levels === levels && stream.intervalMs === intervalMs) ?? new DepthStream(levels, intervalMs),
    );
    this.quotes = distinct(quote, (each) => String(each.intervalMs)).map(
      ({ intervalMs }) => this.quotes.find((stream) => stream.intervalMs === intervalMs) ?? new QuoteStream(intervalMs),
    );
    if (wanted.length === 0) this.detach();
    else this.listen(wanted.some(({ channels }) => channels.includes("trades")));
  }

  private listen(wantsTrades: boolean): void {
    const { tracker } = this;
    if (tracker === null) return;
    for (const gaps of gapsOf(tracker)) gaps.listener = (gap) => this.heard(gap);
    tracker.tradeListener = wantsTrades
      ? (trade, receivedAt) => {
          if (this.trades.length < MAX_TRADES) this.trades.push(tradeText({ ...trade, receivedAt }));
          else this.missedTrades++;
          this.onNews();
        }
      : null;
  }

  private detach(): void {
    this.trades = [];
    this.missedTrades = 0;
    this.gaps = [];
    if (this.tracker === null) return;
    for (const gaps of gapsOf(this.tracker)) gaps.listener = null;
    this.tracker.tradeListener = null;
  }

  /** Every loss of a book opens a gap of it, and every new book closes one: what the clients hold is of another book. */
  private heard(gap: GapRecord): void {
    this.gaps.push(gap);
    if (this.gaps.length > MAX_GAPS) this.gaps.shift();
    if (gap.channel !== "trades" && gap.channel !== "quotes") for (const stream of [...this.depths, ...this.quotes]) stream.break();
    this.onNews();
  }
}

/** Of the book, and of the channels beside it. */
function gapsOf({ gaps, trades, quotes }: MarketTracker): readonly GapTracker[] {
  return [gaps, trades.gaps, quotes.gaps];
}

function renew(member: Member): void {
  member.isNew = true;
  member.wantsSnapshot = true;
  member.wantsQuote = true;
}

function isDue(intervalMs: number, turn: number): boolean {
  return turn % (intervalMs / TURN_MS) === 0;
}

function distinct<T>(items: readonly T[], key: (item: T) => string): T[] {
  return [...new Map(items.map((item) => [key(item), item])).values()];
}
