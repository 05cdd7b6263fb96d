/**
 * The tables of the D1 database: minute snapshots, gaps, and the cron runs that wrote them. Ticks of the market itself lie in R2.
 *
 * Prices and sizes are integers on the grid that their row names, so that a row keeps its meaning when a venue changes a market's grid.
 * Times are epoch ms. Integers reach 2^53 (update ids, lots), which SQLite's 64 bits and JavaScript's doubles both hold exactly.
 * Levels and features are JSON text, written and read whole. Each index entry is billed as a row written: there are as few as the reads need.
 */

import { blob, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { BookState } from "../../core/book/order-book.ts";
import type { SplitLabel } from "../../core/labels/split.ts";
import type { GapReason, GapRecord, MarketStatus } from "../../feed/contract.ts";

/** The last known grids of each market ever recorded. */
export const instruments = sqliteTable("instruments", {
  market: text("market").primaryKey(),
  venue: text("venue").notNull(),
  symbol: text("symbol").notNull(),
  feed: text("feed").notNull(),
  /** Price of one tick and size of one lot, as decimal strings. */
  tick: text("tick").notNull(),
  lot: text("lot").notNull(),
});

/** One market at the end of one minute of receive time. */
export const snapshots = sqliteTable(
  "snapshots",
  {
    market: text("market").notNull(),
    /** Start of the minute. */
    minute: integer("minute").notNull(),
    /** The batch that wrote this row last. */
    batch: text("batch").notNull(),
    tick: text("tick").notNull(),
    lot: text("lot").notNull(),
    state: text("state").$type<MarketStatus["state"]>().notNull(),
    bookState: text("book_state").$type<BookState>().notNull(),
    bidTicks: integer("bid_ticks"),
    bidLots: integer("bid_lots"),
    askTicks: integer("ask_ticks"),
    askLots: integer("ask_lots"),
    /** JSON [[ticks, lots], …], best first, as many as the feed is configured to keep. */
    bids: text("bids"),
    asks: text("asks"),
    lastSequence: integer("last_sequence"),
    bookHash: text("book_hash"),
    marketTime: integer("market_time"),
    featureTime: integer("feature_time"),
    fingerprint: text("fingerprint"),
    /** JSON [columns]. */
    features: text("features"),
    coveredMs: integer("covered_ms").notNull(),
    events: integer("events").notNull(),
    trades: integer("trades").notNull(),
    /** Where this market's tape of the minute lies: the R2 object, the first byte in it, how many; null when nothing was received. */
    tapeKey: text("tape_key"),
    tapeOffset: integer("tape_offset"),
    tapeBytes: integer("tape_bytes"),
    /** The minute's part in training, and the schedule that says so. Once set they stay; null in rows older than the columns. */
    split: text("split").$type<SplitLabel>(),
    splitSchedule: text("split_schedule"),
    /** Best prices at each grid time that the minute wrote (core/wire/price-path.ts): what forecasts are scored against. Null: none. */
    pricePath: text("price_path"),
  },
  (table) => [
    primaryKey({ columns: [table.market, table.minute] }),
    // All that quality reads of a minute: a day of sixty markets is 86,400 rows, and without their levels and features six times faster read.
    index("snapshots_coverage").on(table.market, table.minute, table.coveredMs, table.events, table.trades),
  ],
);

/** Stretches without a proved book, or with lost frames. */
export const gaps = sqliteTable(
  "gaps",
  {
    id: text("id").primaryKey(),
    market: text("market").notNull(),
    channel: text("channel").$type<GapRecord["channel"]>().notNull(),
    from: integer("from_ms").notNull(),
    /** Null while it is open. Once set it stays. */
    to: integer("to_ms"),
    reason: text("reason").$type<GapReason>().notNull(),
    detail: text("detail").notNull(),
    action: text("action").$type<GapRecord["action"]>().notNull(),
  },
  (table) => [index("gaps_from").on(table.from, table.id)],
);

/** Feed objects that may hold something: those that FEEDS names, and those that it named once until they are empty. */
export const feedObjects = sqliteTable("feed_objects", { name: text("name").primaryKey() });

/** What one cron run stored of one feed in one transaction. */
export const batches = sqliteTable("batches", {
  id: text("id").primaryKey(),
  feed: text("feed").notNull(),
  startedAt: integer("started_at").notNull(),
  firstMinute: integer("first_minute"),
  lastMinute: integer("last_minute"),
  minutes: integer("minutes").notNull(),
  rows: integer("rows").notNull(),
  gaps: integer("gaps").notNull(),
  /** Markets' tapes, and the R2 objects written for them. */
  tapes: integer("tapes").notNull(),
  objects: integer("objects").notNull().default(0),
  tapeBytes: integer("tape_bytes").notNull(),
  /** Closed minutes that the feed still held afterwards: above 0 while catching up. */
  remaining: integer("remaining").notNull(),
});

/** Day files that are whole, read back and proved. A row never changes: what comes late makes another one, the day's next part. */
export const days = sqliteTable(
  "days",
  {
    /** `venue:SYMBOL`; `venue:_feed` for what belongs to no one market. */
    market: text("market").notNull(),
    /** UTC, `yyyy-mm-dd`. */
    day: text("day").notNull(),
    part: integer("part").notNull(),
    /** The market's chain of day files: its number in it from 1 on, and the head of the one before; null of the first. */
    link: integer("link").notNull(),
    head: text("head").notNull(),
    previous: text("previous"),
    /** SHA-256 over the chain up to here (core/wire/day-chain.ts): the newest one vouches for all before it. */
    chain: text("chain").notNull(),
    key: text("key").notNull(),
    bytes: integer("bytes").notNull(),
    blocks: integer("blocks").notNull(),
    lines: integer("lines").notNull(),
    textBytes: integer("text_bytes").notNull(),
    /** Least and greatest receive time. */
    firstReceivedAt: integer("first_received_at"),
    lastReceivedAt: integer("last_received_at"),
    /** Which minutes of which feeds' objects are in it (workers/storage/day-sources.ts), and how many bytes they had. */
    sources: text("sources").notNull(),
    /** Uploads of those objects up to here, by the store's clock: one that is younger is not in it, whatever its name. */
    sourcesUntil: integer("sources_until").notNull(),
    tapeBytes: integer("tape_bytes").notNull(),
    /** Of the day's rows, when the file was made; null where the market has none. */
    coveredMs: integer("covered_ms"),
    /** Billed operations that it took. */
    classA: integer("class_a").notNull(),
    classB: integer("class_b").notNull(),
    compactedAt: integer("compacted_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.market, table.day, table.part] }),
    // Two runs that finish two days of a market at once would both follow the same one.
    uniqueIndex("days_link").on(table.market, table.link),
    index("days_compacted").on(table.compactedAt),
  ],
);

/** Market days that are to be compacted, found by a survey. */
export const dayWork = sqliteTable(
  "day_work",
  {
    market: text("market").notNull(),
    day: text("day").notNull(),
    /** No other run takes it before. */
    claimedUntil: integer("claimed_until").notNull(),
    failures: integer("failures").notNull(),
  },
  (table) => [primaryKey({ columns: [table.market, table.day] })],
);

/** What a venue's day of minute objects was when it was last looked at, and what of it has been deleted. */
export const daySurveys = sqliteTable(
  "day_surveys",
  {
    venue: text("venue").notNull(),
    day: text("day").notNull(),
    surveyedAt: integer("surveyed_at").notNull(),
    objects: integer("objects").notNull(),
    bytes: integer("bytes").notNull(),
    deletedObjects: integer("deleted_objects").notNull(),
    deletedBytes: integer("deleted_bytes").notNull(),
    deletedAt: integer("deleted_at"),
  },
  (table) => [primaryKey({ columns: [table.venue, table.day] })],
);

/** Every version of a model that was ever published. The files lie in R2 under models/<id>/<version>/. */
export const models = sqliteTable(
  "models",
  {
    /** What the ledger calls it. */
    key: integer("key").primaryKey({ autoIncrement: true }),
    id: text("id").notNull(),
    version: text("version").notNull(),
    /** Of the manifest's bytes, lower-case hex, and part of its key: a manifest that was exchanged in R2 is refused. */
    manifestSha256: text("manifest_sha256").notNull(),
    family: text("family").notNull(),
    featureSet: text("feature_set").notNull(),
    fingerprint: text("fingerprint").notNull(),
    label: text("label").notNull(),
    bytes: integer("bytes").notNull(),
    publishedAt: integer("published_at").notNull(),
  },
  (table) => [uniqueIndex("models_version").on(table.id, table.version)],
);

/** Which models answer for which markets now. Of a slot and a market one is active; shadows are asked too, and answer nobody. */
export const modelRoles = sqliteTable(
  "model_roles",
  {
    slot: text("slot").$type<"forecast" | "signal">().notNull(),
    /** `venue:SYMBOL`, or `*` for every market that has none of its own. */
    market: text("market").notNull(),
    model: integer("model").notNull(),
    role: text("role").$type<"active" | "shadow">().notNull(),
    since: integer("since").notNull(),
  },
  (table) => [primaryKey({ columns: [table.slot, table.market, table.model] })],
);

/** What was done to roles, when and why: read backwards it says what to go back to. Rows are only added. */
export const modelLog = sqliteTable("model_log", {
  sequence: integer("sequence").primaryKey({ autoIncrement: true }),
  at: integer("at").notNull(),
  action: text("action").$type<"publish" | "activate" | "deactivate" | "roll-back" | "shadow" | "unshadow" | "promote">().notNull(),
  slot: text("slot"),
  market: text("market"),
  /** 0: nobody is active there any more. */
  model: integer("model").notNull(),
  /** The model that was active before; null where there was none, or none was replaced. */
  previous: integer("previous"),
  /** JSON; null where none was needed. */
  evidence: text("evidence"),
});

/** Every forecast ever served, and every one of a shadow: once a market, model and tick. Rows never change. */
export const forecasts = sqliteTable(
  "forecasts",
  {
    market: text("market").notNull(),
    /** models.key; 0 the shipped one. */
    model: integer("model").notNull(),
    /** Grid time on the market's clock. */
    featureTime: integer("feature_time").notNull(),
    /** Best prices then: what the moves start at. */
    bidTicks: integer("bid_ticks").notNull(),
    askTicks: integer("ask_ticks").notNull(),
    /** float32s: workers/ledger says in which order. */
    answer: blob("answer", { mode: "buffer" }).notNull(),
    recordedAt: integer("recorded_at").notNull(),
  },
  (table) => [primaryKey({ columns: [table.market, table.model, table.featureTime] })],
);

/** Sums over the scored forecasts of an hour: all that scorecards are made of. */
export const forecastScores = sqliteTable(
  "forecast_scores",
  {
    market: text("market").notNull(),
    model: integer("model").notNull(),
    /** Start of the hour of market time that the forecasts were made in. */
    hour: integer("hour").notNull(),
    /** Forecasts up to this featureTime are in the sums, or given up as uncovered. */
    scoredUpTo: integer("scored_up_to").notNull(),
    /** JSON: workers/ledger says what of. */
    sums: text("sums").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.market, table.model, table.hour] }),
    // The last day of every market and model, for the skill on each answer and for the bill. An hour's entry is written once: its sums alone change.
    index("forecast_scores_hour").on(table.hour),
  ],
);
