/**
 * The tape: everything a feed received, losslessly, with receive times. Replaying it gives the same books, features and gaps.
 *
 * One record a line, so that `zcat | less` reads it: `<receivedAt ms> <kind> <payload>`. Chunks are concatenated; gzip members may be too.
 *
 * | kind | payload |
 * |---|---|
 * | f | a text frame, as received, when it holds no line break |
 * | F | a text frame as a JSON string, when it does |
 * | B | a binary frame, base64 |
 * | s | `<symbol> <body>`: the answer to a snapshot request (a body with a line break is a JSON string, kind S) |
 * | a | `<symbol>`: a snapshot was asked for |
 * | o | the connection opened: `<connection number>` |
 * | c | the connection went down: its reason |
 * | g | `<symbol or *> <reason>`: a hole: what was received before and after is not continuous (restart, eviction, resync) |
 * | p | a standby was opened, to succeed the connection: `<connection number>` |
 * | n, N | a text frame of the standby; N as a JSON string, when it holds a line break |
 * | q | the standby was given up: the reason |
 * | t | the standby is the connection from here on: `<connection number>: <reason>` |
 * | i | `<symbol> <tick> <lot>`: the grids of this market, decimal strings; at the head of each minute |
 * | k | `<symbol> <checkpoint>`: the feed's own book, so that a replay may begin here (feed/checkpoint.ts) |
 */

import { type DecimalGrid, formatSteps, parseGrid } from "../units/decimal.ts";
import { isTime } from "../units/time.ts";

export type TapeRecord =
  | { kind: "frame"; receivedAt: number; text: string }
  | { kind: "binary"; receivedAt: number; base64: string }
  | { kind: "snapshot"; receivedAt: number; symbol: string; body: string }
  | { kind: "asked"; receivedAt: number; symbol: string }
  | { kind: "open"; receivedAt: number; connection: string }
  | { kind: "down"; receivedAt: number; reason: string }
  | { kind: "standby-open"; receivedAt: number; connection: string }
  | { kind: "standby-frame"; receivedAt: number; text: string }
  | { kind: "standby-down"; receivedAt: number; reason: string }
  | { kind: "takeover"; receivedAt: number; connection: string }
  /** `symbol` null: of every market. */
  | { kind: "hole"; receivedAt: number; symbol: string | null; reason: string }
  | { kind: "checkpoint"; receivedAt: number; symbol: string; body: string }
  | { kind: "instrument"; receivedAt: number; symbol: string; tick: DecimalGrid; lot: DecimalGrid };

const EVERY_MARKET = "*";

/** The line of a record, with its line feed. */
export function encodeTapeRecord(record: TapeRecord): string {
  switch (record.kind) {
    case "frame":
      return encodeFrame(record.receivedAt, record.text);
    case "binary":
      return `${record.receivedAt} B ${record.base64}\n`;
    case "snapshot":
      return hasLineBreak(record.body)
        ? `${record.receivedAt} S ${record.symbol} ${JSON.stringify(record.body)}\n`
        : `${record.receivedAt} s ${record.symbol} ${record.body}\n`;
    case "asked":
      return `${record.receivedAt} a ${record.symbol}\n`;
    case "open":
      return `${record.receivedAt} o ${record.connection}\n`;
    case "down":
      return `${record.receivedAt} c ${inOneLine(record.reason)}\n`;
    case "standby-open":
      return `${record.receivedAt} p ${record.connection}\n`;
    case "standby-frame":
      return encodeStandbyFrame(record.receivedAt, record.text);
    case "standby-down":
      return `${record.receivedAt} q ${inOneLine(record.reason)}\n`;
    case "takeover":
      return `${record.receivedAt} t ${record.connection}\n`;
    case "hole":
      return `${record.receivedAt} g ${record.symbol ?? EVERY_MARKET} ${inOneLine(record.reason)}\n`;
    case "checkpoint":
      return `${record.receivedAt} k ${record.symbol} ${record.body}\n`;
    case "instrument":
      return `${record.receivedAt} i ${record.symbol} ${formatSteps(1, record.tick)} ${formatSteps(1, record.lot)}\n`;
  }
}

/** The line of a frame: what the feed writes for nearly every message. */
export function encodeFrame(receivedAt: number, text: string): string {
  return hasLineBreak(text) ? `${receivedAt} F ${JSON.stringify(text)}\n` : `${receivedAt} f ${text}\n`;
}

