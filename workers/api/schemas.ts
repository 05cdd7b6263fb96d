/**
 * What the API answers, as schemas: the OpenAPI document and the types of the views are made from them.
 *
 * Times are epoch ms. Prices and sizes are decimal strings on the market's own grid, beside the integers they come from.
 */

import { z } from "@hono/zod-openapi";
import { LABEL_KINDS } from "../../core/labels/moves.ts";
import { SPLIT_LABELS } from "../../core/labels/split.ts";

export const epochMs = z.int().openapi({ description: "Epoch milliseconds", example: 1_732_190_400_000 });
export const labelKind = z.enum(LABEL_KINDS).openapi({
  description: "Which moves: `point`, to the price at the horizon; `anchored`, to its mean up to there. `smoothed` is never served",
});
export const commit = z.string().nullable().openapi({ description: "Of the code; null where unknown, or the one the model ships in" });
export const decimal = z.string().openapi({ description: "A decimal number, exact", example: "60000.01" });

export const problemSchema = z
  .looseObject({
    type: z.string().openapi({ example: "/problems/stale-book" }),
    title: z.string(),
    status: z.int(),
    reason: z.string().openapi({ description: "For programs", example: "stale" }),
    detail: z.string().openapi({ description: "For a person" }),
  })
  .openapi("Problem", { description: "RFC 9457" });

export const instrumentSchema = z
  .object({
    tick: decimal.openapi({ description: "Price of one tick", example: "0.01" }),
    lot: decimal.openapi({ description: "Size of one lot", example: "0.00001" }),
  })
  .openapi("Instrument");

export const levelSchema = z.object({ price: decimal, size: decimal, priceTicks: z.int(), sizeLots: z.int() }).openapi("Level");

export const freshnessSchema = z
  .object({
    receivedAt: epochMs.openapi({ description: "When what is shown came in: the book's last change, or the venue's quote" }),
    ageMs: z.number().openapi({ description: "Milliseconds since then, by the feed's clock" }),
    marketTime: epochMs
      .nullable()
      .openapi({ description: "The market's own clock: the largest time among the venue's messages; null before it has said one" }),
  })
  .openapi("Freshness");

const topLevelsSchema = z
  .object({ comparisons: z.int(), mismatches: z.int() })
  .nullable()
  .openapi({ description: "The book's best levels against those that the venue itself lists, in the same way; null where it lists none" });

export const proofSchema = z
  .object({
    lastSequence: z.int().nullable(),
    unbrokenSince: epochMs.nullable(),
    continuity: z.enum(["book", "connection", "none"]).openapi({
      description: "What the venue numbers: each book's messages, a connection's, or none: then the comparisons are the proof",
    }),
    comparisons: z.int().openapi({
      description:
        "Top of book against the venue's own quote: at equal sequence numbers, or, where quotes carry none, within the race of the two channels",
    }),
    mismatches: z.int(),
    topLevels: topLevelsSchema,
    audits: z.int().openapi({
      description:
        "Comparisons of the whole book with that of another connection, since the feed's process began; each 10 minutes where the venue numbers nothing",
    }),
    lastAuditAt: epochMs.nullable(),
    gaps24h: z.int(),
  })
  .openapi("Proof", { description: "Why the book may be believed" });

const bookState = z.enum(["empty", "one-sided", "normal", "locked", "crossed"]);
const marketState = z.enum(["live", "disconnected", "syncing", "stale"]);

export const marketSchema = z
  .object({
    market: z.string().openapi({ example: "binance-spot:BTCUSDT" }),
    feed: z.string(),
    venue: z.string(),
    symbol: z.string(),
    state: z.enum([...marketState.options, "unreachable"]),
    instrument: instrumentSchema.nullable(),
    lastReceivedAt: epochMs.nullable(),
  })
  .openapi("Market");

export const marketListSchema = z.object({ markets: z.array(marketSchema) }).openapi("Markets");

export const marketDetailSchema = marketSchema
  .extend({
    bookState: bookState.nullable(),
    venueState: z.string().nullable().openapi({
      description: "What the venue says of the instrument, in its own word (Open, Closed, Unlisted, Settled); null where it says nothing",
    }),
    marketTime: epochMs.nullable(),
    proof: proofSchema.nullable(),
    featureRows: z
      .object({
        count: z.int(),
        hash: z.string().openapi({ description: "Over every row since the feed started: a replay of the tape gives the same" }),
        lastTime: epochMs.nullable(),
      })
      .nullable(),
    malformedFrames: z.int().nullable(),
  })
  .openapi("MarketDetail");

export const quoteSchema = z
  .object({
    market: z.string(),
    bid: levelSchema.nullable(),
    ask: levelSchema.nullable(),
    mid: decimal.nullable(),
    source: z.enum(["venue-quote", "book"]),
    sequence: z.int().nullable(),
    freshness: freshnessSchema,
  })
  .openapi("Quote");

export const bookSchema = z
  .object({
    market: z.string(),
    state: bookState,
    mid: decimal.nullable(),
    bids: z.array(levelSchema).openapi({ description: "Best first" }),
    asks: z.array(levelSchema).openapi({ description: "Best first" }),
    completeTo: z
      .object({ bid: decimal.nullable(), ask: decimal.nullable() })
      .openapi({ description: "Price down to which every level is known; null for the whole side" }),
    contentHash: z.string().openapi({ description: "Of every level of the whole book: equal books have equal hashes" }),
    proof: proofSchema,
    freshness: freshnessSchema,
  })
  .openapi("Book");

