/**
 * What clients ask for, read and judged: the query that a stream is opened with, and the messages that come on it.
 *
 * Whatever is wrong is a value that says which parameter and why. The public Worker and the feed object judge by this same code.
 */

import {
  CHANNELS,
  type Channel,
  DEFAULT_STREAM_LEVELS,
  INTERVALS_MS,
  MAX_MARKETS,
  STREAM_LEVELS,
  type Subscription,
  TURN_MS,
} from "./protocol.ts";

/** Longest message that is read: fifty market names of the longest kind fit. */
const MAX_MESSAGE_CHARACTERS = 8_192;
/** Much of a client's own text that an answer repeats. */
const QUOTED_CHARACTERS = 60;

export interface RequestError {
  readonly parameter: string;
  readonly message: string;
}

export type Refused = { readonly errors: readonly RequestError[] };

export type ClientMessage =
  | { readonly kind: "subscribe"; readonly subscriptions: readonly Subscription[] }
  /** `channels`: null for all of them. */
  | { readonly kind: "unsubscribe"; readonly markets: readonly string[]; readonly channels: readonly Channel[] | null }
  | { readonly kind: "pong"; readonly id: string }
  | Refused;

/** The values of a request, each not yet judged; undefined where left out. */
interface Asked {
  readonly markets: unknown;
  readonly channels: unknown;
  readonly levels: unknown;
  readonly intervalMs: unknown;
}

/** A query's values as they came: lists by comma, numbers as digits. @param held the markets of the feed. */
export function readStreamQuery(
  query: Readonly<Record<string, string | undefined>>,
  held: readonly string[],
): readonly Subscription[] | Refused {
  const { markets, channels, levels, intervalMs, ...rest } = query;
  const unknown = Object.keys(rest).map((parameter) => ({ parameter: cut(parameter), message: "no such parameter" }));
  if (unknown.length > 0) return { errors: unknown };
  const list = (text: string | undefined): readonly string[] | undefined => text?.split(",");
  const digits = (text: string | undefined): unknown => (text !== undefined && /^\d{1,6}$/.test(text) ? Number(text) : text);
  return subscriptionsOf(
    { markets: list(markets), channels: list(channels), levels: digits(levels), intervalMs: digits(intervalMs) },
    held,
  );
}

/** @param own the markets that the client is subscribed to: what `markets` means when it is left out. */
export function readClientMessage(data: unknown, own: readonly string[], held: readonly string[]): ClientMessage {
  if (typeof data !== "string") return refuse("message", "text only: a binary message is not read");
  if (data.length > MAX_MESSAGE_CHARACTERS)
    return refuse("message", `${data.length} characters: at most ${MAX_MESSAGE_CHARACTERS} are read`);
  const value = parseObject(data);
  if (value === null) return refuse("message", `a JSON object was expected, and came: ${cut(data)}`);
  const { op, markets = own, channels, levels, intervalMs, id, ...rest } = value;
  const unknown = Object.keys(rest).map((parameter) => ({ parameter: cut(parameter), message: "no such field" }));
  if (unknown.length > 0) return { errors: unknown };
  switch (op) {
    case "subscribe": {
      const subscriptions = subscriptionsOf({ markets, channels, levels, intervalMs }, held);
      return "errors" in subscriptions ? subscriptions : { kind: "subscribe", subscriptions };
    }
    case "unsubscribe":
      return unsubscribeOf(markets, channels, held);
    case "pong":
      return typeof id === "string" ? { kind: "pong", id } : refuse("id", "the id of the ping, as it came");
    default:
      return refuse("op", `subscribe, unsubscribe or pong, and not ${cut(JSON.stringify(op) ?? "nothing")}`);
  }
}

/** In one sentence. */
export function errorSentence({ errors }: Refused): string {
  return errors.map(({ parameter, message }) => `${parameter}: ${message}`).join("; ");
}

function subscriptionsOf(asked: Asked, held: readonly string[]): readonly Subscription[] | Refused {
  const errors: RequestError[] = [];
  const markets = marketsOf(asked.markets, held, errors);
  const channels = channelsOf(asked.channels ?? CHANNELS, errors);
  const levels = oneOf("levels", { value: asked.levels ?? DEFAULT_STREAM_LEVELS, allowed: STREAM_LEVELS }, errors);
  const intervalMs = oneOf("intervalMs", { value: asked.intervalMs ?? TURN_MS, allowed: INTERVALS_MS }, errors);
  return errors.length > 0 ? { errors } : markets.map((market) => ({ market, channels, levels, intervalMs }));
}

function unsubscribeOf(markets: unknown, channels: unknown, held: readonly string[]): ClientMessage {
  const errors: RequestError[] = [];
  const from = marketsOf(markets, held, errors);
  const of = channels === undefined ? null : channelsOf(channels, errors);
  return errors.length > 0 ? { errors } : { kind: "unsubscribe", markets: from, channels: of };
}

function marketsOf(value: unknown, held: readonly string[], errors: RequestError[]): string[] {
  const names = distinctStrings(value);
  if (names === null || names.length === 0) {
    errors.push({ parameter: "markets", message: "at least one, as venue:SYMBOL" });
    return [];
  }
  if (names.length > MAX_MARKETS) errors.push({ parameter: "markets", message: `${names.length}: at most ${MAX_MARKETS} on one socket` });
  const foreign = names.filter((name) => !held.includes(name));
  if (foreign.length > 0) errors.push({ parameter: "markets", message: `not carried by this socket's feed: ${cut(foreign.join(", "))}` });
  return names;
}

function channelsOf(value: unknown, errors: RequestError[]): Channel[] {
  const names = distinctStrings(value);
  const isChannel = (name: string): name is Channel => (CHANNELS as readonly string[]).includes(name);
  if (names === null || names.length === 0 || !names.every(isChannel)) {
    errors.push({ parameter: "channels", message: `of ${CHANNELS.join(", ")}` });
    return [];
  }
  return names.filter(isChannel);
}

function oneOf(parameter: string, { value, allowed }: { value: unknown; allowed: readonly number[] }, errors: RequestError[]): number {
  if (typeof value === "number" && allowed.includes(value)) return value;
  errors.push({ parameter, message: `one of ${allowed.join(", ")}` });
  return 0;
}

function distinctStrings(value: unknown): string[] | null {
  if (!Array.isArray(value) || !value.every((item): item is string => typeof item === "string")) return null;
  return [...new Set(value)];
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function refuse(parameter: string, message: string): Refused {
  return { errors: [{ parameter, message }] };
}

function cut(text: string): string {
  return text.length > QUOTED_CHARACTERS ? `${text.slice(0, QUOTED_CHARACTERS)}…` : text;
}
