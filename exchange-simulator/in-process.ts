/** A client of the world without a socket: what a test, or a reducer, reads frames from by calls. */

import type { Link, Wire } from "./link.ts";
import type { RestAnswer } from "./venue.ts";
import type { World } from "./world.ts";

export interface InProcessClient {
  readonly link: Link;
  /** Takes the texts that have come since the last call of this or of `takeTimed`. */
  take(): string[];
  /** As `take`, each with the simulated time at which it came, epoch ms. */
  takeTimed(): ReceivedText[];
  say(text: string): void;
  /** How it ended: a close code, 1006 where there was no closing handshake; null while it is open. */
  readonly closedWith: number | null;
  leave(): void;
}

export interface ReceivedText {
  readonly receivedAt: number;
  readonly text: string;
}

export class RefusedError extends Error {
  readonly answer: RestAnswer;

  constructor(venue: string, answer: RestAnswer) {
    super(`${venue} refuses the websocket with ${answer.status}`);
    this.answer = answer;
  }
}

/**
 * @param target path and query, e.g. "/stream?streams=btcusdt@depth@100ms".
 * Throws RefusedError when the venue refuses the upgrade.
 */
export function openClient(world: World, venue: string, target: string): InProcessClient {
  const [path = "/", query = ""] = target.split("?", 2);
  let received: ReceivedText[] = [];
  let closedWith: number | null = null;
  const wire: Wire = {
    deliver: (text) => received.push({ receivedAt: world.clock.now, text }),
    close: (code) => {
      closedWith = code;
    },
    terminate: () => {
      closedWith = 1006;
    },
    reset: () => {
      closedWith = 1006;
    },
  };
  const link = world.connect(venue, { path, query: new URLSearchParams(query) }, wire);
  if ("status" in link) throw new RefusedError(venue, link);
  const takeTimed = () => {
    const taken = received;
    received = [];
    return taken;
  };
  return {
    link,
    takeTimed,
    take: () => takeTimed().map(({ text }) => text),
    say: (text) => link.receive(text),
    get closedWith() {
      return closedWith;
    },
    leave: () => link.over(),
  };
}
