/**
 * A soak: simulated hours with random faults, then a few calm minutes. On the way, each two minutes, every live book is compared with the truth and the heap is
 * measured after a collection; at the end the ledger is audited against the simulator's record, and all books must be live and the truth.
 *
 * Ledger and record go to a file as they come, so that what grows in memory is ours. A live book that isn't the truth is an error, unless nobody could know
 * yet: the record then has a fault that no later message has shown (`latent`), after the book's last message where the venue numbers its books, since it
 * was built elsewhere. By the end it must be right.
 */

import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { marketId } from "../../core/market/instrument.ts";
import { ContentHash } from "../../core/math/hash.ts";
import { type DecimalGrid, parseSteps } from "../../core/units/decimal.ts";
import { MS_PER_HOUR, MS_PER_MINUTE } from "../../core/units/time.ts";
import type { FaultEntry } from "../../exchange-simulator/faults/record.ts";
import type { InProcessFeed } from "../../exchange-simulator/in-process-feed.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import type { GapRecord } from "../../feed/contract.ts";
import type { MarketTracker } from "../../feed/market-tracker.ts";
import { type Audit, type AuditedFeed, audit } from "./ledger-audit.ts";
import { SETTLED_AFTER_MS, SOAK_START, SoakedWorld, type SoakOptions } from "./soaked-world.ts";

/** Between two looks at heap and books. */
const LOOK_EVERY_MINUTES = 2;
const CALM_MINUTES = 5;

export interface Look {
  readonly minute: number;
  readonly heapBytes: number;
  /** Live books that are the truth, and those that aren't live. */
  readonly equal: number;
  readonly notLive: number;
  /** Live, not the truth, and nobody could know: a fault is in the record that nothing has shown yet. */
  readonly latent: readonly string[];
  /** Live and not the truth, where that can't be. */
  readonly wrong: readonly string[];
}

/** Least squares: bytes an hour, and the standard error of that. */
export interface HeapSlope {
  readonly bytesPerHour: number;
  readonly standardError: number;
  readonly meanBytes: number;
}

export interface SoakReport {
  readonly options: SoakOptions;
  readonly simulatedSeconds: number;
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly frames: number;
  readonly malformedFrames: number;
  readonly looks: readonly Look[];
  /** Of the looks behind the first hour; null where those are of less than an hour. */
  readonly heapSlope: HeapSlope | null;
  readonly ledger: Audit;
  /** Of books that only quotes prove: quotes compared with them, and those that they contradicted. */
  readonly racing: { readonly comparisons: number; readonly mismatches: number };
  readonly faults: number;
  readonly gaps: number;
  readonly last: Look;
  /** Of all books at the end. */
  readonly hash: string;
}

export async function runSoak(options: SoakOptions, onLook: (look: Look) => void = () => {}): Promise<SoakReport> {
  const soaked = await SoakedWorld.build(options);
  const spool = new Spool();
  const looks: Look[] = [];
  const began = performance.now();
  const cpuBegan = process.cpuUsage();
  try {
    const end = SOAK_START + options.minutes * MS_PER_MINUTE;
    const step = Math.min(LOOK_EVERY_MINUTES, options.minutes) * MS_PER_MINUTE;
    for (let time = SOAK_START + step; time <= end; time += step) {
      soaked.liveUntil(time, "faulty");
      soaked.settle();
      spool.gaps(soaked.takeEndedGaps());
      spool.entries(soaked.takeRecord(time - SETTLED_AFTER_MS));
      const look = lookAt(soaked, time);
      looks.push(look);
      onLook(look);
    }
    soaked.endFaults();
    const calm = end + CALM_MINUTES * MS_PER_MINUTE;
    soaked.liveUntil(calm, "calm");
    soaked.settle();
    spool.gaps([...soaked.takeEndedGaps(), ...soaked.openGaps]);
    spool.entries(soaked.takeRecord(Number.POSITIVE_INFINITY));
    const wallSeconds = (performance.now() - began) / 1_000;
    const cpu = process.cpuUsage(cpuBegan);
    const gaps = spool.readGaps();
    const entries = spool.readEntries();
    return {
      options,
      simulatedSeconds: (calm - SOAK_START) / 1_000,
      wallSeconds,
      cpuSeconds: (cpu.user + cpu.system) / 1_000_000,
      frames: sum(soaked.feeds.map(({ reducer }) => reducer.frames)),
      malformedFrames: sum(soaked.feeds.map(({ reducer }) => reducer.malformedFrames)),
      looks,
      heapSlope: slopeOf(looks),
      ledger: audit(soaked.feeds.map(auditedFeed), { ledger: gaps, record: entries, hours: (calm - SOAK_START) / MS_PER_HOUR }),
      racing: racingOf(soaked.feeds),
      faults: entries.length,
      gaps: gaps.length,
      last: lookAt(soaked, calm),
      hash: hashOf(soaked.feeds),
    };
  } finally {
    spool.remove();
  }
}

