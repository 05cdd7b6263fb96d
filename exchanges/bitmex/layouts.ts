/**
 * The layouts that make up nearly all of BitMEX's traffic, as patterns of whole rows: what the scanner (frame-scanner.ts) reads without a parser.
 *
 * Recorded frames of 2021 (no price in update and delete, no times); since July 2023 each row has its price and `timestamp`
 * (https://blog.bitmex.com/site_announcement/potentially-breaking-api-update-to-id-generation-on-websocket-orderbook-feeds), since 2026 a `pool`
 * (https://www.bitmex.com/blog/api-change-03-02-2026), and a `transactTime` (all read 2026-11-27). The fields of
 * an orderBook10 row come in any order: they have been recorded in two. Rows of the Secondary pool match none: they are the parser's.
 */

import { DECIMAL, INTEGER, layout, NAME, NUMBER, TIME } from "../decoding/layout-patterns.ts";

const POOL = ',"pool":"(?:Primary|Aggregated)"';
/** Of its time only the shape is looked at: the parser does not look at it at all. */
const TIMES = `,"timestamp":"${TIME}"(?:,"transactTime":"${TIME}")?`;
const LEVEL =
  `\\{"symbol":"${NAME}","id":${INTEGER},"side":"(?:Buy|Sell)"(?:,"size":${INTEGER})?(?:,"price":${DECIMAL})?` +
  `(?:${POOL})?(?:${TIMES})?(?:${POOL})?\\}`;
/** The actions of changes; an image comes once, and is the parser's. */
export const FIRST_LEVEL = layout(`\\{"table":"orderBookL2","action":"(?:update|insert|delete)","data":\\[${LEVEL}`);
export const NEXT_LEVEL = layout(`,${LEVEL}`);

const QUOTE =
  `\\{"timestamp":"${TIME}","symbol":"${NAME}","bidSize":${INTEGER},"bidPrice":${DECIMAL},"askPrice":${DECIMAL},"askSize":${INTEGER}` +
  `(?:${POOL})?\\}`;
export const FIRST_QUOTE = layout(`\\{"table":"quote","action":"insert","data":\\[${QUOTE}`);
export const NEXT_QUOTE = layout(`,${QUOTE}`);

/** How many digits each part has is for the scanner to see: 32 classes in a row are a pattern too large for the engine to make fast. */
const UUID = Array.from({ length: 5 }, () => "[0-9a-f]+").join("-");
const NUMBER_OR_NULL = `(?:${NUMBER}|null)`;
const TRADE =
  `\\{"timestamp":"${TIME}","symbol":"${NAME}","side":"(?:Buy|Sell)","size":${INTEGER},"price":${DECIMAL},"tickDirection":"\\w+",` +
  `"trdMatchID":"${UUID}"(?:,"grossValue":${NUMBER_OR_NULL})?(?:,"homeNotional":${NUMBER_OR_NULL})?(?:,"foreignNotional":${NUMBER_OR_NULL})?` +
  `(?:,"trdType":"\\w+")?(?:${POOL})?\\}`;
export const FIRST_TRADE = layout(`\\{"table":"trade","action":"insert","data":\\[${TRADE}`);
export const NEXT_TRADE = layout(`,${TRADE}`);

/** Any value but a list or an object, its text without escapes. */
const SCALAR = `(?:${NUMBER}|"[^"\\\\\\u0000-\\u001f]*"|null|true|false)`;
/** Fields of prices, fees and volumes, which nobody keeps; an instrument has some 110. What is kept, and the symbol again, are the parser's. */
const PRICES = `(?:,"(?!(?:state|tickSize|lotSize|symbol)")\\w+":${SCALAR}){0,120}`;
const INSTRUMENT = `\\{"symbol":"${NAME}"${PRICES}\\}`;
export const FIRST_INSTRUMENT = layout(`\\{"table":"instrument","action":"update","data":\\[${INSTRUMENT}`);
export const NEXT_INSTRUMENT = layout(`,${INSTRUMENT}`);

const PAIR = `\\[${DECIMAL},${INTEGER}\\]`;
const SIDE = `\\[(?:${PAIR}(?:,${PAIR}){0,9})?\\]`;
/** Each field at most once is for the scanner to see. */
const TOP = `\\{"symbol":"${NAME}"(?:,"bids":${SIDE}|,"asks":${SIDE}|,"timestamp":"${TIME}"|${POOL}){3,4}\\}`;
export const FIRST_TOP = layout(`\\{"table":"orderBook10","action":"update","data":\\[${TOP}`);
export const NEXT_TOP = layout(`,${TOP}`);
