/** Names of the streams that are spoken, as Binance calls them. */

export type StreamKind = "depth" | "quote" | "trade" | "kline";

const SUFFIXES: Readonly<Record<StreamKind, string>> = {
  depth: "depth@100ms",
  quote: "bookTicker",
  trade: "trade",
  kline: "kline_1m",
};

export function streamName(symbol: string, kind: StreamKind): string {
  return `${symbol.toLowerCase()}@${SUFFIXES[kind]}`;
}

export function isDepthStreamOf(stream: string, symbol: string): boolean {
  return stream.startsWith(`${symbol.toLowerCase()}@depth`);
}
