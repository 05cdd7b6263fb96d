/** The rows of the fault matrix: what is ordered of the simulator, and how long the world goes on behind it. */

import type { FaultOrder } from "../../exchange-simulator/faults/fault.ts";
import { START } from "./shared-markets.ts";

/** When things begin to break: books are live, paces are known. */
export const BROKEN_AT = START + 8_000;

export interface FaultRow {
  readonly name: string;
  /** What it hits: a symbol, or the whole connection. */
  readonly hits: "symbol" | "connection";
  readonly seconds: number;
  /** Age at which the venue closes each connection; never unless told. */
  readonly lifetimeMs?: number;
  /** Age at which the feed opens the next connection, in place of its own. */
  readonly succeededAtAgeMs?: number;
  /** When the venue makes its ticks finer, and somebody asks the feed something a little later; it asks for grids as if they were a day old. */
  readonly finerTicksAt?: number;
  orders(symbol: string, venue: string): readonly FaultOrder[];
}

/** The alarm at which a connection has come of age, in the rows that rotate: the next one is open 20 ms later, and takes over at the next alarm. */
const ROTATED_AT = START + 20_000;
/** The next batch of the older connection is held when the next one opens: that one is ahead. */
const BEFORE_ROTATION_AT = ROTATED_AT - 50;
/** It is open, and has said nothing of a book yet. */
const JOINING_AT = ROTATED_AT + 30;
/** Books that have met. */
const JOINED_AT = ROTATED_AT + 9_000;

const SECONDS = 24;
/** Until a lost change of a BitMEX level shows, by a change of what isn't there. */
const LOSS_SECONDS = 40;
/** Past the venues' bound on silence (30 s) and an alarm. */
const SILENCE_MS = 42_000;
const SILENCE_SECONDS = 70;
/** What takes the longest behind a rotation: a snapshot that was subscribed to and never comes. */
const ROTATION_SECONDS = 55;

export const rows: readonly FaultRow[] = [
  { name: "none", hits: "symbol", seconds: SECONDS, orders: () => [] },
  { ...onDepth("drop"), seconds: LOSS_SECONDS },
  {
    ...onDepth("drop"),
    seconds: LOSS_SECONDS,
    name: "drop 3, audit after 10 s",
    succeededAtAgeMs: 10_000,
    orders: (symbol) => [depth("drop", symbol, { times: 3 })],
  },
  { ...onDepth("drop"), seconds: LOSS_SECONDS, name: "drop 3 in a row", orders: (symbol) => [depth("drop", symbol, { times: 3 })] },
  {
    name: "drop snapshot",
    hits: "symbol",
    // A snapshot that doesn't come is asked for again after 15 s.
    seconds: SECONDS + 8,
    orders: (symbol) => [depth("crossed-book", symbol), { fault: "drop", symbol, channel: "snapshot", at: BROKEN_AT }],
  },
  onChannel("drop", "trade"),
  onChannel("drop", "quote"),
  onDepth("duplicate"),
  onDepth("reorder"),
  { ...onDepth("delay"), name: "delay 3 s", hits: "connection", orders: (symbol) => [depth("delay", symbol, { byMs: 3_000 })] },
  onDepth("corrupt"),
  onDepth("truncate"),
  onChannel("corrupt", "trade"),
  onDepth("crossed-book"),
  {
    name: "silence depth",
    hits: "symbol",
    seconds: SILENCE_SECONDS,
    orders: (symbol) => [{ fault: "silence", symbol, channel: "depth", at: BROKEN_AT, durationMs: SILENCE_MS }],
  },
  {
    name: "silence symbol",
    hits: "symbol",
    seconds: SILENCE_SECONDS,
    orders: (symbol) => [{ fault: "silence", symbol, at: BROKEN_AT, durationMs: SILENCE_MS }],
  },
  {
    name: "silence all",
    hits: "connection",
    seconds: SILENCE_SECONDS,
    orders: () => [{ fault: "silence", at: BROKEN_AT, durationMs: SILENCE_MS }],
  },
  onConnection("close 1006", { fault: "close-1006" }),
  onConnection("TCP reset", { fault: "tcp-reset" }),
  onConnection("close 24 h, told", { fault: "close-24h", isAnnounced: true }),
  onConnection("close 24 h, untold", { fault: "close-24h", isAnnounced: false }),
  // The feed leaves it before: at the second alarm the next connection is opened, at the third it takes over.
  { name: "close 24 h, rotated before", hits: "connection", seconds: 40, lifetimeMs: 34_000, succeededAtAgeMs: 10_000, orders: () => [] },
  ...([429, 418, 451] as const).flatMap((status): FaultRow[] => [
    onConnection(`${status} on dial`, { fault: "close-1006" }, { fault: `http-${status}`, target: "websocket", durationMs: 5_000 }),
    onRequest(`${status} on REST`, { fault: `http-${status}`, target: "rest", durationMs: 5_000 }),
  ]),
  onRequest("slow REST", { fault: "slow-rest", byMs: 4_000 }),
  { name: "stale snapshot", hits: "symbol", seconds: 36, orders: staleSnapshot },
  onDepth("id-map"),
  inRotation("close 1006, joining", "connection", () => [{ fault: "close-1006", at: JOINING_AT }]),
  inRotation("close 1006, joined", "connection", () => [{ fault: "close-1006", at: JOINED_AT }]),
  inRotation("both close 1006", "connection", () => [{ fault: "close-1006", at: JOINED_AT, times: 2 }]),
  inRotation("delay 1 s", "connection", (symbol) => [{ ...depth("delay", symbol, { byMs: 1_000 }), at: BEFORE_ROTATION_AT }]),
  inRotation("drop", "symbol", (symbol) => [{ ...depth("drop", symbol), at: JOINING_AT }]),
  inRotation("crossed-book, joining", "symbol", (symbol) => [{ ...depth("crossed-book", symbol), at: JOINING_AT }]),
  inRotation("crossed-book, joined", "symbol", (symbol) => [{ ...depth("crossed-book", symbol), at: JOINED_AT }]),
  ...([418, 451] as const).map((status) =>
    inRotation(`${status} on REST`, "symbol", (symbol) => [
      { ...depth("crossed-book", symbol), at: JOINED_AT },
      { fault: `http-${status}`, target: "rest", at: JOINED_AT, durationMs: 5_000 },
    ]),
  ),
  inRotation("451 on its dial", "connection", () => [{ fault: "http-451", target: "websocket", at: ROTATED_AT, durationMs: 5_000 }]),
  // The other connection takes over while the answer is on its way.
  inRotation("slow REST", "symbol", (symbol) => [
    { ...depth("crossed-book", symbol), at: JOINED_AT + 500 },
    { fault: "slow-rest", at: JOINED_AT + 500, byMs: 4_000 },
  ]),
  { ...inRotation("finer ticks", "connection", () => []), finerTicksAt: JOINING_AT },
  onConnection("clock +60 s", { fault: "clock-skew", byMs: 60_000, durationMs: 10_000 }),
  onConnection("clock -60 s", { fault: "clock-skew", byMs: -60_000, durationMs: 10_000 }),
];

