/**
 * How much of what was sent to one client it may still have to read: the bound on what a slow one costs.
 *
 * The runtime queues without end what a client doesn't read, and doesn't say how much that is (decision 0014). So pings stand in the stream,
 * each with an id that can't be guessed: who answers one has read all that was sent before it. What is outstanding never exceeds the
 * bound, but for pings and words of lag, which are few: beyond it the client lags, and is sent nothing until it has answered.
 */

/** Outstanding at most. Times the sockets of a feed, 32 MB of the object's 128; and 1.3 MB a second at a round trip of 100 ms. */
export const MAX_OUTSTANDING_BYTES = 131_072;
/** Snapshots leave room for the changes that follow them. */
export const MAX_SNAPSHOT_BYTES = MAX_OUTSTANDING_BYTES / 2;
/** A ping after so many bytes: a quarter of the bound, so that a reader's answers are under way well before it is reached. */
const PING_AFTER_BYTES = MAX_OUTSTANDING_BYTES / 4;
/** And after so much quiet: dead peers are found, and proxies see that the socket lives. */
const PING_AFTER_MS = 15_000;
/** A client that hasn't answered for so long is gone, or never answers. */
export const ANSWER_WITHIN_MS = 30_000;

interface Ping {
  readonly id: string;
  readonly at: number;
  readonly sentBytes: number;
}

export class ClientFlow {
  isLagging = false;
  private sentBytes = 0;
  private readBytes = 0;
  private pingedBytes = 0;
  private pingedAt: number;
  /** Not answered yet, oldest first: at most one each PING_AFTER_BYTES of the bound, and one of quiet. */
  private pings: Ping[] = [];

  constructor(now: number) {
    this.pingedAt = now;
  }

  get outstandingBytes(): number {
    return this.sentBytes - this.readBytes;
  }

  hasRoom(bytes: number, bound: number = MAX_OUTSTANDING_BYTES): boolean {
    return this.outstandingBytes + bytes <= bound;
  }

  /** Texts are ASCII but for venues' words in gaps, so characters count as bytes. */
  sent(bytes: number): void {
    this.sentBytes += bytes;
  }

  /** Whether a ping should follow what was sent. */
  wantsPing(now: number): boolean {
    if (this.sentBytes - this.pingedBytes >= PING_AFTER_BYTES) return true;
    return this.pings.length === 0 && now - this.pingedAt >= PING_AFTER_MS;
  }

  pinged(id: string, now: number): void {
    this.pingedBytes = this.sentBytes;
    this.pingedAt = now;
    this.pings.push({ id, at: now, sentBytes: this.sentBytes });
  }

  get hasPingOut(): boolean {
    return this.pings.length > 0;
  }

  /** @returns whether it answers a ping of ours that was still open; those before it are answered with it. */
  answered(id: string): boolean {
    const at = this.pings.findIndex((ping) => ping.id === id);
    const ping = this.pings[at];
    if (ping === undefined) return false;
    this.readBytes = ping.sentBytes;
    this.pings.splice(0, at + 1);
    return true;
  }

  /** Caught up far enough to be sent to again. */
  get hasCaughtUp(): boolean {
    return this.outstandingBytes <= MAX_SNAPSHOT_BYTES / 2;
  }

  isOverdue(now: number): boolean {
    const oldest = this.pings[0];
    return oldest !== undefined && now - oldest.at >= ANSWER_WITHIN_MS;
  }
}
