/**
 * Who writes down what a session's reducer takes, in its order and with its times, so that a replay of it gives the same books: the feed object's
 * recorder; nobody in most simulated worlds.
 */

/** What became of a connection. */
export type ConnectionRecord =
  | { kind: "open" | "standby-open" | "takeover"; connection: string }
  | { kind: "down" | "standby-down"; reason: string };

export interface Journal {
  /** Of each input, before it is taken; the reducer has closed the minutes that had ended by then. */
  advance(now: number): void;
  /** Of each look of the watchdog. */
  tick(now: number): void;
  /** A frame that the reducer has just taken, or failed on. @param symbols of the markets that it speaks of; none when it belongs to no one market. */
  frame(symbols: readonly string[], receivedAt: number, text: string): void;
  /** A frame of the standby. */
  standbyFrame(symbols: readonly string[], receivedAt: number, text: string): void;
  binary(receivedAt: number, base64: string): void;
  asked(symbol: string, receivedAt: number): void;
  snapshot(symbol: string, receivedAt: number, body: string): void;
  connection(receivedAt: number, record: ConnectionRecord): void;
  /** A hole of one market, or of all. */
  hole(receivedAt: number, symbol: string | null, reason: string): void;
  /** A good moment to keep what is held. What is refused is held still, for the next. */
  flush(now: number): "stored" | "refused";
}
