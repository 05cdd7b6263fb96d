/**
 * What a venue says of its book beside what our book has shown, where neither carries a number: a race of two channels.
 *
 * A claim (a quote, the best ten levels) is looked for among the moments that the book has just shown, and, where it isn't there, among those that it
 * comes to show. A venue that sends its book in batches (Coinbase, 50 ms) makes claims of moments inside one, which no book ever equals: such a claim is
 * passed over as soon as a later one agrees, or when a batch that comes in time may have had that moment in it (batch-moment.ts). What stays is a claim that
 * no moment has equalled in time, with none after it that agreed: a mismatch. One alone may be of a moment inside a batch that doesn't say so, and so may
 * several close together (a large order's trades, each with its quote); mismatches of several moments in a row are a book that is not the venue's.
 *
 * What a moment is, its owner keeps, at the place that it is given here. Bounded: the ring of moments forgets the oldest; of more claims than are kept
 * the oldest stays with the newest, so that what nothing equals is found at any rate.
 */

/** How far apart in receive time a claim and the moment that it equals may be: some twenty times what recordings show. */
const RACE_MS = 2_000;
/** Moments and claims remembered: the busiest recorded market whose quotes carry no numbers sends 71 quotes in that time, 45 of them in 50 ms. */
export const KEPT_MOMENTS = 256;
const KEPT_CLAIMS = 256;
/** Runs of mismatches that break a book. */
const BREAKING_RUNS = 3;
/** Mismatches closer together than this are one run: ten batches of a venue that sends its book each 50 ms. */
const RUN_MS = 500;

export type RaceJudgement = "agrees" | "disagrees" | "undecided";

/** A claim that no moment has equalled, once that is settled. */
export interface UnmatchedClaim<Claim> {
  /** `passed-over`: of a moment that the book never showed, since a later claim agreed, or inside a batch. */
  readonly outcome: "passed-over" | "mismatch";
  readonly claim: Claim;
  readonly receivedAt: number;
  /** When a later claim agreed, or this one was given up. */
  readonly settledAt: number;
}

export interface RaceRules<Claim> {
  /** Whether a claim is what the book showed at the moment kept at `place`. */
  equals(place: number, claim: Claim): boolean;
  /** A claim that has to wait: whoever made it may fill it again. */
  copy(claim: Claim): Claim;
  /** Hears of each claim that nothing has equalled. */
  onUnmatched?(unmatched: UnmatchedClaim<Claim>): void;
}

export class Race<Claim> {
  /** Claims that a moment equalled. */
  agreements = 0;
  /** Claims that no moment equalled in time, nor any claim after them. */
  mismatches = 0;
  /** Claims of moments that the book never showed: one after them agreed, or they may have been of one inside a batch. */
  passedOver = 0;
  /** Runs of mismatches since the last agreement, and when the last of them began. */
  private runs = 0;
  private runAt = Number.NEGATIVE_INFINITY;
  /** [KEPT_MOMENTS] until when (received) each moment was shown; Infinity for the present one. */
  private readonly shownUntil = new Float64Array(KEPT_MOMENTS).fill(Number.NEGATIVE_INFINITY);
  private present = 0;
  /** Claims that nothing has equalled yet, oldest first. */
  private waiting: { readonly claim: Claim; readonly receivedAt: number; isInside: boolean }[] = [];
  private readonly rules: RaceRules<Claim>;

  constructor(rules: RaceRules<Claim>) {
    this.rules = rules;
  }

  get comparisons(): number {
    return this.agreements + this.mismatches;
  }

  /** Place of what the book shows now; null when nothing is known of that. */
  get presentPlace(): number | null {
    return this.shownUntil[this.present] === Number.POSITIVE_INFINITY ? this.present : null;
  }

  /** The book shows something new. @returns its place, where its owner puts it before `shown` is called. */
  nextPlace(receivedAt: number): number {
    if (this.presentPlace !== null) this.shownUntil[this.present] = receivedAt;
    this.present = (this.present + 1) % KEPT_MOMENTS;
    this.shownUntil[this.present] = Number.POSITIVE_INFINITY;
    return this.present;
  }

  /** What the book shows now is in its place: the claims that came ahead of it are looked through. */
  shown(receivedAt: number): RaceJudgement {
    for (let at = this.waiting.length - 1; at >= 0; at--) {
      const entry = this.waiting[at];
      if (entry === undefined || receivedAt - entry.receivedAt > RACE_MS) break;
      if (this.rules.equals(this.present, entry.claim)) return this.agree({ passedOver: at, settled: at + 1, receivedAt });
    }
    return this.expire(receivedAt);
  }

  claimed(claim: Claim, receivedAt: number): RaceJudgement {
    for (let back = 0; back < KEPT_MOMENTS; back++) {
      const place = (this.present - back + KEPT_MOMENTS) % KEPT_MOMENTS;
      if ((this.shownUntil[place] as number) < receivedAt - RACE_MS) break;
      if (this.rules.equals(place, claim)) {
        const { length } = this.waiting;
        return this.agree({ passedOver: length, settled: length, receivedAt });
      }
    }
    const judgement = this.expire(receivedAt);
    this.waiting.push({ claim: this.rules.copy(claim), receivedAt, isInside: false });
    if (this.waiting.length > KEPT_CLAIMS) this.waiting.splice(1, 1);
    return judgement;
  }

  get hasWaiting(): boolean {
    return this.waiting.length > 0;
  }

  /** A batch has come. Whatever may be of a moment inside it is no mismatch; it may still agree. */
  batched(mayBeInside: (claim: Claim) => boolean): void {
    for (const entry of this.waiting) entry.isInside ||= mayBeInside(entry.claim);
  }

  /** Time has passed. */
  expire(receivedAt: number): RaceJudgement {
    let judgement: RaceJudgement = "undecided";
    for (let oldest = this.waiting[0]; oldest !== undefined && receivedAt - oldest.receivedAt > RACE_MS; oldest = this.waiting[0]) {
      this.waiting.shift();
      const { claim, receivedAt: at, isInside } = oldest;
      this.rules.onUnmatched?.({ outcome: isInside ? "passed-over" : "mismatch", claim, receivedAt: at, settledAt: receivedAt });
      if (isInside) {
        this.passedOver++;
        continue;
      }
      this.mismatches++;
      if (oldest.receivedAt - this.runAt >= RUN_MS) {
        this.runs++;
        this.runAt = oldest.receivedAt;
      }
      if (this.runs >= BREAKING_RUNS) judgement = "disagrees";
    }
    return judgement;
  }

  /** Another book, or another connection: what was shown and claimed before says nothing of it. The counts go on. */
  reset(): void {
    this.shownUntil.fill(Number.NEGATIVE_INFINITY);
    this.waiting = [];
    this.forgive();
  }

  /** A claim agrees: `passedOver` waited before it, and the oldest `settled` wait no more. */
  private agree({ passedOver, settled, receivedAt }: { passedOver: number; settled: number; receivedAt: number }): RaceJudgement {
    this.agreements++;
    this.passedOver += passedOver;
    const { onUnmatched } = this.rules;
    if (onUnmatched !== undefined)
      for (const { claim, receivedAt: at } of this.waiting.slice(0, passedOver))
        onUnmatched({ outcome: "passed-over", claim, receivedAt: at, settledAt: receivedAt });
    if (settled > 0) this.waiting.splice(0, settled);
    this.forgive();
    return "agrees";
  }

  private forgive(): void {
    this.runs = 0;
    this.runAt = Number.NEGATIVE_INFINITY;
  }
}
