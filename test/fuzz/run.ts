/**
 * One run: a valid session of two markets, broken according to a plan, through the decoder, the naive reader, the reducer and the naive feed.
 *
 * Held at each frame: decoder and naive reader say the same; a book that the reducer shows as live is the naive feed's, level for level; one that it
 * doesn't show has an open gap in the ledger. Then the venue goes on with quotes of the true top, and a live book must have that top.
 * At last the books fall silent, and the snapshots asked for are answered: each book must be live and the true one. Nothing that was sent may wedge a
 * feed for good.
 *
 * Where the plan changed no message that was then believed (only unreadable, doubled, reordered or missing ones), a live book must be the true one
 * already at the end of the session, as far as the venue numbers anything; where it doesn't, only if no message was missing.
 */

import type { FeatureSet } from "../../core/features/contract.ts";
import type { Decoded, Decoder } from "../../exchanges/contract.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import { comparable, readingOf, saidOf } from "./decoded.ts";
import { Draws } from "./draws.ts";
import { type MutationKind, type MutationMaterial, mutate } from "./mutations.ts";
import { type Attribution, type NaiveBook, NaiveFeed } from "./naive-feed.ts";
import { MALFORMED, type NaiveReader, type Reading, type Said } from "./naive-values.ts";
import { bestOf, type Session, type Step, type TrueBook, type Wire } from "./sessions.ts";
import type { FuzzVenue } from "./venues.ts";

export type FaultKind = MutationKind | "drop" | "duplicate" | "late" | "stranger";

/** What happens to one step of the session. The seed says how. */
export interface Fault {
  readonly step: number;
  readonly kind: FaultKind;
  readonly seed: number;
}

export interface Plan {
  readonly faults: readonly Fault[];
  /** Between two frames. */
  readonly intervalMs: number;
  /** Seed of what happens to the answers of snapshot requests; 0 for nothing. */
  readonly answersSeed: number;
}

/** What the runs have seen, so that a suite that tests nothing shows. */
export interface Tally {
  runs: number;
  /** Frames and answers given to a feed that were not as the venue sent them, or not when. */
  faults: number;
  /** Changed texts that were only read. */
  probed: number;
  /** Of texts that were changed: how they were read. */
  readonly changed: Record<Reading["kind"], number>;
  readonly same: { read: number };
  /** Books compared level by level. */
  compared: number;
  gaveUp: number;
  trueAtEnd: number;
}

export function newTally(): Tally {
  return {
    runs: 0,
    faults: 0,
    probed: 0,
    changed: { events: 0, control: 0, ignored: 0, malformed: 0 },
    same: { read: 0 },
    compared: 0,
    gaveUp: 0,
    trueAtEnd: 0,
  };
}

/** Why a run failed, with the frame at which it did. */
export class RunFailure extends Error {}

/** No feature is at stake here, and computing them is what costs most. */
const NO_FEATURES: FeatureSet = { id: "none", columns: [], descriptions: [], warmupMs: 0, fingerprint: "none", create: () => [] };

/** Texts that are only read, for each that the feed is given too. */
const PROBES = 5;
const KEPT_OTHERS = 12;
/** Of a reason: a value is shown in it as far as a person needs. */
const MOST_REASON = 400;
const START = 1_700_000_000_000;
/** Characters of a frame that say what kind of message it is. */
const NAMED_HEAD = 30;
const QUOTE_ROUNDS = 6;
const QUOTE_INTERVAL_MS = 700;
/** Longer than quotes and book may race each other. */
const RACE_OVER_MS = 2_500;
const RECOVERY_ROUNDS = 60;
const RECOVERY_INTERVAL_MS = 5_000;
const ROUNDS_IN_SILENCE = 3;

export function run(venue: FuzzVenue, session: Session, { plan, tally }: { plan: Plan; tally: Tally }): void {
  new Run(venue, session, { plan, tally }).play();
}