/** Why a soak has failed; empty when it hasn't. */
export function failuresOf({ looks, last, ledger, heapSlope }: SoakReport): string[] {
  const failures: string[] = [];
  for (const { minute, wrong } of looks)
    if (wrong.length > 0) failures.push(`minute ${minute}: live and not the truth: ${wrong.join(", ")}`);
  const unequal = [...last.wrong, ...last.latent];
  if (unequal.length > 0 || last.notLive > 0)
    failures.push(`at the end ${last.notLive} books are not live, and not the truth: ${unequal.join(", ")}`);
  if (ledger.missed.length > 0) failures.push(`${ledger.missed.length} faults are not in the ledger`);
  if (ledger.unexplained.length > 0) failures.push(`${ledger.unexplained.length} gaps have no fault`);
  const falseAlarms = falseAlarmsOf(ledger);
  if (falseAlarms > ledger.racingHours * FALSE_ALARMS_AN_HOUR)
    failures.push(
      `${falseAlarms} books were broken by quotes without any fault, in ${ledger.racingHours.toFixed(1)} hours of such markets`,
    );
  failures.push(...faultsOfHeap(heapSlope));
  return failures;
}

export function falseAlarmsOf({ gaps }: Audit): number {
  return sum([...gaps.values()].map(({ falseAlarms }) => falseAlarms));
}

/**
 * Of a market whose quotes have no numbers. Each costs a right book some seconds: one in a hundred hours is a hundred-thousandth of them, less than a rotation
 * takes. Of a run of six hours it allows none.
 */
const FALSE_ALARMS_AN_HOUR = 0.01;

/**
 * What grows and is not the feeds': the simulator keeps each market's last 1,000 minute bars, and the engine's code gets hotter. Measured 350 and 640 KiB an
 * hour in the second and third hour of two runs, and less from hour to hour.
 */
const OWN_BYTES_AN_HOUR = 800 * 1_024;
/** Standard errors: chance alone is beyond as many once in forty times, on either side. */
const BEYOND_CHANCE = 2;

/** Growth that chance doesn't explain, or so much chance that growth couldn't be told from it. */
function faultsOfHeap(slope: HeapSlope | null): string[] {
  if (slope === null) return [];
  const [perHour, margin] = [slope.bytesPerHour, BEYOND_CHANCE * slope.standardError];
  const found = `${Math.round(perHour)} ± ${Math.round(margin)} bytes an hour`;
  if (perHour - margin > OWN_BYTES_AN_HOUR) return [`the heap grows by ${found}`];
  return margin > OWN_BYTES_AN_HOUR / 2 ? [`whether the heap grows can't be told: ${found}`] : [];
}

function lookAt({ feeds, world }: SoakedWorld, time: number): Look {
  let equal = 0;
  let notLive = 0;
  const latent: string[] = [];
  const wrong: string[] = [];
  for (const { reducer, venue } of feeds) {
    for (const [symbol, tracker] of reducer.markets) {
      if (tracker.state !== "live") notLive++;
      else if (isTruth(tracker, world.truth(venue, symbol))) equal++;
      else if (isUnseen(tracker, world)) latent.push(marketId(venue, symbol));
      else wrong.push(marketId(venue, symbol));
    }
  }
  return { minute: (time - SOAK_START) / MS_PER_MINUTE, heapBytes: heapBytes(), equal, notLive, latent, wrong };
}

/** Level by level: each level of the truth is in the book with its size, and there are no others. */
function isTruth({ book, instrument }: MarketTracker, truth: ReturnType<SoakedWorld["world"]["truth"]>): boolean {
  if (truth === null) return false;
  return (["bid", "ask"] as const).every((side) => {
    const ladder = book.side(side);
    const levels = side === "bid" ? truth.bids : truth.asks;
    return (
      ladder.levelCount === levels.length &&
      levels.every(([price, size], depth) => {
        // BitMEX counts contracts: one is one lot of the market.
        const lots = instrument.venue === "bitmex" ? Math.round(Number(size) / Number(truth.lot)) : stepsOf(size, instrument.lot);
        return ladder.ticksAt(depth) === stepsOf(price, instrument.tick) && ladder.lotsAt(depth) === lots;
      })
    );
  });
}

