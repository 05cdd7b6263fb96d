/**
 * One client's connection: between the venue's session and whatever carries the texts. Counts what the session said, and lets the injector have its way
 * with each frame before it goes out.
 */

import type { FaultInjector } from "./faults/injector.ts";
import type { Connection, Frame, Session } from "./venue.ts";
import type { Stall } from "./world.ts";

/** What carries a connection: a socket, or a test's array. */
export interface Wire {
  deliver(text: string): void;
  close(code: number, reason: string): void;
  /** Ends it without a closing handshake: the other side sees 1006. */
  terminate(): void;
  /** Ends it with a TCP reset. */
  reset(): void;
}

export interface LinkSetup {
  readonly id: number;
  readonly stall: Stall;
  readonly wire: Wire;
  readonly openedAt: number;
  readonly injector: FaultInjector | null;
}

export class Link implements Connection {
  readonly id: number;
  readonly stall: Stall;
  readonly wire: Wire;
  readonly openedAt: number;
  /** Frames that the session said, by `SYMBOL channel`. */
  readonly counts = new Map<string, number>();
  private readonly injector: FaultInjector | null;
  private holder: Session | null = null;
  private isOver = false;

  constructor({ id, stall, wire, openedAt, injector }: LinkSetup) {
    this.id = id;
    this.stall = stall;
    this.wire = wire;
    this.openedAt = openedAt;
    this.injector = injector;
  }

  begin(session: Session): void {
    this.holder = session;
    this.stall.links.add(this);
    this.injector?.greet(this);
  }

  get session(): Session | null {
    return this.holder;
  }

  get isOpen(): boolean {
    return !this.isOver;
  }

  /** From the session. */
  send(frame: Frame): void {
    if (this.isOver) return;
    const key = `${frame.symbol ?? ""} ${frame.channel}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + 1);
    if (this.injector === null) this.wire.deliver(frame.text);
    else this.injector.pass(this, frame);
  }

  /** From the client. */
  receive(text: string): void {
    if (!this.isOver) this.holder?.receive(text);
  }

  close(code: number, reason: string): void {
    this.over();
    this.wire.close(code, reason);
  }

  terminate(): void {
    this.over();
    this.wire.terminate();
  }

  reset(): void {
    this.over();
    this.wire.reset();
  }

  /** The client is gone, or is about to be. */
  over(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.injector?.forget(this);
    this.holder?.closed();
    this.stall.links.delete(this);
  }
}