class Run {
  private readonly venue: FuzzVenue;
  private readonly session: Session;
  private readonly plan: Plan;
  private readonly tally: Tally;
  /** The reducer's. */
  private readonly decoder: HeardDecoder;
  private readonly reader: NaiveReader;
  /** Another pair of readers, for texts that are only to be read. */
  private readonly probes: { readonly decoder: Decoder; readonly reader: NaiveReader };
  private readonly reducer: FeedReducer;
  private readonly naive: NaiveFeed;
  private readonly wire: Wire = { sequence: 0, tradeId: 1_000, time: START };
  private readonly material: MutationMaterial;
  /** What texts are spliced with: the strangers, and the last ones of this connection, of both markets. */
  private readonly others: string[];
  private readonly answerDraws: Draws;
  private readonly answers: { readonly symbol: string; readonly body: string; readonly dueAt: number }[] = [];
  private now = START;
  private books: readonly TrueBook[];
  /** The true books before the last step. */
  private before: readonly TrueBook[];
  /** Texts held back, sent after the next step. */
  private readonly late: string[] = [];
  /** A message was believed that the venue did not send. */
  private isMisled = false;
  /** A message did not come, or not in its place, and no number can show it: one of a numbered connection may have come as a message of nothing. */
  private isMissing = false;
  private hasOnlySameMeaning = true;
  private isRecovering = false;
  private frame = "";

  constructor(venue: FuzzVenue, session: Session, { plan, tally }: { plan: Plan; tally: Tally }) {
    const { adapter, instruments } = venue;
    this.venue = venue;
    this.session = session;
    this.plan = plan;
    this.tally = tally;
    this.decoder = new HeardDecoder(adapter.createDecoder(instruments), adapter.continuity !== "none");
    this.reader = venue.createReader(instruments);
    this.probes = { decoder: adapter.createDecoder(instruments), reader: venue.createReader(instruments) };
    const heard = { ...adapter, createDecoder: () => this.decoder };
    this.reducer = new FeedReducer({ adapter: heard, instruments, featureSet: NO_FEATURES });
    const symbols = instruments.map(({ symbol }) => symbol);
    this.naive = new NaiveFeed(adapter, symbols, (symbol, book) => isShown(this.marketOf(symbol), book));
    this.others = [...venue.strangers];
    this.material = { others: this.others, symbols: [...symbols, "NOSUCH", symbols.join(""), symbols[0]?.toLowerCase() ?? ""] };
    this.answerDraws = new Draws(plan.answersSeed);
    this.books = session.books;
    this.before = session.books;
  }

  play(): void {
    this.tally.runs++;
    this.open();
    const faults = new Map(this.plan.faults.map((fault) => [fault.step, fault]));
    for (const [at, step] of this.session.steps.entries()) this.step(step, faults.get(at) ?? null);
    this.flushLate();
    this.checkTruth();
    this.quoteTops();
    this.recover();
  }

  private open(): void {
    const { venue, reducer } = this;
    reducer.begin(this.now, () => null);
    reducer.connectionOpened(this.now);
    const opening = venue.writer.opening(venue.instruments, this.wire);
    if (venue.adapter.snapshots.kind === "subscription")
      opening.push(...[...venue.instruments.keys()].map((place) => this.snapshot(place)));
    for (const text of opening) {
      this.deliver(text);
      this.readOnly(text);
    }
  }

  private step(step: Step, fault: Fault | null): void {
    this.now += this.plan.intervalMs;
    this.wire.time = this.now;
    const text = step.render(this.wire);
    this.before = this.books;
    this.books = step.books;
    this.others.push(text);
    if (this.others.length > this.venue.strangers.length + KEPT_OTHERS) this.others.splice(this.venue.strangers.length, 1);
    const held = this.late.splice(0);
    this.deliverStep(text, step, fault);
    for (const each of held) this.deliver(each);
    this.giveAnswers();
    this.ask();
    if (this.hasOnlySameMeaning) this.checkTruth();
  }

  private deliverStep(text: string, step: Step, fault: Fault | null): void {
    if (fault === null) {
      this.deliver(text);
      return;
    }
    this.tally.faults++;
    if (fault.kind !== "same") this.hasOnlySameMeaning = false;
    const isUnnumbered = this.venue.adapter.continuity === "none";
    const draws = new Draws(fault.seed);
    if (fault.kind === "characters" || fault.kind === "values") this.probe(text, step, draws);
    switch (fault.kind) {
      case "drop":
        this.isMissing ||= isUnnumbered;
        break;
      case "late":
        this.isMissing ||= isUnnumbered;
        this.late.push(text);
        break;
      case "duplicate":
        this.isMissing ||= isUnnumbered;
        this.deliver(text);
        this.deliver(text);
        break;
      case "stranger":
        this.deliver(text);
        this.deliverChanged({ changed: draws.pick(this.venue.strangers), sent: text }, step);
        break;
      case "same":
        this.deliver(mutate("same", text, { draws, material: this.material }));
        this.tally.same.read++;
        break;
      default:
        this.deliverChanged({ changed: mutate(fault.kind, text, { draws, material: this.material }), sent: text }, step);
    }
  }

