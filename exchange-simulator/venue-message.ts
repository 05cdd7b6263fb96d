/** What the simulator itself must understand of recorded Binance messages: levels, trades, quotes, klines. Anything else passes through unread. */

export type LevelText = readonly [price: string, size: string];

export type VenueMessage =
  | {
      kind: "depth";
      symbol: string;
      eventTime: number;
      firstId: number;
      lastId: number;
      bids: readonly LevelText[];
      asks: readonly LevelText[];
    }
  | { kind: "quote"; symbol: string; updateId: number; prices: readonly string[]; sizes: readonly string[] }
  | { kind: "trade"; symbol: string; eventTime: number; time: number; tradeId: number; price: string; size: string; isBuyerMaker: boolean }
  | { kind: "kline"; symbol: string; eventTime: number; prices: readonly string[]; sizes: readonly string[] };

export interface SnapshotText {
  readonly lastUpdateId: number;
  readonly bids: readonly LevelText[];
  readonly asks: readonly LevelText[];
}

/** @returns null for what is none of these. */
export function readMessage(data: string): VenueMessage | null {
  const value = parseObject(data);
  if (value === null || typeof value.s !== "string") return null;
  const symbol = value.s;
  const eventTime = value.E;
  if (typeof eventTime !== "number") return readQuote(symbol, value);
  switch (value.e) {
    case "depthUpdate": {
      const { U: firstId, u: lastId, b: bids, a: asks } = value;
      if (typeof firstId !== "number" || typeof lastId !== "number" || !isLevels(bids) || !isLevels(asks)) return null;
      return { kind: "depth", symbol, eventTime, firstId, lastId, bids, asks };
    }
    case "trade":
    case "aggTrade": {
      const { p: price, q: size, T: time, m: isBuyerMaker } = value;
      const tradeId = value.e === "trade" ? value.t : value.l;
      if (typeof price !== "string" || typeof size !== "string" || typeof time !== "number") return null;
      if (typeof tradeId !== "number" || typeof isBuyerMaker !== "boolean") return null;
      return { kind: "trade", symbol, eventTime, time, tradeId, price, size, isBuyerMaker };
    }
    case "kline": {
      const bar = value.k;
      if (!isObject(bar)) return null;
      return { kind: "kline", symbol, eventTime, prices: texts([bar.o, bar.h, bar.l, bar.c]), sizes: texts([bar.v, bar.V]) };
    }
    default:
      return null;
  }
}

/** @returns null when the body isn't a depth snapshot. */
export function readSnapshot(body: string): SnapshotText | null {
  const value = parseObject(body);
  if (value === null || typeof value.lastUpdateId !== "number" || !isLevels(value.bids) || !isLevels(value.asks)) return null;
  return { lastUpdateId: value.lastUpdateId, bids: value.bids, asks: value.asks };
}

function readQuote(symbol: string, value: Record<string, unknown>): VenueMessage | null {
  if (typeof value.u !== "number" || typeof value.B !== "string") return null;
  return { kind: "quote", symbol, updateId: value.u, prices: texts([value.b, value.a]), sizes: texts([value.B, value.A]) };
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isLevels(value: unknown): value is LevelText[] {
  return (
    Array.isArray(value) && value.every((level) => Array.isArray(level) && typeof level[0] === "string" && typeof level[1] === "string")
  );
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value): value is string => typeof value === "string");
}
