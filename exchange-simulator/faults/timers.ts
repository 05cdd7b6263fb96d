/** What is to be done at times of the simulated clock; at the same time in the order in which it was asked for. */
export class Timers {
  private readonly waiting: { readonly at: number; readonly run: () => void }[] = [];

  get next(): number {
    return this.waiting[0]?.at ?? Number.POSITIVE_INFINITY;
  }

  /** @returns calls it off. */
  at(at: number, run: () => void): () => void {
    const timer = { at, run };
    let place = this.waiting.length;
    while (place > 0 && (this.waiting[place - 1]?.at ?? 0) > at) place--;
    this.waiting.splice(place, 0, timer);
    return () => {
      const index = this.waiting.indexOf(timer);
      if (index >= 0) this.waiting.splice(index, 1);
    };
  }

  /** Does what is due. */
  runUntil(now: number): void {
    while (this.next <= now) this.waiting.shift()?.run();
  }
}