  /** A text that the venue did not send in the place of one that it did. */
  private deliverChanged(text: { changed: string; sent: string }, step: Step): void {
    const reading = this.deliver(text.changed);
    this.tally.changed[reading.kind]++;
    if (reading.kind === "events") this.isMisled = true;
    // What it stands for did not come. What can't be read ends the book that it names, where it still names it.
    if (this.venue.adapter.continuity === "book") return;
    if (reading.kind !== "malformed" || !this.namesItself(text, step)) this.isMissing = true;
  }

  private namesItself({ changed, sent }: { changed: string; sent: string }, { market }: Step): boolean {
    const symbol = this.venue.instruments[market]?.symbol ?? "";
    return changed.startsWith(sent.slice(0, NAMED_HEAD)) && changed.includes(`"${symbol}"`);
  }

  private deliver(text: string): Reading {
    this.frame = text;
    this.now += 1;
    this.reducer.frame(text, this.now);
    const { reading, attribution } = this.decoder.heard();
    this.compare(reading, this.reader.read(text));
    const { connectionSequence } = this.reader;
    if (connectionSequence !== this.decoder.connectionSequence)
      this.fail(`numbered ${this.decoder.connectionSequence}, and ${connectionSequence} as read plainly`);
    if (attribution !== null) this.checkAttribution(attribution);
    this.naive.frame(reading, connectionSequence, attribution);
    this.checkBooks(reading);
    return reading;
  }

  /** Reads changed texts without the feed, each behind the message as it was. */
  private probe(text: string, step: Step, draws: Draws): void {
    const book = this.venue.writer.isOfOneAction && step.channel === "depth" ? this.before[step.market] : undefined;
    for (let count = 0; count < PROBES; count++) {
      // Where levels are named by ids a change fits the book before it, and no other.
      if (book === undefined) this.readOnly(text);
      else this.readOnly(this.snapshot(step.market, book));
      const changed = mutate(draws.oneIn(2) ? "characters" : "values", text, { draws, material: this.material });
      this.tally.probed++;
      this.tally.changed[this.readOnly(changed).kind]++;
    }
    // What came before leaves nothing behind in the buffers.
    this.readOnly(text);
  }

  private readOnly(text: string): Reading {
    this.frame = text;
    const { decoder, reader } = this.probes;
    const reading = readingOf(decoder.decode(text), this.venue.adapter.continuity !== "none");
    this.compare(reading, reader.read(text));
    return reading;
  }

  private checkAttribution({ symbol, reason }: Attribution): void {
    if (symbol !== null && !this.reducer.markets.has(symbol)) this.fail(`malformed, of ${symbol}, which is no market`);
    if (reason.length > MOST_REASON) this.fail(`malformed, with a reason of ${reason.length} characters`);
  }

  private compare(decoded: Reading, naive: Reading): void {
    const [ours, plainly] = comparable(decoded, naive);
    if (ours !== plainly) this.fail(`read as\n    ${ours}\n  and plainly as\n    ${plainly}`);
  }

  /** @param reading the frame that has just come; null for anything else. */
  private checkBooks(reading: Reading | null): void {
    for (const [symbol, market] of this.reducer.markets) {
      const naive = this.naive.books.get(symbol) as NaiveBook;
      if (market.state !== "live") {
        if (naive.isLive) this.tally.gaveUp++;
        this.naive.gaveUp(symbol, reading);
        if (market.gaps.current === null) this.fail(`${symbol} is ${market.state}, and its ledger has no open gap`);
        continue;
      }
      if (!naive.isLive) this.fail(`${symbol} is live, and its book has ended by the venue's rule`);
      this.tally.compared++;
      for (const side of ["bids", "asks"] as const) {
        const difference = differenceOf(market.book[side], naive[side]);
        if (difference !== null) this.fail(`${symbol} is live, and its ${side} are wrong: ${difference}`);
      }
    }
  }

