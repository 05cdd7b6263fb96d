/**
 * The fast reading of Advanced Trade: a frame with one event of a book, in the exact text that the venue sends, straight into the buffers.
 *
 * No object, substring or array is made; a whole book of 5 MB costs its characters. What stands before a price is matched by a sticky
 * expression, which compares several characters at once and is faster here than a loop over them (bench/decode-coinbase.ts). The scanner accepts only
 * a complete frame in a known layout whose values it can hold, and answers null for anything else: the parser then says what that is. What it
 * accepts is exactly what the parser would have read (test/exchanges/coinbase-advanced-decoder.test.ts holds the two together).
 * Layouts: frames that users recorded in 2026, and
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels (read 2026-11-27), whose frames have a client_id.
 */

import type { Decoded } from "../contract.ts";
import type { EventBuffers } from "../decoding/event-buffers.ts";
import { parseIsoTime } from "../decoding/iso-time.ts";
import { ScannedMarkets } from "../decoding/scanned-markets.ts";
import { TextScanner } from "../decoding/text-scanner.ts";
import type { CoinbaseMarket, SidedLevels } from "./messages.ts";

const HEAD = '{"channel":"l2_data",';
const TAIL = "]}]}";
const COMMA = 44;
const CLOSE_BRACKET = 93;
/** An update up to its price. A level's time is of digits, `-.:`, T and Z, nothing that JSON would escape; the parser doesn't look at it either. */
const BID = /\{"side":"bid","event_time":"[-.\d:TZ]{0,40}","price_level":"/y;
const OFFER = /\{"side":"offer","event_time":"[-.\d:TZ]{0,40}","price_level":"/y;
const SIZE = '","new_quantity":"';
const LETTER_B = 98;
/** Where the side's first letter stands. */
const SIDE_AT = 9;

export class AdvancedScanner {
  /** The number of the frame that was scanned last. */
  sequence = 0;
  private readonly scanner = new TextScanner();
  private readonly markets: ScannedMarkets<CoinbaseMarket>;
  private readonly buffers: EventBuffers;
  private readonly levels: SidedLevels;

  constructor(buffers: EventBuffers, levels: SidedLevels, markets: Iterable<CoinbaseMarket>) {
    this.buffers = buffers;
    this.levels = levels;
    this.markets = new ScannedMarkets(markets);
  }

  /** @returns the event read, or null when this is not a frame that the scanner knows. */
  scan(frame: string): Decoded | null {
    const { scanner, levels } = this;
    scanner.begin(frame);
    if (!scanner.literal(HEAD)) return null;
    scanner.literal('"client_id":"",');
    if (!scanner.literal('"timestamp":"')) return null;
    const venueTime = this.time();
    if (venueTime < 0 || !scanner.literal('","sequence_num":')) return null;
    const sequence = scanner.integer();
    if (sequence < 0 || !scanner.literal(',"events":[{"type":"')) return null;
    const isSnapshot = scanner.literal('snapshot"');
    if (!isSnapshot && !scanner.literal('update"')) return null;
    if (!scanner.literal(',"product_id":"')) return null;
    const market = this.markets.read(scanner);
    if (market === null || !scanner.literal(',"updates":[')) return null;
    levels.begin();
    if (!this.updates(market) || !scanner.literal(TAIL) || !scanner.isAtEnd() || !levels.end()) return null;
    this.sequence = sequence;
    const { depth, snapshot } = this.buffers;
    if (isSnapshot) {
      snapshot.symbol = market.symbol;
      snapshot.venueTime = venueTime;
      snapshot.lastSequence = sequence;
      return this.buffers.snapshotDecoded;
    }
    depth.symbol = market.symbol;
    depth.venueTime = venueTime;
    depth.firstSequence = sequence;
    depth.lastSequence = sequence;
    return this.buffers.depthDecoded;
  }

  /** Updates up to the closing bracket, which stays ahead. */
  private updates(market: CoinbaseMarket): boolean {
    const { scanner, levels } = this;
    const { text } = scanner;
    if (text.charCodeAt(scanner.at) === CLOSE_BRACKET) return true;
    for (;;) {
      const isBid = text.charCodeAt(scanner.at + SIDE_AT) === LETTER_B;
      const head = isBid ? BID : OFFER;
      head.lastIndex = scanner.at;
      if (!head.test(text)) return false;
      const ticks = scanner.decimal(head.lastIndex, market.tick);
      if (ticks <= 0 || !scanner.literal(SIZE)) return false;
      const lots = scanner.decimal(scanner.at, market.lot);
      if (lots < 0 || !scanner.literal('"}')) return false;
      if (!(isBid ? levels.addBid(ticks, lots) : levels.addAsk(ticks, lots))) return false;
      if (text.charCodeAt(scanner.at) !== COMMA) return true;
      scanner.at++;
    }
  }

  /** A time up to its closing quote, which stays ahead. @returns -1 when none is here. */
  private time(): number {
    const { scanner } = this;
    const start = scanner.at;
    const end = scanner.text.indexOf('"', start);
    if (end < 0) return -1;
    scanner.at = end;
    return parseIsoTime(scanner.text, start, end);
  }
}