export const snapshotSchema = z
  .object({
    minute: epochMs.openapi({ description: "Start of the minute, by receive time" }),
    minuteIso: z.string(),
    tick: decimal.openapi({ description: "Price of a tick, as the row knows it: a venue may change it" }),
    lot: decimal.openapi({ description: "Size of a lot, likewise" }),
    batch: z
      .string()
      .openapi({ description: "The run that stored the row last: feed, time, portion", example: "main/2026-01-05T12:01:00.000Z/000" }),
    state: marketState,
    bookState,
    bid: levelSchema.nullable(),
    ask: levelSchema.nullable(),
    mid: decimal.nullable(),
    bids: z.array(levelSchema).nullable().openapi({ description: "Best first, as many as the feed keeps; null unless the book was live" }),
    asks: z.array(levelSchema).nullable(),
    lastSequence: z.int().nullable(),
    bookHash: z.string().nullable(),
    marketTime: epochMs.nullable(),
    features: z.object({ featureTime: epochMs, fingerprint: z.string(), row: z.array(z.number()) }).nullable(),
    coveredMs: z
      .number()
      .openapi({ description: "Milliseconds of the minute in which the book was live, by all that the ledger knows now" }),
    events: z.int(),
    trades: z.int(),
    pricePath: z.string().nullable().openapi({
      description:
        "Best bid and ask, in ticks, at each whole second of the market's clock that the minute wrote: docs/data.md has the form. Null when it wrote none",
      example: "@1767614399/8812345/1;;1;-1,2",
    }),
    split: z
      .object({
        label: z.enum(SPLIT_LABELS),
        schedule: z.string().openapi({ example: "days-6-2-2-embargo-60min" }),
      })
      .nullable()
      .openapi({ description: "The minute's part in training; never changes once written. Null in rows older than labels" }),
    tape: z
      .object({
        key: z.string().openapi({ description: "The stored object, which holds other markets too" }),
        offset: z.int().openapi({ description: "Where in it this market's bytes begin" }),
        bytes: z.int(),
        url: z.string().openapi({
          description:
            "Answers with all that is stored of the minute, also where it was stored in several pieces; `bytes` is of the largest",
        }),
      })
      .nullable()
      .openapi({ description: "All that was received" }),
  })
  .openapi("Snapshot");

export const snapshotPageSchema = z
  .object({
    market: z.string(),
    from: epochMs,
    to: epochMs,
    snapshots: z.array(snapshotSchema).openapi({ description: "Oldest first" }),
    nextCursor: z.string().nullable().openapi({ description: "Give it as `cursor` for what follows; null at the end" }),
  })
  .openapi("SnapshotPage");

export const gapSchema = z
  .object({
    id: z.string(),
    market: z.string(),
    channel: z.enum(["depth", "trades", "quotes", "connection", "tape"]),
    from: epochMs,
    to: epochMs.nullable().openapi({ description: "Null while it is open" }),
    reason: z.string(),
    detail: z.string(),
    action: z.enum(["resynced", "reconnected", "resubscribed", "noted", "dropped", "retired", "pending"]),
  })
  .openapi("Gap");

export const gapPageSchema = z
  .object({
    from: epochMs,
    to: epochMs,
    gaps: z.array(gapSchema).openapi({ description: "Oldest first" }),
    nextCursor: z.string().nullable(),
  })
  .openapi("GapPage");

const feedHealthSchema = z.object({
  feed: z.string(),
  venue: z.string(),
  isReachable: z.boolean(),
  connection: z.enum(["connecting", "open", "waiting", "blocked"]).nullable(),
  lastDownReason: z.string().nullable(),
  refusals: z.int().openapi({ description: "Messages of ours that the venue has refused on the socket since the feed's process began" }),
  lastRefusal: z.object({ at: epochMs, detail: z.string() }).nullable(),
  unlisted: z.array(z.object({ symbol: z.string(), reason: z.string() })).openapi({
    description: "Symbols configured that have no market, and why: the venue doesn't list them, or what it lists can't be used",
  }),
  marketsLive: z.int(),
  markets: z.int(),
  frames: z.int(),
  malformedFrames: z.int(),
  tapeBytesHeld: z.int(),
  pendingMinutes: z.int().openapi({ description: "Closed minutes that storage has not taken yet" }),
  oldestPendingMinute: epochMs.nullable(),
  lastStoredMinute: epochMs.nullable(),
});

export const healthSchema = z
  .object({
    status: z.enum(["ok", "degraded", "down"]),
    reasons: z.array(z.string()).openapi({ description: "What is not as it should be" }),
    now: epochMs,
    feeds: z.array(feedHealthSchema),
    failingDays: z.array(z.object({ market: z.string(), day: z.string(), failures: z.int() })).openapi({
      description: "Market days whose day file could not be made in several tries, the oldest first, at most ten: their minutes stay",
    }),
    model: z.object({ id: z.string(), version: z.string(), source: z.enum(["r2", "shipped"]) }).nullable(),
  })
  .openapi("Health");

export type InstrumentView = z.infer<typeof instrumentSchema>;
export type LevelView = z.infer<typeof levelSchema>;
export type FreshnessView = z.infer<typeof freshnessSchema>;
export type MarketView = z.infer<typeof marketSchema>;
export type MarketDetailView = z.infer<typeof marketDetailSchema>;
export type QuoteBody = z.infer<typeof quoteSchema>;
export type BookBody = z.infer<typeof bookSchema>;
export type SnapshotBody = z.infer<typeof snapshotSchema>;
export type GapBody = z.infer<typeof gapSchema>;
export type FeedHealth = z.infer<typeof feedHealthSchema>;
export type HealthBody = z.infer<typeof healthSchema>;