  private ask(): void {
    const { adapter, instruments } = this.venue;
    for (const symbol of this.reducer.wantedSnapshots(this.now)) {
      this.reducer.snapshotAsked(symbol, this.now);
      const place = instruments.findIndex((instrument) => instrument.symbol === symbol);
      if (adapter.snapshots.kind === "subscription") this.deliver(this.snapshot(place));
      else this.answers.push({ symbol, body: this.snapshot(place), dueAt: this.now + this.answerDraws.below(4) * this.plan.intervalMs });
    }
    this.giveAnswers();
  }

  private giveAnswers(): void {
    for (const answer of this.answers.splice(0)) {
      if (answer.dueAt > this.now) this.answers.push(answer);
      else this.giveAnswer(answer.symbol, answer.body);
    }
  }

  private giveAnswer(symbol: string, sent: string): void {
    const isChanged = this.plan.answersSeed !== 0 && !this.isRecovering && this.answerDraws.oneIn(3);
    const kind = this.answerDraws.oneIn(2) ? "characters" : "values";
    const body = isChanged ? mutate(kind, sent, { draws: this.answerDraws, material: this.material }) : sent;
    this.frame = body;
    const reading = readingOf(this.decoder.decodeSnapshot(symbol, body), true);
    this.compare(reading, this.reader.readSnapshot(symbol, body));
    if (isChanged) {
      this.tally.faults++;
      this.tally.changed[reading.kind]++;
      this.hasOnlySameMeaning = false;
      if (reading.kind === "events") this.isMisled = true;
    }
    this.reducer.snapshot(symbol, body, this.now);
    const said = reading.kind === "events" ? reading.said[0] : undefined;
    if (said?.kind === "snapshot") this.naive.answer(said);
    this.checkBooks(null);
  }

  private snapshot(place: number, book: TrueBook | undefined = this.books[place]): string {
    const instrument = this.venue.instruments[place];
    if (instrument === undefined || book === undefined) throw new Error(`no market ${place}`);
    this.wire.time = this.now;
    return this.venue.writer.snapshot({ instrument, book }, this.wire);
  }

  private flushLate(): void {
    for (const text of this.late.splice(0)) this.deliver(text);
  }

  /** What is live is true, unless a message misled it. */
  private checkTruth(): void {
    const { continuity } = this.venue.adapter;
    if (this.isMisled || this.isMissing) return;
    for (const [place, { symbol }] of this.venue.instruments.entries()) {
      const market = this.marketOf(symbol);
      const book = this.books[place] as TrueBook;
      if (market.state !== "live" || (continuity === "book" && market.lastSequence !== book.last)) continue;
      this.tally.trueAtEnd++;
      this.demandTrue(market, book);
    }
  }

  private demandTrue(market: MarketTracker, book: TrueBook): void {
    for (const side of ["bids", "asks"] as const) {
      const difference = differenceOf(market.book[side], new Map(book[side].map(({ ticks, lots }) => [ticks, lots])));
      if (difference !== null) this.fail(`${market.instrument.symbol} is live, and its ${side} are not the venue's: ${difference}`);
    }
  }

  /** The venue quotes the true tops for some seconds: no live book may have another by then. */
  private quoteTops(): void {
    for (let round = 0; round <= QUOTE_ROUNDS; round++) {
      this.now += round === QUOTE_ROUNDS ? RACE_OVER_MS : QUOTE_INTERVAL_MS;
      this.wire.time = this.now;
      for (const [place, instrument] of this.venue.instruments.entries())
        this.deliver(this.venue.writer.quote({ instrument, book: this.books[place] as TrueBook }, this.wire));
      this.ask();
    }
    for (const [place, { symbol }] of this.venue.instruments.entries())
      this.demandTrueTop(this.marketOf(symbol), this.books[place] as TrueBook);
  }

  private demandTrueTop(market: MarketTracker, book: TrueBook): void {
    if (market.state !== "live") return;
    // Quotes are compared at their own number; a book that stands at another is found by its silence.
    if (this.venue.adapter.continuity === "book" && market.lastSequence !== book.last) return;
    const bid = bestOf(book.bids, "bid");
    const ask = bestOf(book.asks, "ask");
    const { bids, asks } = market.book;
    const isTrue = bids.bestTicks === bid.ticks && bids.bestLots === bid.lots && asks.bestTicks === ask.ticks && asks.bestLots === ask.lots;
    if (!isTrue) this.fail(`${market.instrument.symbol} is live, and its top is not what the venue has quoted for six seconds`);
  }

