/** The book that records make, applied one by one. */

import { readEventsHeader } from "../../archive/events-file.ts";
import { levelBatch } from "../../archive/level-batch.ts";
import { OrderBook } from "../../core/book/order-book.ts";
import { decodeMarketRecord, type MarketRecord } from "../../core/wire/market-events.ts";
import { linesOf } from "./workplace.ts";

export function apply(book: OrderBook, record: MarketRecord): void {
  if (record.kind === "snapshot") book.clear();
  if (record.kind === "snapshot" || record.kind === "depth") book.apply(levelBatch(record));
}

/** The book at the end of an events file, by a second reading of it. */
export async function bookOf(path: string): Promise<OrderBook> {
  const header = await readEventsHeader(path);
  const book = new OrderBook();
  for (const line of linesOf(path).slice(1)) {
    const record = decodeMarketRecord(line, header);
    if ("malformed" in record) throw new Error(record.malformed);
    apply(book, record);
  }
  return book;
}
