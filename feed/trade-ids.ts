/**
 * The ids of a market's trades: one that is sent twice counts once, and where ids count up by one a hole among them is a lost trade. One that comes
 * late, or after an absurd leap of the venue's, is no duplicate: only an id that was seen is.
 */

/** Kept: far more than a venue sends again after a hiccup of its own, or a second connection brings behind the first. */
const KEPT_IDS = 512;
/** A larger leap, up or down, is a venue that counts anew or has sent an absurd id, not so many trades lost or late. */
const LARGEST_HOLE = 10_000_000;

export interface TradeIdJudgement {
  readonly isNew: boolean;
  /** Trades known to be missing before this one. */
  readonly missing: number;
}

const REPEATED: TradeIdJudgement = { isNew: false, missing: 0 };
const NEXT: TradeIdJudgement = { isNew: true, missing: 0 };

export class TradeIds {
  private readonly ids = new Float64Array(KEPT_IDS).fill(Number.NaN);
  private next = 0;
  private last: number | null = null;
  private readonly order: "consecutive" | "unordered";

  constructor(order: "consecutive" | "unordered") {
    this.order = order;
  }

  add(id: number): TradeIdJudgement {
    // The last one also where another connection begins with it.
    if (id === this.last || this.ids.includes(id)) return REPEATED;
    this.ids[this.next] = id;
    this.next = (this.next + 1) % KEPT_IDS;
    if (this.order === "unordered") return NEXT;
    const { last } = this;
    if (last !== null && id < last && last - id <= LARGEST_HOLE) return NEXT;
    this.last = id;
    const missing = last === null ? 0 : id - last - 1;
    return missing > 0 && missing <= LARGEST_HOLE ? { isNew: true, missing } : NEXT;
  }

  /** What another connection sends may begin anew with duplicates; the last id still tells what was missed in between. */
  clear(): void {
    this.ids.fill(Number.NaN);
  }
}