function depth(fault: FaultOrder["fault"], symbol: string, more: Partial<FaultOrder> = {}): FaultOrder {
  return { fault, symbol, channel: "depth", at: BROKEN_AT, ...more };
}

function onDepth(fault: FaultOrder["fault"]): FaultRow {
  return { name: fault, hits: "symbol", seconds: SECONDS, orders: (symbol) => [depth(fault, symbol)] };
}

function onChannel(fault: FaultOrder["fault"], channel: "trade" | "quote"): FaultRow {
  return { name: `${fault} ${channel}`, hits: "symbol", seconds: SECONDS, orders: (symbol) => [{ fault, symbol, channel, at: BROKEN_AT }] };
}

function onConnection(name: string, ...faults: readonly FaultOrder[]): FaultRow {
  return { name, hits: "connection", seconds: SECONDS, orders: () => faults.map((fault) => ({ ...fault, at: BROKEN_AT })) };
}

/** While a connection and the next one are both open. */
function inRotation(name: string, hits: FaultRow["hits"], orders: FaultRow["orders"]): FaultRow {
  return { name: `rotation, ${name}`, hits, seconds: ROTATION_SECONDS, succeededAtAgeMs: 10_000, orders };
}

/** What is asked by REST is a snapshot: a crossed book makes it be asked for, at every venue. */
function onRequest(name: string, fault: FaultOrder): FaultRow {
  return {
    name,
    hits: "symbol",
    seconds: SECONDS,
    orders: (symbol) => [depth("crossed-book", symbol), { ...fault, at: BROKEN_AT }],
  };
}

/** Once the simulator has a book that is old enough. */
function staleSnapshot(symbol: string, venue: string): readonly FaultOrder[] {
  const at = START + 25_000;
  const stale: FaultOrder = { fault: "stale-snapshot", symbol, at };
  return venue.startsWith("binance") ? [{ ...depth("crossed-book", symbol), at }, stale] : [stale];
}
