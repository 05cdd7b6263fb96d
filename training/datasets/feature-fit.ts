/**
 * Fits the columns that take weights from data (core/features/fitted/) to the rows before a moment, read from the sources by the pipeline that then makes the dataset of them.
 *
 * - Of one instrument: a micro-price is in its ticks. Of whole seconds alone, which an instance has.
 * - A step over a gap is none, and a silence that the edge would sit out (unbroken-feed.ts) is a gap here: a price that nobody heard moved nowhere.
 * - Rows of that moment and later are never looked at. Whoever chooses or scores by rows before it is refused (fit-end.ts).
 */

import { FEATURE_INTERVAL_MS, type FeatureRow } from "../../core/features/contract.ts";
import { fitFeatures, hashOfFit } from "../../core/features/fitted/fit-features.ts";
import { fitInputs } from "../../core/features/fitted/fit-inputs.ts";
import { V2_FITTED } from "../../core/features/v2-fitted/feature-set.ts";
import { marketId } from "../../core/market/instrument.ts";
import { formatSteps } from "../../core/units/decimal.ts";
import { CommandError } from "../command-error.ts";
import type { Progress } from "../progress.ts";
import type { FeedSource } from "../replay/feed-source.ts";
import { replaySource } from "../replay/replay-source.ts";
import type { DatasetCard, DatasetFit } from "./card.ts";
import { utc } from "./fit-end.ts";
import { GrowingColumn } from "./growing-column.ts";
import { type ImportedSource, runImported } from "./imported-source.ts";
import type { UnbrokenFeed } from "./unbroken-feed.ts";

type Source = FeedSource | ImportedSource;

export interface FitOptions {
  /** Epoch ms: rows before it are fitted. */
  readonly until: number;
  readonly progress: Progress;
}

/** Half a gigabyte of them: 46 days. */
const MOST_FIT_ROWS = 4_000_000;
/** Of no consequence here: no targets are made. */
const NO_TARGETS = { unbrokenMs: 0, overGapsFromMs: null };

/** Reads all sources once. Throws CommandError where their rows can't be fitted to, or are of several instruments. */
export async function fitToSources(sources: readonly Source[], { until, progress }: FitOptions): Promise<DatasetFit> {
  const instrument = onlyInstrument(sources);
  const rows = new FitRows(until);
  for (const source of sources) {
    if ("kind" in source) {
      const options = { featureSet: fitInputs, silenceMs: null, rule: NO_TARGETS, onBlock: async () => {}, progress };
      const { market } = await runImported(source, { ...options, onRow: (row) => rows.add(row) });
      rows.endSource(market.feed);
    } else {
      await replaySource(source, { featureSet: fitInputs, onRow: (_symbol, row) => rows.add(row), progress });
      rows.endSource(null);
    }
  }
  const fitted = fitFeatures(rows.columns());
  if ("refusal" in fitted)
    throw new CommandError(`${fitted.refusal} (${instrument.market} before ${utc(until)}): name a later --fit-until, or record longer`);
  return { ...instrument, until, ...rows.extent(), hash: hashOfFit(fitted), ...fitted };
}

/** The fit that made another dataset. Throws CommandError where that has none, or the sources are of another instrument. */
export function fitOfCard({ fit, featureSet }: DatasetCard, sources: readonly Source[]): DatasetFit {
  if (fit === undefined)
    throw new CommandError(`the dataset of --fitted-as is of ${featureSet.id}, which takes nothing from data: name one of ${V2_FITTED}`);
  if (hashOfFit(fit) !== fit.hash)
    throw new CommandError("the fit in the card of --fitted-as is not the one that its hash names: make that dataset again");
  const { market, tick } = onlyInstrument(sources);
  if (market !== fit.market || tick !== fit.tick)
    throw new CommandError(`the fit is of ${fit.market} with a tick of ${fit.tick}, and says nothing of ${market} with one of ${tick}`);
  return fit;
}

