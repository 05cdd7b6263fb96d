/** Room that several share, in units of their choosing: what one has taken no other can. */
export class Room {
  readonly size: number;
  private used = 0;

  constructor(size: number) {
    this.size = size;
  }

  get taken(): number {
    return this.used;
  }

  /** @returns whether there was so much left: where there wasn't, none of it is taken. */
  take(amount: number): boolean {
    if (this.used + amount > this.size) return false;
    this.used += amount;
    return true;
  }

  give(amount: number): void {
    this.used -= amount;
  }
}
