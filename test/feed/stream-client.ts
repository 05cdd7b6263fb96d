/** A client of the fan-out, written as its reader would write one: it rebuilds books from messages alone, and objects to what can't be proved. */

import type { ClientPort } from "../../feed/stream/client.ts";
import type { Subscription } from "../../feed/stream/protocol.ts";

// biome-ignore lint/suspicious/noExplicitAny: messages are whatever came, and are matched by what they must be.
export type Message = any;

interface Book {
  sequence: number;
  bids: Map<number, number>;
  asks: Map<number, number>;
}

/** Sums up what it is told, in order. @throws Error at a change that doesn't follow. */
export class BookKeeper {
  readonly books = new Map<string, Book>();

  take(message: Message): void {
    const { kind, market, previous, sequence, bids, asks } = message;
    if (kind === "snapshot") this.books.set(market, { sequence, bids: new Map(bids), asks: new Map(asks) });
    if (kind !== "depth") return;
    const book = this.books.get(market);
    if (book === undefined || book.sequence !== previous) throw new Error(`change ${sequence} after ${book?.sequence}`);
    book.sequence = sequence;
    for (const [side, changes] of [
      [book.bids, bids],
      [book.asks, asks],
    ] as [Map<number, number>, [number, number][]][]) {
      for (const [ticks, lots] of changes) {
        if (lots === 0) side.delete(ticks);
        else side.set(ticks, lots);
      }
    }
  }

  /** Best first. */
  side(market: string, side: "bids" | "asks"): [number, number][] {
    const levels = [...(this.books.get(market)?.[side] ?? [])];
    return levels.sort(([a], [b]) => (side === "bids" ? b - a : a - b));
  }
}

export class ScriptedClient implements ClientPort {
  /** Messages, each as text. */
  readonly texts: string[] = [];
  frames = 0;
  readonly keeper = new BookKeeper();
  closed: { code: number; reason: string } | null = null;
  remembered: readonly Subscription[] = [];

  send(frame: string): void {
    this.frames++;
    for (const message of JSON.parse(frame) as Message[]) {
      this.texts.push(JSON.stringify(message));
      this.keeper.take(message);
    }
  }

  close(code: number, reason: string): void {
    this.closed = { code, reason };
  }

  remember(subscriptions: readonly Subscription[]): void {
    this.remembered = subscriptions;
  }

  get messages(): Message[] {
    return this.texts.map((text) => JSON.parse(text) as Message);
  }

  of(kind: string): Message[] {
    return this.messages.filter((message) => message.kind === kind);
  }

  get kinds(): string[] {
    return this.messages.map(({ kind }) => kind as string);
  }

  /** Forgets what came so far, but not the books. */
  clear(): void {
    this.texts.length = 0;
  }

  /** The answer to the newest ping. */
  pong(): string {
    return JSON.stringify({ op: "pong", id: this.of("ping").at(-1)?.id });
  }
}
