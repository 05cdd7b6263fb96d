/**
 * The one way of each input of a session: its time is read once, minutes that have ended are closed, the reducer takes it, the journal gets it. So
 * the tape holds the very sequence, with the very times, that the reducer saw.
 */

import type { FeedReducer } from "../feed-reducer.ts";
import type { Journal } from "./journal.ts";
import type { SessionPort } from "./session-port.ts";

/** Books on some grids, and who writes down what they take. */
export interface Books {
  readonly reducer: FeedReducer;
  readonly journal: Journal;
}

export class Inputs {
  /** Null before the venue's instruments have been had. */
  books: Books | null = null;
  private readonly port: SessionPort;
  private readonly failed: () => void;

  /** @param failed is called when an input has thrown: the books are to be built again. */
  constructor(port: SessionPort, failed: () => void) {
    this.port = port;
    this.failed = failed;
  }

  /** The time of now, never before an input already taken. */
  now(): number {
    return Math.max(this.port.now(), this.books?.reducer.now ?? 0);
  }

  /** An input that throws is a bug of ours: books can't be trusted after it, so they are built again, by a connection that backs off. */
  take(input: (now: number, books: Books) => void): void {
    if (this.books === null) return;
    const now = this.now();
    try {
      this.books.reducer.tick(now);
      this.books.journal.advance(now);
      input(now, this.books);
    } catch (error) {
      this.port.bug("an input failed", error);
      this.failed();
    }
  }
}
