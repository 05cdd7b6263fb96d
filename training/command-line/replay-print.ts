/** A replay's report for a person: a table of its markets, then, market by market, what the table leaves open. */

import type { UnmatchedQuote } from "../../feed/quote-check.ts";
import type { Comparison } from "../replay/compare-with-running.ts";
import type { MarketReport, ReplayReport } from "../replay/replay-report.ts";
import { print, table, when } from "./report.ts";

/** Quotes explained one by one; a report for programs (--json) has more. */
const EXPLAINED_QUOTES = 20;

export function printReplay(report: ReplayReport, comparisons: ReadonlyMap<string, Comparison>): void {
  const { source, venue, records, malformedLines, frames, malformedFrames, malformedSamples, ignored, markets } = report;
  print(`${venue} from ${source}`);
  print(`  records ${records} (${malformedLines} unreadable lines); frames ${frames}, malformed ${malformedFrames}`);
  for (const sample of malformedSamples) print(`    ${sample.slice(0, 140)}`);
  for (const { reason, frames: count } of ignored) print(`  ${count} frame(s) ignored: ${reason}`);
  print(marketTable(markets));
  for (const market of markets) printMarket(market, report.featureSet, comparisons.get(market.market) ?? null);
}

function marketTable(markets: readonly MarketReport[]): string {
  const head = [
    "market",
    "state",
    "compared",
    "mismatches",
    "passed over",
    "not compared",
    "quotes",
    "trades",
    "lost trades",
    "gaps",
    "malformed",
  ];
  return table(
    head,
    markets.map((market) => [
      market.market,
      market.state,
      ...[market.comparisons, market.mismatches, market.quotes.passedOver, notCompared(market), market.quotes.all].map(String),
      ...[market.trades, market.gaps.filter(({ reason }) => reason === "lost-trades").length, market.gaps.length].map(String),
      String(market.malformedFrames),
    ]),
  );
}

function notCompared({ quotes }: MarketReport): number {
  return quotes.withoutBook + quotes.undecided + quotes.betweenNumbers;
}

function printMarket(market: MarketReport, featureSet: string, comparison: Comparison | null): void {
  const until = market.marketTime === null ? "no market time" : `${when(market.marketTime)} UTC`;
  print(`${market.market}, to ${until}`);
  print(
    `  book     ${market.state}, sequence ${market.lastSequence ?? "none"}, ${market.bidLevels} bid and ${market.askLevels} ask levels, best ${market.bidTicks ?? "none"} / ${market.askTicks ?? "none"} ticks`,
  );
  print(`  hash     ${market.bookHash} (tick ${market.tick}, lot ${market.lot}); checkpoint mismatches ${market.checkpointMismatches}`);
  printQuotes(market);
  if (market.topLevels !== null) {
    const { comparisons, mismatches } = market.topLevels;
    print(`  levels   ${comparisons} comparisons with the venue's own best levels, ${mismatches} mismatches`);
  }
  if (market.gaps.length === 0) print("  gaps     none");
  for (const gap of market.gaps)
    print(
      `  gap      ${gap.channel} ${when(gap.from)} … ${gap.to === null ? "still open" : when(gap.to)}: ${gap.reason}, ${gap.detail} (${gap.action})`,
    );
  print(
    `  features ${market.featureRows} rows, ${market.warmRows} warm; set ${featureSet} ${market.fingerprint}; rows hash ${market.rowsHash}`,
  );
  if (comparison === null) return;
  print(`  running  ${comparison.isEqual ? "equal" : "DIFFERENT"}`);
  for (const line of comparison.lines) print(`    ${line}`);
}

function printQuotes(market: MarketReport): void {
  const { all, withoutBook, passedOver, undecided, betweenNumbers } = market.quotes;
  const { comparisons, mismatches, unmatched } = market;
  if (all === 0) print("  quotes   none came: this book was compared with nothing");
  else print(`  quotes   ${all}: ${comparisons - mismatches} equal to the book's top, ${mismatches} mismatches`);
  if (withoutBook > 0) print(`    ${withoutBook} before there was a book, or while it was being built`);
  if (betweenNumbers > 0)
    print(`    ${betweenNumbers} of numbers inside one message of the book, or before its snapshot or after its last message`);
  if (undecided > 0) print(`    ${undecided} undecided when the recording ended, or the book was replaced`);
  if (passedOver > 0) print(`    ${passedOver} of moments that the book never showed:`);
  for (const quote of unmatched.slice(0, EXPLAINED_QUOTES)) print(`      ${explained(quote)}`);
  if (unmatched.length > EXPLAINED_QUOTES) print(`      … and ${unmatched.length - EXPLAINED_QUOTES} more`);
}

function explained({ outcome, quote, receivedAt, settledAt }: UnmatchedQuote): string {
  const { bidTicks, bidLots, askTicks, askLots, sequence } = quote;
  const top = `${bidTicks} (${bidLots ?? "?"}) / ${askTicks} (${askLots ?? "?"})`;
  if (receivedAt === null) return `MISMATCH at ${sequence}: the venue quotes ${top}`;
  const at = new Date(receivedAt).toISOString().slice(11, 23);
  const waited = settledAt === null ? 0 : settledAt - receivedAt;
  if (outcome === "mismatch") return `${at} ${top}: MISMATCH: no top was it within ${waited} ms, and no later quote agreed`;
  return waited === 0
    ? `${at} ${top}: an earlier quote of the same moment; a later one of it agreed`
    : `${at} ${top}: inside a batch of the book's changes; ${waited} ms later a quote agreed`;
}
