/**
 * Where the workers wait for each other. Arrivals are counted; the last one opens the gate for all. Who waits looks at the gate again and again for a
 * while, since a step's halves end within microseconds of each other, and then sleeps until woken.
 */

/**
 * Looks before sleeping: some tenths of a millisecond. The halves of a step of 9 ms end that far apart, and a thread that sleeps then takes as long again to
 * wake: an LSTM's step took 4 % longer with a tenth of the looks, and no less with ten times as many.
 */
const LOOKS = 100_000;

export class Barrier {
  private readonly cells: Int32Array;
  private readonly workers: number;

  /** @param cells three of shared memory, 0 at first, the same for all workers. */
  constructor(cells: Int32Array, workers: number) {
    this.cells = cells;
    this.workers = workers;
  }

  /** Throws when the leader has given the training up: another worker failed and will never arrive. */
  arrive(): void {
    if (this.workers === 1) return;
    this.pass();
    if (Atomics.load(this.cells, 2) === 1) throw new Error("another worker failed");
  }

  private pass(): void {
    const { cells } = this;
    // Read before arriving: the gate can't move until all have arrived, or the training is given up, which is looked at after it.
    const gate = Atomics.load(cells, 1);
    if (Atomics.load(cells, 2) === 1) return;
    if (Atomics.add(cells, 0, 1) === this.workers - 1) {
      Atomics.store(cells, 0, 0);
      Atomics.add(cells, 1, 1);
      Atomics.notify(cells, 1);
      return;
    }
    for (let look = 0; look < LOOKS; look++) if (Atomics.load(cells, 1) !== gate) return;
    while (Atomics.load(cells, 1) === gate) Atomics.wait(cells, 1, gate);
  }

  /** Lets everyone out who waits or ever will. */
  abandon(): void {
    Atomics.store(this.cells, 2, 1);
    Atomics.add(this.cells, 1, 1);
    Atomics.notify(this.cells, 1);
  }
}
