/** A column of numbers whose length is not known beforehand. Doubles when full, so appending is O(1) on average. */

const INITIAL_ROWS = 4_096;

export class GrowingColumn {
  private numbers = new Float64Array(INITIAL_ROWS);
  private count = 0;

  get length(): number {
    return this.count;
  }

  push(value: number): void {
    if (this.count === this.numbers.length) {
      const grown = new Float64Array(this.count * 2);
      grown.set(this.numbers);
      this.numbers = grown;
    }
    this.numbers[this.count++] = value;
  }

  /** The numbers so far, a view. */
  get values(): Float64Array {
    return this.numbers.subarray(0, this.count);
  }
}
