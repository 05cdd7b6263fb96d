/** The markets that a scanner knows, found by the name that stands in a frame without cutting it out. */

import type { DecimalGrid } from "../../core/units/decimal.ts";
import { MAX_DECIMALS, TextScanner } from "./text-scanner.ts";

export interface ScannedMarket {
  readonly symbol: string;
  readonly tick: DecimalGrid;
  readonly lot: DecimalGrid;
}

export interface NameInFrames<Market> {
  /** Without what ends it. */
  readonly nameOf: (market: Market) => string;
  /** The character behind the name. */
  readonly end: string;
}

interface NamedMarket<Market> {
  readonly market: Market;
  /** With what ends it. */
  readonly name: Uint8Array;
}

export class ScannedMarkets<Market extends ScannedMarket> {
  /** By hash of the name, by linear probing; at most a quarter of the slots is in use. */
  private readonly slots: (NamedMarket<Market> | null)[] = [];
  private readonly mask: number;
  private readonly end: number;
  /** The one that was read last: often the next too, and told from others by its first characters. */
  private last: NamedMarket<Market> | null = null;

  /** Markets whose names JSON would escape, or whose grids are finer than a scanner reads, are left to the parser. */
  constructor(markets: Iterable<Market>, { nameOf, end }: NameInFrames<Market> = SYMBOL_IN_QUOTES) {
    const scanned = [...markets].filter(
      (market) => PLAIN_NAME.test(nameOf(market)) && market.tick.decimals <= MAX_DECIMALS && market.lot.decimals <= MAX_DECIMALS,
    );
    this.end = end.charCodeAt(0);
    let size = 1;
    while (size < 4 * scanned.length) size *= 2;
    this.mask = size - 1;
    for (let at = 0; at < size; at++) this.slots.push(null);
    for (const market of scanned) {
      const text = `${nameOf(market)}${end}`;
      const name = Uint8Array.from(text, (character) => character.charCodeAt(0));
      let at = hashOf(text, this.end) & this.mask;
      while (this.slots[at] !== null) at = (at + 1) & this.mask;
      this.slots[at] = { market, name };
    }
  }

  /** Reads a name and what ends it. @returns null when it is none of these markets'. */
  read(scanner: TextScanner): Market | null {
    const { slots, mask, end, last } = this;
    if (last !== null && scanner.codes(last.name)) return last.market;
    for (let at = scanner.nameHash(end) & mask; ; at = (at + 1) & mask) {
      const found = slots[at];
      if (found === null || found === undefined) return null;
      if (!scanner.codes(found.name)) continue;
      this.last = found;
      return found.market;
    }
  }
}

const SYMBOL_IN_QUOTES: NameInFrames<ScannedMarket> = { nameOf: ({ symbol }) => symbol, end: '"' };

function hashOf(text: string, end: number): number {
  const scanner = new TextScanner();
  scanner.begin(text);
  return scanner.nameHash(end);
}

/** Letters, digits, and - . _ between them. */
const PLAIN_NAME = /^[\w.-]{1,40}$/;
