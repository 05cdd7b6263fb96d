/**
 * Mean and variance in one pass, O(1) memory, without the cancellation of "mean of squares less square of mean".
 * Welford 1962, Technometrics 4(3); two runs are joined by Chan, Golub, LeVeque 1983.
 */

export class RunningMoments {
  private held = 0;
  private average = 0;
  /** Sum of squared deviations from the mean. */
  private deviations = 0;

  get count(): number {
    return this.held;
  }

  /** Null before the first value. */
  get mean(): number | null {
    return this.held === 0 ? null : this.average;
  }

  /** Population variance (divided by the count); null before the first value. */
  get variance(): number | null {
    return this.held === 0 ? null : this.deviations / this.held;
  }

  /** Population standard deviation; null before the first value. */
  get standardDeviation(): number | null {
    return this.held === 0 ? null : Math.sqrt(this.deviations / this.held);
  }

  add(value: number): void {
    this.held++;
    const before = value - this.average;
    this.average += before / this.held;
    this.deviations += before * (value - this.average);
  }

  /** Takes in everything that `other` has seen, as if it had been added here. */
  merge(other: RunningMoments): void {
    if (other.held === 0) return;
    const total = this.held + other.held;
    const apart = other.average - this.average;
    this.deviations += other.deviations + apart * apart * ((this.held / total) * other.held);
    this.average += apart * (other.held / total);
    this.held = total;
  }

  clear(): void {
    this.held = 0;
    this.average = 0;
    this.deviations = 0;
  }
}
