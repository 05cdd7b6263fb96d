/**
 * The ids of the last trades, so that one that is sent twice counts once. One that comes late, or after an absurd leap of the venue's, is no
 * duplicate: only an id that was seen is.
 */

/** Kept: far more than a venue sends again after a hiccup of its own, and a few microseconds to look through. */
const KEPT_IDS = 256;

export class RecentIds {
  private readonly ids = new Float64Array(KEPT_IDS).fill(Number.NaN);
  private next = 0;

  /** @returns whether it is new. */
  add(id: number): boolean {
    if (this.ids.includes(id)) return false;
    this.ids[this.next] = id;
    this.next = (this.next + 1) % KEPT_IDS;
    return true;
  }

  /** What another connection sends may begin anew. */
  clear(): void {
    this.ids.fill(Number.NaN);
  }
}