  /**
   * All goes silent, and is asked for again: twice, since what was believed shortly before the first answer is still applied to it. After the
   * second there is nothing that a book could be but the venue's.
   */
  private recover(): void {
    this.isRecovering = true;
    const afterwards = [...this.session.afterwards];
    this.rebuild(afterwards);
    this.rebuild(afterwards);
    for (const [place, { symbol }] of this.venue.instruments.entries())
      this.demandTrue(this.marketOf(symbol), this.books[place] as TrueBook);
  }

  private rebuild(afterwards: Step[]): void {
    const { reducer } = this;
    const markets = [...reducer.markets.values()];
    this.now += Math.ceil(Math.max(...markets.map((market) => market.staleAfterMs()))) + 1;
    for (const symbol of reducer.staleSymbols(this.now)) reducer.resync(symbol, this.now, "no change came");
    this.checkBooks({ kind: "ignored" });
    for (let round = 0; round < RECOVERY_ROUNDS && markets.some((market) => market.state !== "live"); round++) {
      this.now += RECOVERY_INTERVAL_MS;
      // A last message that crosses the book crosses it again on each snapshot, until another comes.
      const next = round < ROUNDS_IN_SILENCE ? undefined : afterwards.shift();
      if (next !== undefined) this.step(next, null);
      this.ask();
    }
    for (const { state, gaps, instrument } of markets)
      if (state !== "live") this.fail(`${instrument.symbol} is ${state} for ever: ${gaps.current?.reason}`);
  }

  private marketOf(symbol: string): MarketTracker {
    const market = this.reducer.markets.get(symbol);
    if (market === undefined) throw new Error(`no market ${symbol}`);
    return market;
  }

  private fail(what: string): never {
    throw new RunFailure(`${what}\n  at the frame\n    ${this.frame.slice(0, 2_000)}`);
  }
}

/** A decoder that remembers what it answered last, copied out of its buffers as it was asked for. */
class HeardDecoder implements Decoder {
  private readonly decoder: Decoder;
  private readonly isNumbered: boolean;
  private said: Said[] = [];
  private last: Decoded = { kind: "ignored", reason: "" };

  constructor(decoder: Decoder, isNumbered: boolean) {
    this.decoder = decoder;
    this.isNumbered = isNumbered;
  }

  get connectionSequence(): number | null {
    return this.decoder.connectionSequence;
  }

  heard(): { reading: Reading; attribution: Attribution | null } {
    const { last, said } = this;
    if (last.kind === "malformed") return { reading: MALFORMED, attribution: { channel: null, ...last } };
    const isOfEvents = last.kind === "event" || last.kind === "events";
    return { reading: isOfEvents ? { kind: "events", said } : readingOf(last, this.isNumbered), attribution: null };
  }

  decode(frame: string): Decoded {
    this.last = this.decoder.decode(frame);
    this.said = [];
    const { last, said } = this;
    if (last.kind === "event") said.push(saidOf(last.event, this.isNumbered));
    if (last.kind !== "events") return last;
    const next = () => {
      const event = last.next();
      if (event !== null) said.push(saidOf(event, this.isNumbered));
      return event;
    };
    return { kind: "events", next };
  }

  decodeSnapshot(symbol: string, body: string): Decoded {
    return this.decoder.decodeSnapshot(symbol, body);
  }

  reset(): void {
    this.decoder.reset();
  }

  memory(symbol: string): string | null {
    return this.decoder.memory(symbol);
  }

  recall(symbol: string, memory: string): boolean {
    return this.decoder.recall(symbol, memory);
  }
}

interface LadderLike {
  readonly levelCount: number;
  ticksAt(depth: number): number;
  lotsAt(depth: number): number;
}

function isShown({ state, book, lastSequence }: MarketTracker, naive: NaiveBook): boolean {
  if (state !== "live" || lastSequence !== naive.last) return false;
  return differenceOf(book.bids, naive.bids) === null && differenceOf(book.asks, naive.asks) === null;
}

/** The first difference between a side and a plain one; null when there is none. */
function differenceOf(side: LadderLike, naive: ReadonlyMap<number, number>): string | null {
  for (let depth = 0; depth < side.levelCount; depth++) {
    const ticks = side.ticksAt(depth);
    if (naive.get(ticks) !== side.lotsAt(depth)) return `${side.lotsAt(depth)} lots at ${ticks} ticks, not ${naive.get(ticks) ?? 0}`;
  }
  return side.levelCount === naive.size ? null : `${side.levelCount} levels, not ${naive.size}`;
}
