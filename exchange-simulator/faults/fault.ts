/** What can be broken, how it is ordered, and how an order is read. */

import type { Channel, Frame } from "../venue.ts";

/** Faults of a frame on its way to one client. */
const FRAME_FAULTS = [
  "drop",
  "duplicate",
  "reorder",
  "delay",
  "corrupt",
  "truncate",
  "crossed-book",
  "stale-snapshot",
  "id-map",
  "silence",
] as const;
/** Faults of a whole connection. */
const CONNECTION_FAULTS = ["close-1006", "tcp-reset", "close-24h"] as const;
/** Faults of requests; the refusals are also of the upgrade to a websocket. */
const REFUSALS = ["http-429", "http-418", "http-451"] as const;

export const FAULTS = [...FRAME_FAULTS, ...CONNECTION_FAULTS, ...REFUSALS, "slow-rest", "clock-skew"] as const;
export type FaultName = (typeof FAULTS)[number];
export type Refusal = (typeof REFUSALS)[number];
export type ConnectionFault = (typeof CONNECTION_FAULTS)[number];

const CHANNELS = [
  "depth",
  "snapshot",
  "best-levels",
  "trade",
  "quote",
  "kline",
  "instrument",
  "heartbeat",
  "control",
] as const satisfies readonly Channel[];
/** What a fault hits that names no channel: what the client came for. */
const DATA_CHANNELS: readonly Channel[] = ["depth", "best-levels", "trade", "quote", "kline", "instrument"];
const ALL_DATA: readonly Channel[] = [...DATA_CHANNELS, "snapshot"];
const BOOK_FAULTS: readonly FaultName[] = ["crossed-book", "stale-snapshot", "id-map"];

/** One fault that is to happen. What isn't told is any: any venue, any symbol, the next occasion. */
export interface FaultOrder {
  readonly fault: FaultName;
  readonly venue?: string;
  readonly symbol?: string;
  /** Of the frames it may hit; those with market data unless told. */
  readonly channel?: Channel;
  /** Not before this time of the simulated clock, epoch ms. */
  readonly at?: number;
  /** Given up when there was no occasion so long after `at`. */
  readonly withinMs?: number;
  /** Not before so many frames that it could hit have passed. */
  readonly afterFrames?: number;
  /** At each occasion with this probability, by the seed. */
  readonly probability?: number;
  /** How often; once unless told, 0 for at each occasion. */
  readonly times?: number;
  /** How long it lasts, ms of the simulated clock: silence, skew, refusals. */
  readonly durationMs?: number;
  /** delay, slow-rest: by how much. clock-skew: the venue's clock is ahead by it, may be negative. close-24h: from its notice to the close. */
  readonly byMs?: number;
  /** Refusals: of what; of both unless told. */
  readonly target?: "rest" | "websocket";
  /** close-24h: whether the venue says so before, where it has words for that; it does unless told. */
  readonly isAnnounced?: boolean;
}

export function isConnectionFault(fault: FaultName): fault is ConnectionFault {
  return CONNECTION_FAULTS.some((name) => name === fault);
}

export function isRefusal(fault: FaultName): fault is Refusal {
  return REFUSALS.some((name) => name === fault);
}

export function statusOf(refusal: Refusal): 429 | 418 | 451 {
  return refusal === "http-429" ? 429 : refusal === "http-418" ? 418 : 451;
}

/** Whether a frame is an occasion for an order. */
export function mayHit(order: FaultOrder, venue: string, frame: Frame): boolean {
  if (!FRAME_FAULTS.some((name) => name === order.fault)) return false;
  if (order.venue !== undefined && order.venue !== venue) return false;
  if (order.symbol !== undefined && order.symbol !== frame.symbol) return false;
  if (order.channel !== undefined) return order.channel === frame.channel;
  if (order.fault === "stale-snapshot") return frame.channel === "depth" || frame.channel === "snapshot";
  if (BOOK_FAULTS.includes(order.fault)) return frame.channel === "depth";
  return (order.fault === "silence" ? ALL_DATA : DATA_CHANNELS).includes(frame.channel);
}

/** Symbols named in a refusal: a world may list a thousand. */
const NAMED = 20;

/** @param listed what each venue lists. @returns why an order could never find its occasion there; null when it may. */
export function unreachable({ venue, symbol }: FaultOrder, listed: ReadonlyMap<string, readonly string[]>): string | null {
  const there = venue === undefined ? [...listed.values()].flat() : listed.get(venue);
  if (there === undefined) return `venue ${JSON.stringify(venue?.slice(0, 40))} is none of ${namesOf([...listed.keys()])}`;
  if (symbol === undefined || there.includes(symbol)) return null;
  const where = venue === undefined ? "any venue" : venue;
  return `symbol ${JSON.stringify(symbol.slice(0, 40))} is none of ${where}: ${namesOf([...new Set(there)])}`;
}

function namesOf(names: readonly string[]): string {
  return names.length <= NAMED ? names.join(", ") : `${names.slice(0, NAMED).join(", ")} and ${names.length - NAMED} more`;
}

const LARGEST_ORDERS = 10_000;
const TEXTS = ["venue", "symbol"] as const;
const NUMBERS = ["at", "withinMs", "afterFrames", "probability", "times", "durationMs"] as const;

/** Reads one order or a list of them. @returns why the text is none. */
export function parseFaultOrders(text: string): readonly FaultOrder[] | { readonly malformed: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { malformed: "not JSON" };
  }
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length > LARGEST_ORDERS) return { malformed: `more than ${LARGEST_ORDERS} orders` };
  const orders: FaultOrder[] = [];
  for (const item of list) {
    const order = orderOf(item);
    if (typeof order === "string") return { malformed: order };
    orders.push(order);
  }
  return orders;
}

/** @returns why it is no order. */
function orderOf(value: unknown): FaultOrder | string {
  if (typeof value !== "object" || value === null) return "an order is an object with a fault";
  const fields = value as Readonly<Record<string, unknown>>;
  const fault = FAULTS.find((name) => name === fields.fault);
  if (fault === undefined) return `fault ${JSON.stringify(fields.fault)?.slice(0, 40)} is none of ${FAULTS.join(", ")}`;
  const channel = CHANNELS.find((name) => name === fields.channel);
  if (fields.channel !== undefined && channel === undefined) return `channel is one of ${CHANNELS.join(", ")}`;
  const known = new Set<string>(["fault", "channel", "byMs", "isAnnounced", "target", ...TEXTS, ...NUMBERS]);
  const unknown = Object.keys(fields).find((name) => !known.has(name));
  if (unknown !== undefined) return `an order has no ${unknown.slice(0, 40)}`;
  for (const name of TEXTS) if (fields[name] !== undefined && typeof fields[name] !== "string") return `${name} is a text`;
  for (const name of NUMBERS) if (fields[name] !== undefined && !isNumberFrom0(fields[name])) return `${name} is a number, 0 or more`;
  if (fields.byMs !== undefined && !Number.isFinite(fields.byMs)) return "byMs is a number";
  if (fields.target !== undefined && fields.target !== "rest" && fields.target !== "websocket") return "target is rest or websocket";
  if (fields.isAnnounced !== undefined && typeof fields.isAnnounced !== "boolean") return "isAnnounced is true or false";
  return { ...fields, fault } as FaultOrder;
}

function isNumberFrom0(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value) && value >= 0;
}
