/** Where a market's records come from, in the order of their time. */

import type { MarketRecord } from "../../core/wire/market-events.ts";
import type { MarketDescription } from "./canonical-market.ts";

export interface RecordSource {
  readonly market: MarketDescription;
  /** Epoch ms at which the source begins to be shown: what lies before is applied unheard. */
  readonly startTime: number;
  /** Epoch ms up to which the source speaks, where its last record doesn't say so; null where it does. */
  readonly endTime: number | null;
  /** The next record without taking it. "starved": it isn't here yet, `fill` brings it. Null: there are no more. */
  peek(): MarketRecord | "starved" | null;
  /** Takes what `peek` showed. */
  shift(): void;
  /** Resolves when `peek` isn't starved any more. */
  fill(): Promise<void>;
  close(): Promise<void>;
}

/** A source of what is in memory already, or is made as it goes. */
export function sourceOf(
  market: MarketDescription,
  span: { readonly startTime: number; readonly endTime?: number | null },
  records: Iterable<MarketRecord>,
): RecordSource {
  const iterator = records[Symbol.iterator]();
  let next: MarketRecord | null | undefined;
  const peek = () => {
    if (next === undefined) {
      const step = iterator.next();
      next = step.done === true ? null : step.value;
    }
    return next;
  };
  return {
    market,
    startTime: span.startTime,
    endTime: span.endTime ?? null,
    peek,
    shift: () => {
      if (peek() !== null) next = undefined;
    },
    fill: async () => {},
    close: async () => {},
  };
}
