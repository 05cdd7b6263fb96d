/**
 * The order books that ours is measured against, each driven as its own library drives it.
 *
 * - tardis-dev's OrderBook takes `{isSnapshot, bids: [{price, amount}], asks}` and keeps red-black trees.
 * - ccxt's OrderBook takes `side.store(price, amount)` for each level (ccxt/js/src/pro/binance.js, handleDelta) and keeps sorted arrays.
 *   It is not among ccxt's exports, so it is loaded by its place in the package.
 */

import { type BookChange, OrderBook as TardisBook } from "tardis-dev";

/** A message's levels as numbers: [price, size]. */
export interface NumericLevels {
  readonly bids: readonly (readonly [number, number])[];
  readonly asks: readonly (readonly [number, number])[];
}

export interface PeerBook {
  /** Starts anew from a snapshot. */
  start(snapshot: NumericLevels): void;
  /** Applies messages `[from, to)` of what it was made with. */
  apply(from: number, to: number): void;
  /** All levels of a side, best first: [price, size]. */
  levels(side: "bids" | "asks"): [number, number][];
}

export function createTardisPeer(messages: readonly NumericLevels[]): PeerBook {
  const changes = messages.map((message) => toBookChange(message, false));
  let book = new TardisBook();
  return {
    start(snapshot) {
      book = new TardisBook();
      book.update(toBookChange(snapshot, true));
    },
    apply(from, to) {
      for (let index = from; index < to; index++) book.update(changes[index] as BookChange);
    },
    levels: (side) => Array.from(book[side](), ({ price, amount }) => [price, amount]),
  };
}

function toBookChange({ bids, asks }: NumericLevels, isSnapshot: boolean): BookChange {
  const named = (levels: NumericLevels["bids"]) => levels.map(([price, amount]) => ({ price, amount }));
  const time = new Date(0);
  return {
    type: "book_change",
    symbol: "",
    exchange: "binance-delivery",
    isSnapshot,
    bids: named(bids),
    asks: named(asks),
    timestamp: time,
    localTimestamp: time,
  };
}

/** The parts of ccxt's book that its exchanges use. */
interface CcxtSide extends Array<[number, number]> {
  store(price: number, amount: number): void;
}
interface CcxtBook {
  readonly bids: CcxtSide;
  readonly asks: CcxtSide;
  reset(snapshot: { bids: [number, number][]; asks: [number, number][] }): void;
}
type CcxtModule = { readonly OrderBook: new () => CcxtBook };

export async function createCcxtPeer(messages: readonly NumericLevels[]): Promise<PeerBook> {
  const place = new URL("./src/base/ws/OrderBook.js", import.meta.resolve("ccxt"));
  const { OrderBook: Book } = (await import(place.href)) as CcxtModule;
  let book = new Book();
  return {
    start({ bids, asks }) {
      book = new Book();
      // Its sides keep and change the arrays that they are given.
      book.reset({ bids: bids.map(([price, size]) => [price, size]), asks: asks.map(([price, size]) => [price, size]) });
    },
    apply(from, to) {
      for (let index = from; index < to; index++) {
        const { bids, asks } = messages[index] as NumericLevels;
        for (const [price, size] of asks) book.asks.store(price, size);
        for (const [price, size] of bids) book.bids.store(price, size);
      }
    },
    levels: (side) => Array.from(book[side], ([price, size]) => [price, size]),
  };
}
