/**
 * What a recording holds, from the recording itself: whose messages, which markets, and the grids on which they lie.
 *
 * Our own tapes say their grids (`i` records), and the answers beside a recording may hold the venue's list of instruments; elsewhere the step is the
 * greatest common divisor of all prices (and sizes) in it, found as the exchange simulator finds it for its exchangeInfo, so that a replay offline
 * and one through a socket have the same ticks and lots.
 */

import { readLines } from "../../archive/line-reader.ts";
import type { Instrument } from "../../core/market/instrument.ts";
import { GridFinder } from "../../core/units/grid-finder.ts";
import { decodeTapeLine } from "../../core/wire/tape.ts";
import { isObject, type JsonObject, parseJson } from "../../exchanges/decoding/json-fields.ts";
import { MESSAGE_SHAPES, type SeeDecimals, showLevels, writtenDecimal } from "./message-shapes.ts";

/** More distinct symbols than this in one file is no recording of ours: three times what one connection carries by default. */
const MAX_SYMBOLS = 64;
/** The declaration stands at the head of a minute's tape, behind what a restart may have written. */
const LINES_THAT_DECLARE = 1_000;
/** Snapshot bodies kept until the symbol is known. */
const MAX_NAMELESS = 100;

/** What one line carries: a message of the stream, or the answer to a request, with the symbol where it is said. */
export interface SurveyedLine {
  readonly payload: string;
  readonly answerOf: string | null;
}

export class RecordingSurvey {
  /** The venues that a message has fitted, and whether one has fitted no other. */
  private readonly fits = new Map<string, boolean>();
  private readonly markets = new Map<string, { tick: GridFinder; lot: GridFinder }>();
  private readonly nameless: JsonObject[] = [];
  private readonly see: SeeDecimals = (symbol, of, value) => {
    const grids = this.gridsOf(symbol);
    const text = writtenDecimal(value);
    if (grids === null || text === null) return;
    if (of === "price") grids.tick.see(text);
    else grids.lot.see(text);
  };

  take({ payload, answerOf }: SurveyedLine): void {
    const message = parseJson(payload);
    if (!isObject(message)) return;
    if (answerOf !== null) this.showAnswer(message, answerOf);
    else if ("lastUpdateId" in message) this.keepNameless(message);
    else this.takeMessage(message);
  }

  /** The venues that the messages may be of, the likeliest alone where one is named for certain; several when they are of several. */
  get venues(): readonly string[] {
    const certain = [...this.fits].filter(([, isCertain]) => isCertain).map(([venue]) => venue);
    return certain.length > 0 ? certain : [...this.fits.keys()];
  }

  get symbols(): readonly string[] {
    return [...this.markets.keys()];
  }

  /** A body without a symbol is taken for the only one; where there are several it is passed over. */
  instruments(venue: string): Instrument[] {
    const [only] = this.markets.keys();
    if (only !== undefined && this.markets.size === 1) for (const body of this.nameless.splice(0)) this.showAnswer(body, only);
    return [...this.markets].map(([symbol, { tick, lot }]) => ({ venue, symbol, tick: tick.grid, lot: lot.grid }));
  }

  private takeMessage(message: JsonObject): void {
    for (const shape of MESSAGE_SHAPES) {
      const venues = shape.venuesOf(message);
      if (venues.length === 0) continue;
      for (const venue of venues) this.fits.set(venue, venues.length === 1 || this.fits.get(venue) === true);
      shape.show(message, this.see);
      return;
    }
  }

  private showAnswer({ bids, asks }: JsonObject, symbol: string): void {
    showLevels(bids, symbol, this.see);
    showLevels(asks, symbol, this.see);
  }

  private keepNameless(body: JsonObject): void {
    if (this.nameless.length < MAX_NAMELESS) this.nameless.push(body);
  }

  private gridsOf(symbol: string): { tick: GridFinder; lot: GridFinder } | null {
    const known = this.markets.get(symbol);
    if (known !== undefined) return known;
    if (this.markets.size >= MAX_SYMBOLS) return null;
    const grids = { tick: new GridFinder(), lot: new GridFinder() };
    this.markets.set(symbol, grids);
    return grids;
  }
}

/** @param paths files of one recording. @param options.mostLines where to stop; the grids are sure only when all of it was read. */
export async function surveyFiles(
  paths: readonly string[],
  options: { lineOf: (line: string) => SurveyedLine | null; mostLines?: number },
): Promise<RecordingSurvey> {
  const { lineOf, mostLines = Number.POSITIVE_INFINITY } = options;
  const survey = new RecordingSurvey();
  let read = 0;
  for (const path of paths) {
    for await (const { lines } of readLines(path)) {
      for (const line of lines) {
        const surveyed = lineOf(line);
        if (surveyed !== null) survey.take(surveyed);
      }
      read += lines.length;
      if (read >= mostLines) break;
    }
  }
  return survey;
}

/** The grids that a tape of ours declares in `i` records among its first lines, by symbol: of each the first. */
export async function declaredGrids(path: string): Promise<Map<string, Pick<Instrument, "tick" | "lot">>> {
  const declared = new Map<string, Pick<Instrument, "tick" | "lot">>();
  let read = 0;
  for await (const { lines } of readLines(path)) {
    for (const line of lines) {
      const record = decodeTapeLine(line);
      if ("kind" in record && record.kind === "instrument" && !declared.has(record.symbol))
        declared.set(record.symbol, { tick: record.tick, lot: record.lot });
    }
    read += lines.length;
    if (read >= LINES_THAT_DECLARE) break;
  }
  return declared;
}
