/**
 * Instruments out of a venue's list, each read by itself: one that can't be used (no contract, a grid that is switched off) is told, and costs the others
 * nothing. Where none can be read it is the list that isn't what the document promises.
 */

import type { Instrument } from "../../core/market/instrument.ts";
import type { Listing, Unlisted } from "../contract.ts";
import { FieldError, isObject, type JsonObject, shown, textField } from "./json-fields.ts";

/** @throws FieldError */
export function readListed(
  entries: Iterable<readonly [symbol: string, entry: JsonObject]>,
  read: (symbol: string, entry: JsonObject) => Instrument,
): Listing {
  const instruments = new Map<string, Instrument>();
  const unreadable = new Map<string, Unlisted>();
  for (const [symbol, entry] of entries) {
    try {
      instruments.set(symbol, read(symbol, entry));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      unreadable.set(symbol, { symbol, reason: error.message });
    }
  }
  // One that is listed twice, readable and not, is not to be relied on.
  for (const symbol of unreadable.keys()) instruments.delete(symbol);
  const [first] = unreadable.values();
  if (first === undefined) return { instruments: [...instruments.values()] };
  if (instruments.size === 0) throw new FieldError(first.reason);
  return { instruments: [...instruments.values()], unreadable: [...unreadable.values()] };
}

/** Of a list, the entries of these symbols. @param name of the field that holds the symbol. */
export function* entriesOf(list: readonly unknown[], name: string, symbols: readonly string[]): Generator<[string, JsonObject]> {
  const wanted = new Set(symbols);
  for (const entry of list) {
    if (!isObject(entry)) throw new FieldError(`an entry is ${shown(entry)}, not an object`);
    const symbol = textField(entry, name);
    if (wanted.has(symbol)) yield [symbol, entry];
  }
}