/** Whether the record has a fault of the book that no message after it has shown. */
function isUnseen({ instrument, continuity, lastBookAt, unbrokenSince }: MarketTracker, { injector }: SoakedWorld["world"]): boolean {
  const since = (continuity === "book" ? lastBookAt : unbrokenSince) ?? Number.POSITIVE_INFINITY;
  const isOfIt = ({ venue, symbol, channel }: FaultEntry) =>
    venue === instrument.venue && symbol === instrument.symbol && channel !== "trade" && channel !== "quote";
  return injector?.record.all.some((entry) => isOfIt(entry) && Math.ceil(entry.until ?? entry.at) >= since) === true;
}

function stepsOf(text: string, grid: DecimalGrid): number | null {
  return parseSteps(text, 0, text.length, grid);
}

function auditedFeed({ venue, symbols, standbySpans }: InProcessFeed): AuditedFeed {
  const adapter = findAdapter(venue);
  if (adapter === null) throw new Error(`no adapter speaks ${venue}`);
  const { continuity, tradeIds } = adapter;
  return { venue, symbols, standbySpans, continuity, tradeIds };
}

function racingOf(feeds: readonly InProcessFeed[]): SoakReport["racing"] {
  const checks = feeds
    .flatMap(({ reducer }) => [...reducer.markets.values()].map(({ check }) => check))
    .filter((check) => !check.isNumbered);
  return { comparisons: sum(checks.map((check) => check.comparisons)), mismatches: sum(checks.map((check) => check.mismatches)) };
}

function hashOf(feeds: readonly InProcessFeed[]): string {
  const hash = new ContentHash();
  for (const { reducer } of feeds) for (const { market, book } of reducer.markets.values()) hash.text(market).text(book.contentHash());
  return hash.digest();
}

const WARM_UP_MINUTES = 60;
const LEAST_MINUTES = 60;

export function slopeOf(looks: readonly Pick<Look, "minute" | "heapBytes">[]): HeapSlope | null {
  const points = looks
    .filter(({ minute }) => minute >= WARM_UP_MINUTES)
    .map(({ minute, heapBytes: bytes }) => [minute / 60, bytes] as const);
  if (points.length < LEAST_MINUTES / LOOK_EVERY_MINUTES) return null;
  const meanHour = sum(points.map(([hour]) => hour)) / points.length;
  const meanBytes = sum(points.map(([, bytes]) => bytes)) / points.length;
  const spread = sum(points.map(([hour]) => (hour - meanHour) * (hour - meanHour)));
  const bytesPerHour = sum(points.map(([hour, bytes]) => (hour - meanHour) * (bytes - meanBytes))) / spread;
  const residuals = points.map(([hour, bytes]) => bytes - meanBytes - bytesPerHour * (hour - meanHour));
  const variance = sum(residuals.map((residual) => residual * residual)) / (points.length - 2);
  return { bytesPerHour, standardError: Math.sqrt(variance / spread), meanBytes };
}

let collect: (() => void) | null = null;

/** What is reachable: after a collection. */
function heapBytes(): number {
  if (collect === null) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Ledger and record, out of memory. */
class Spool {
  private readonly folder = mkdtempSync(join(tmpdir(), "edgebook-soak-"));

  gaps(gaps: readonly GapRecord[]): void {
    this.append("gaps", gaps);
  }

  entries(entries: readonly FaultEntry[]): void {
    this.append("record", entries);
  }

  readGaps(): GapRecord[] {
    return this.read("gaps") as GapRecord[];
  }

  readEntries(): FaultEntry[] {
    return this.read("record") as FaultEntry[];
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private append(name: string, values: readonly unknown[]): void {
    appendFileSync(join(this.folder, name), values.map((value) => `${JSON.stringify(value)}\n`).join(""));
  }

  private read(name: string): unknown[] {
    const lines = readFileSync(join(this.folder, name), "utf8").split("\n");
    return lines.filter((line) => line !== "").map((line): unknown => JSON.parse(line));
  }
}
