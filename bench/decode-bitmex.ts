/**
 * BitMEX's frames decoded and applied a second, beside JSON.parse alone on the same strings: a recorded session of ten symbols, some 15 seconds
 * of all changes of their books, their quotes and trades. The partials are in the books before the clock starts.
 *
 * The session is over within a millisecond, in which books and code that are in no cache are most of what is measured, where JSON.parse needs neither. So
 * it is run as recorded (with a decoder and books made anew for each round, and with the same in all rounds, which each round's partials bring
 * back to where it begins), and made longer: to and fro, each message of a book followed, when all are through, by the one that takes it
 * back, ten times over. Each of these in today's layout too, where every row has its price and two times; no recording of it is at hand.
 */

import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Instrument } from "../core/market/instrument.ts";
import { bitmex } from "../exchanges/bitmex/bitmex.ts";
import { benchBesideParse, type SocketSession } from "./beside-parse.ts";
import { readRecording } from "./recording.ts";
import type { BenchOptions, BenchResult } from "./report.ts";

/** Beside it lies the venue's list of instruments: `.rest.txt.gz`. */
const RECORDING = resolve(import.meta.dirname, "../../shared/data/wire/bitmex-2021-07-22.ws.txt.gz");
/** A pass takes a millisecond: each round is as many, each timed beside its peer. */
const PASSES_PER_ROUND = 20;
const TIMES_TO_AND_FRO = 10;

export async function benchDecodeBitmex({ file, rounds }: BenchOptions): Promise<BenchResult[]> {
  const path = file ?? RECORDING;
  if (!existsSync(path)) throw new Error(`no recording at ${path}: name one with --file`);
  const recorded = readRecording(path)
    .map(({ text }) => text)
    .filter((text) => text.startsWith('{"table":') && (!isPartial(text) || isOfBook(text)));
  const instruments = instrumentsOf(path.replace(".ws.", ".rest."), recorded);
  const results: BenchResult[] = [];
  for (const [layout, frames] of [
    ["as recorded", recorded],
    ["in today's layout", inTodaysLayout(recorded)],
  ] as const) {
    const session = (name: string, books: SocketSession["books"], changes: readonly string[]): SocketSession => {
      return {
        name: `BitMEX, ${layout}, ${name},`,
        adapter: bitmex,
        instruments,
        snapshots: frames.filter(isPartial),
        frames: changes,
        books,
      };
    };
    const changes = frames.filter((frame) => !isPartial(frame));
    results.push(
      ...benchBesideParse(session("new books", "new", changes), rounds * PASSES_PER_ROUND),
      ...benchBesideParse(session("kept books", "kept", changes), rounds * PASSES_PER_ROUND),
      ...benchBesideParse(session("to and fro", "kept", toAndFro(frames)), rounds),
    );
  }
  return results;
}

interface Row {
  readonly symbol: string;
  readonly id: number;
  readonly side: string;
  readonly size?: number;
  readonly price?: number;
  readonly timestamp?: string;
  readonly transactTime?: string;
}

interface BookMessage {
  readonly action: "partial" | "insert" | "update" | "delete";
  readonly data: readonly Row[];
}

const isPartial = (frame: string) => frame.includes('"action":"partial"');
const isOfBook = (frame: string) => frame.startsWith('{"table":"orderBookL2"');

/** The rows that a session's messages of books refer to, by what keys them. */
class HeldRows {
  private readonly rows = new Map<string, Row>();

  of(row: Row): Row | undefined {
    return this.rows.get(keyOf(row));
  }

  take({ action, data }: BookMessage): void {
    for (const row of data) {
      if (action === "delete") this.rows.delete(keyOf(row));
      else this.rows.set(keyOf(row), { ...this.of(row), ...row });
    }
  }
}

function keyOf({ symbol, id, side }: Row): string {
  return `${symbol} ${id} ${side}`;
}

/** The session's changes, then those that undo them, last first; all of it some times over. */
function toAndFro(frames: readonly string[]): string[] {
  const held = new HeldRows();
  const back: string[] = [];
  for (const frame of frames) {
    if (!isOfBook(frame)) continue;
    const message = JSON.parse(frame) as BookMessage;
    if (message.action !== "partial") back.push(flat(undoing(message, held)));
    held.take(message);
  }
  const once = [...frames.filter((frame) => !isPartial(frame)), ...back.reverse()];
  return Array.from({ length: TIMES_TO_AND_FRO }, () => once).flat();
}

const UNDONE_BY = { insert: "delete", update: "update", delete: "insert" } as const;

function undoing({ action, data }: BookMessage, held: HeldRows): string {
  if (action === "partial") throw new Error("a partial is not undone");
  const rows = data.map((row) => {
    const before = held.of(row);
    // Fields in the venue's order, as far as it sends them with such an action.
    const { symbol, id, side, price, size, timestamp, transactTime } = { ...row, ...before };
    const hasPrice = action === "delete" || row.price !== undefined;
    return {
      ...{ symbol, id, side },
      ...(action === "insert" ? {} : { size }),
      ...(hasPrice && !(action === "insert" && row.timestamp === undefined) ? { price } : {}),
      ...(row.timestamp === undefined ? {} : { timestamp, transactTime }),
    };
  });
  return messageText(UNDONE_BY[action], rows);
}

/** With the price and both times in each row of a book; the quotes and trades as they are. */
function inTodaysLayout(frames: readonly string[]): string[] {
  const held = new HeldRows();
  return frames.map((frame, at) => {
    if (!isOfBook(frame)) return frame;
    const message = JSON.parse(frame) as BookMessage;
    const time = `2021-07-22T22:36:${String(10 + Math.floor(at / 100)).padStart(2, "0")}.${String((at * 7) % 1_000).padStart(3, "0")}Z`;
    const rows = message.data.map((row) => {
      const { symbol, id, side, size } = row;
      const price = row.price ?? held.of(row)?.price;
      return { symbol, id, side, ...(size === undefined ? {} : { size }), price, timestamp: time, transactTime: time };
    });
    held.take(message);
    return flat(messageText(message.action, rows));
  });
}

function messageText(action: BookMessage["action"], data: readonly object[]): string {
  return JSON.stringify({ table: "orderBookL2", action, data });
}

/** A flat string of its own bytes, as a socket gives it. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Of the symbols that the frames are of; the file's first line is the answer of `/instrument/active`. */
function instrumentsOf(path: string, frames: readonly string[]): readonly Instrument[] {
  const symbols = new Set(frames.map((frame) => /"symbol":"([^"]+)"/.exec(frame)?.[1] ?? ""));
  const [line = ""] = gunzipSync(readFileSync(path)).toString("utf8").split("\n", 1);
  const decoded = bitmex.decodeInstruments(line.slice(line.indexOf(": ") + 2), [...symbols]);
  if ("malformed" in decoded) throw new Error(`${path}: ${decoded.malformed}`);
  return decoded.instruments;
}
