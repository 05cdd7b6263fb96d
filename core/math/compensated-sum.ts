/**
 * Neumaier's sum (A. Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen"): a running sum that carries
 * the rounding lost at each step, so that its error does not grow with the number of terms.
 */

export class CompensatedSum {
  private sum = 0;
  private lost = 0;

  get value(): number {
    return this.sum + this.lost;
  }

  add(value: number): void {
    const total = this.sum + value;
    this.lost += Math.abs(this.sum) >= Math.abs(value) ? this.sum - total + value : value - total + this.sum;
    this.sum = total;
  }

  clear(): void {
    this.sum = 0;
    this.lost = 0;
  }
}