function onlyInstrument(sources: readonly Source[]): Pick<DatasetFit, "market" | "tick"> {
  const instruments = sources.flatMap((source) =>
    "kind" in source
      ? [{ market: source.header.market, tick: formatSteps(1, source.header.tick) }]
      : source.instruments.map(({ venue, symbol, tick }) => ({ market: marketId(venue, symbol), tick: formatSteps(1, tick) })),
  );
  const [first, ...others] = instruments;
  if (first === undefined) throw new CommandError("there is no market to fit columns to");
  const other = others.find(({ market, tick }) => market !== first.market || tick !== first.tick);
  if (other === undefined) return first;
  throw new CommandError(
    `columns of ${V2_FITTED} are fitted to one instrument, and here are ${first.market} (tick ${first.tick}) and ${other.market} (tick ${other.tick}): choose with --market`,
  );
}

/** Gathers what `fitFeatures` takes, source by source. */
class FitRows {
  private readonly until: number;
  private readonly shares = new GrowingColumn();
  private readonly spreadTicks = new GrowingColumn();
  private readonly midTicks = new GrowingColumn();
  private readonly segments = new GrowingColumn();
  private readonly flows = new GrowingColumn();
  private readonly times = new GrowingColumn();
  private segment = 0;
  /** Of the source at hand, all of whose warm rows its feed was told of. */
  private source = { times: new GrowingColumn(), segments: new GrowingColumn(), places: new GrowingColumn() };

  constructor(until: number) {
    this.until = until;
  }

  add({ featureTime, segment, isWarm, bidTicks, askTicks, row }: FeatureRow): void {
    if (!isWarm) return;
    if (featureTime < this.until) this.keep(featureTime, [bidTicks, askTicks], row);
    this.source.times.push(featureTime);
    this.source.segments.push(segment);
  }

  /** Numbers the segments of its rows. @param feed of imported events: which stretches were heard. */
  endSource(feed: UnbrokenFeed | null): void {
    const { times, segments, places } = this.source;
    const judged = feed?.judge({ times: times.values, segments: segments.values }) ?? null;
    const follows = (place: number): boolean =>
      place > 0 &&
      segments.values[place] === segments.values[place - 1] &&
      (times.values[place] as number) - (times.values[place - 1] as number) === FEATURE_INTERVAL_MS &&
      judged?.mayReach(place - 1, place, FEATURE_INTERVAL_MS) !== false;
    let last = Number.NaN;
    for (const place of places.values) {
      if (!(place === last + 1 && follows(place))) this.segment++;
      this.segments.push(this.segment);
      last = place;
    }
    this.source = { times: new GrowingColumn(), segments: new GrowingColumn(), places: new GrowingColumn() };
  }

  columns(): Parameters<typeof fitFeatures>[0] {
    const { shares, spreadTicks, midTicks, segments, flows } = this;
    return {
      ...{ shares: shares.values, spreadTicks: spreadTicks.values, midTicks: midTicks.values },
      ...{ segments: segments.values, flows: flows.values },
    };
  }

  extent(): Pick<DatasetFit, "rows" | "from" | "to"> {
    const { values } = this.times;
    const from = values.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
    return { rows: values.length, from, to: values.reduce((most, time) => Math.max(most, time), Number.NEGATIVE_INFINITY) };
  }

  private keep(time: number, [bidTicks, askTicks]: readonly [number, number], row: Float64Array): void {
    if (this.times.length === MOST_FIT_ROWS)
      throw new CommandError(`columns are fitted to ${MOST_FIT_ROWS} rows at most: name an earlier --fit-until, or fewer recordings`);
    this.source.places.push(this.source.times.length);
    this.times.push(time);
    this.shares.push(row[0] as number);
    this.spreadTicks.push(askTicks - bidTicks);
    this.midTicks.push((askTicks + bidTicks) / 2);
    for (let level = 1; level < row.length; level++) this.flows.push(row[level] as number);
  }
}
