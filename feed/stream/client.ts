/**
 * One client of a feed's streams: what it wants, how far it has read, and the only way to send it anything.
 *
 * What a turn brings goes out as one frame, a JSON array of messages: a frame costs the sender some ten microseconds, whatever its length.
 */

import { ClientFlow, MAX_SNAPSHOT_BYTES } from "./client-flow.ts";
import { MessageBudget } from "./message-budget.ts";
import { laggingText, pingText, type Subscription } from "./protocol.ts";

/** A socket, as the fan-out sees it. None of these throws. */
export interface ClientPort {
  send(text: string): void;
  close(code: number, reason: string): void;
  /** Keeps the subscriptions for a process that comes after this one. */
  remember(subscriptions: readonly Subscription[]): void;
}

export class Client {
  readonly flow: ClientFlow;
  readonly budget: MessageBudget;
  readonly subscriptions = new Map<string, Subscription>();
  /** Trades not sent since it lags; null when the process that sent before is gone. */
  missedTrades: number | null = 0;
  /** Messages of this turn; never more than the flow's bound. */
  private outbox: string[] = [];
  private readonly port: ClientPort;
  private readonly nonce: () => string;

  constructor(port: ClientPort, nonce: () => string, now: number) {
    this.port = port;
    this.nonce = nonce;
    this.flow = new ClientFlow(now);
    this.budget = new MessageBudget(now);
  }

  /** Goes out at the next flush. @returns false when it doesn't: the client lags, since now or before. */
  send(text: string, now: number): boolean {
    if (this.flow.isLagging) return false;
    if (!this.flow.hasRoom(text.length)) {
      this.lag(now);
      return false;
    }
    this.post(text);
    this.pingWhenDue(now);
    return true;
  }

  /** A large one that may wait until there is room for it and for the changes that follow. @returns whether it was sent. */
  sendWhenRoom(text: string, now: number): boolean {
    return this.hasRoomToSpare(text.length) && this.send(text, now);
  }

  hasRoomToSpare(bytes: number): boolean {
    return !this.flow.isLagging && this.flow.hasRoom(bytes, MAX_SNAPSHOT_BYTES);
  }

  pingWhenDue(now: number): void {
    if (this.flow.wantsPing(now)) this.ping(now);
  }

  /** Nothing more is sent to it until it answers a ping: how much waits in its socket already is not known. */
  startLagging(now: number): void {
    this.flow.isLagging = true;
    this.missedTrades = null;
    this.ping(now);
  }

  flush(): void {
    if (this.outbox.length === 0) return;
    const frame = `[${this.outbox.join(",")}]`;
    this.outbox = [];
    this.port.send(frame);
  }

  close(code: number, reason: string): void {
    this.flush();
    this.port.close(code, reason);
  }

  remember(): void {
    this.port.remember([...this.subscriptions.values()]);
  }

  private lag(now: number): void {
    this.flow.isLagging = true;
    this.missedTrades = 0;
    this.post(laggingText(this.flow.outstandingBytes));
    // The last one answered would not be far enough.
    this.ping(now);
  }

  private ping(now: number): void {
    const id = this.nonce();
    this.post(pingText(id));
    this.flow.pinged(id, now);
  }

  private post(text: string): void {
    this.outbox.push(text);
    this.flow.sent(text.length + 1);
  }
}