export function encodeStandbyFrame(receivedAt: number, text: string): string {
  return hasLineBreak(text) ? `${receivedAt} N ${JSON.stringify(text)}\n` : `${receivedAt} n ${text}\n`;
}

/** @returns the record of one line (without its line feed), or why it is none. */
export function decodeTapeLine(line: string): TapeRecord | { malformed: string } {
  const head = /^(\d{1,16}) ([a-zA-Z]) /.exec(line);
  if (head === null) return { malformed: `not "<receivedAt> <kind> <payload>": ${line.slice(0, 60)}` };
  const receivedAt = Number(head[1]);
  if (!isTime(receivedAt)) return { malformed: `no time that a date can show: ${line.slice(0, 60)}` };
  const payload = line.slice(head[0].length);
  switch (head[2]) {
    case "f":
      return { kind: "frame", receivedAt, text: payload };
    case "F": {
      const text = parseJsonString(payload);
      return text === null ? { malformed: "an F record is not a JSON string" } : { kind: "frame", receivedAt, text };
    }
    case "n":
      return { kind: "standby-frame", receivedAt, text: payload };
    case "N": {
      const text = parseJsonString(payload);
      return text === null ? { malformed: "an N record is not a JSON string" } : { kind: "standby-frame", receivedAt, text };
    }
    case "p":
      return { kind: "standby-open", receivedAt, connection: payload };
    case "q":
      return { kind: "standby-down", receivedAt, reason: payload };
    case "t":
      return { kind: "takeover", receivedAt, connection: payload };
    case "B":
      return { kind: "binary", receivedAt, base64: payload };
    case "s":
    case "S":
      return decodeSnapshotRecord(receivedAt, payload, head[2] === "S");
    case "a":
      return { kind: "asked", receivedAt, symbol: payload };
    case "o":
      return { kind: "open", receivedAt, connection: payload };
    case "c":
      return { kind: "down", receivedAt, reason: payload };
    case "g":
      return decodeHole(receivedAt, payload);
    case "k": {
      const [symbol, body] = splitFirst(payload);
      return body === null ? { malformed: "a checkpoint without a body" } : { kind: "checkpoint", receivedAt, symbol, body };
    }
    case "i":
      return decodeInstrument(receivedAt, payload);
    default:
      return { malformed: `unknown record kind "${head[2]}"` };
  }
}

function decodeHole(receivedAt: number, payload: string): TapeRecord | { malformed: string } {
  const [symbol, reason] = splitFirst(payload);
  if (reason === null) return { malformed: "a hole without a reason" };
  return { kind: "hole", receivedAt, symbol: symbol === EVERY_MARKET ? null : symbol, reason };
}

function decodeInstrument(receivedAt: number, payload: string): TapeRecord | { malformed: string } {
  const [symbol = "", tickText = "", lotText = "", ...rest] = payload.split(" ");
  const tick = parseGrid(tickText);
  const lot = parseGrid(lotText);
  if (symbol === "" || tick === null || lot === null || rest.length > 0)
    return { malformed: `not "<symbol> <tick> <lot>": ${payload.slice(0, 60)}` };
  return { kind: "instrument", receivedAt, symbol, tick, lot };
}

function decodeSnapshotRecord(receivedAt: number, payload: string, isQuoted: boolean): TapeRecord | { malformed: string } {
  const [symbol, text] = splitFirst(payload);
  if (text === null) return { malformed: "a snapshot record without a body" };
  const body = isQuoted ? parseJsonString(text) : text;
  return body === null ? { malformed: "an S record is not a JSON string" } : { kind: "snapshot", receivedAt, symbol, body };
}

/** The text before the first space and all after it; null where there is no space. */
function splitFirst(payload: string): [string, string | null] {
  const space = payload.indexOf(" ");
  return space <= 0 ? [payload, null] : [payload.slice(0, space), payload.slice(space + 1)];
}

function inOneLine(reason: string): string {
  return reason.replace(/[\r\n]+/g, " ");
}

/** Line feed, carriage return: what would end a line for one reader or another. */
function hasLineBreak(text: string): boolean {
  return text.includes("\n") || text.includes("\r");
}

function parseJsonString(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "string" ? value : null;
  } catch {
    return null;
  }
}
