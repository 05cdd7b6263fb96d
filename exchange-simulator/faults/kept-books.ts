/** Two generations of each book, to be shown once more: the older one is 10 to 20 s old. */

import type { KeptBook } from "../venue.ts";
import type { Stall } from "../world.ts";

export const KEEP_BOOKS_EVERY_MS = 10_000;

export class KeptBooks {
  private readonly stalls: ReadonlyMap<string, Stall>;
  private readonly books = new Map<string, { older: KeptBook; newer: KeptBook }>();

  constructor(stalls: ReadonlyMap<string, Stall>) {
    this.stalls = stalls;
  }

  /** Makes what is newer older. */
  keep(): void {
    for (const [name, { venue }] of this.stalls) {
      for (const symbol of venue.listings.keys()) {
        const key = `${name} ${symbol}`;
        const newer = venue.copyBook(symbol);
        if (newer !== null) this.books.set(key, { older: this.books.get(key)?.newer ?? newer, newer });
      }
    }
  }

  older(venue: string, symbol: string): KeptBook | null {
    return this.books.get(`${venue} ${symbol}`)?.older ?? null;
  }
}
