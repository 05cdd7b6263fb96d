/** Who hears what: subscribers by topic, in the order in which they came. */
export class Topics<Subscriber> {
  private readonly byTopic = new Map<string, Set<Subscriber>>();
  private readonly onAdded: () => void;

  /** @param onAdded told of each subscription. */
  constructor(onAdded = () => {}) {
    this.onAdded = onAdded;
  }

  get names(): Iterable<string> {
    return this.byTopic.keys();
  }

  get size(): number {
    return this.byTopic.size;
  }

  has(topic: string): boolean {
    return this.byTopic.has(topic);
  }

  of(topic: string): Iterable<Subscriber> {
    return this.byTopic.get(topic) ?? [];
  }

  add(topic: string, subscriber: Subscriber): void {
    const subscribers = this.byTopic.get(topic);
    if (subscribers === undefined) this.byTopic.set(topic, new Set([subscriber]));
    else subscribers.add(subscriber);
    this.onAdded();
  }

  remove(topic: string, subscriber: Subscriber): void {
    const subscribers = this.byTopic.get(topic);
    subscribers?.delete(subscriber);
    if (subscribers?.size === 0) this.byTopic.delete(topic);
  }
}
