/**
 * The last `capacity` numbers of a stream, in one array that is never moved or grown.
 *
 * Sums are taken anew over the window instead of being carried along: a carried sum of doubles keeps the rounding of everything that ever
 * passed through it, and then the same window would not give the same bits after a different past.
 */

export class RingBuffer {
  readonly capacity: number;
  private readonly values: Float64Array;
  private next = 0;
  private held = 0;

  /** @param capacity how many values are kept, at least 1. */
  constructor(capacity: number) {
    if (!Number.isSafeInteger(capacity) || capacity < 1) throw new RangeError(`a ring buffer of capacity ${capacity}`);
    this.capacity = capacity;
    this.values = new Float64Array(capacity);
  }

  /** How many values are held, at most `capacity`. */
  get count(): number {
    return this.held;
  }

  /** Adds a value; the oldest leaves once the buffer is full. */
  push(value: number): void {
    this.values[this.next] = value;
    this.next = this.next + 1 === this.capacity ? 0 : this.next + 1;
    if (this.held < this.capacity) this.held++;
  }

  /** The value `steps` pushes before the newest (0 is the newest); the oldest held when it reaches further back. Never on an empty buffer. */
  ago(steps: number): number {
    if (this.held === 0) throw new RangeError(`ago(${steps}) of an empty ring buffer`);
    const age = Math.min(steps, this.held - 1);
    const at = this.next - 1 - age;
    return this.values[at < 0 ? at + this.capacity : at] as number;
  }

  /** Sum of the newest `length` values, newest first, or of all held when there are fewer. O(length). */
  sumOfLast(length: number): number {
    const end = Math.min(length, this.held);
    let sum = 0;
    let at = this.next;
    for (let steps = 0; steps < end; steps++) {
      at = at === 0 ? this.capacity - 1 : at - 1;
      sum += this.values[at] as number;
    }
    return sum;
  }

  clear(): void {
    this.next = 0;
    this.held = 0;
  }
}
