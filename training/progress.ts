/** How long work tells how far it is, without knowing who is watching. The command line draws bars; tests and scripts pass `silent`. */

export interface Progress {
  /** @param total in the unit of the work; null when it isn't known. */
  start(label: string, total: number | null): void;
  /** @param done so far, of `total`. @param note a few words, e.g. the loss. */
  update(done: number, note?: string): void;
  /** It is done, though perhaps in less than was said. */
  stop(): void;
  /** It broke off: what is shown stays where it was. */
  abandon(): void;
}

export const silent: Progress = { start() {}, update() {}, stop() {}, abandon() {} };
