/** Stub */
import type { BookRows } from "./book-rows.ts";
import type { EventList } from "./event-list.ts";
import type { Reading } from "./frame-parser.ts";
import type { BitmexMarket } from "./markets.ts";
export class FrameScanner {
  constructor(_buffers: { readonly rows: BookRows; readonly events: EventList }, _markets: Iterable<BitmexMarket>) {}
  scan(_frame: string): Reading | null {
    return null;
  }
}
