/** `edgebook dataset`: recordings or the simulator in, a folder of features and targets out. */

import { Command, InvalidArgumentError, Option } from "commander";
import { FEATURE_INTERVAL_MS, type FeatureSet } from "../../core/features/contract.ts";
import { featureSetNamed, featureSets, featureSetV1 } from "../../core/features/registry.ts";
import { featureSetV2Fitted, V2_FITTED } from "../../core/features/v2-fitted/feature-set.ts";
import { DEFAULT_HORIZONS_MS, MAX_HORIZONS } from "../../core/labels/horizons.ts";
import { LABEL_KINDS, type LabelKind, labelKindOf, USUAL_LABEL_KIND } from "../../core/labels/moves.ts";
import { SPLIT_LABELS, type SplitLabel } from "../../core/labels/split.ts";
import { CommandError } from "../command-error.ts";
import { buildDataset, DEFAULT_TARGET_RULE } from "../datasets/build-dataset.ts";
import type { DatasetCard, DatasetFit } from "../datasets/card.ts";
import { readCard } from "../datasets/dataset-reader.ts";
import { fitOfCard, fitToSources } from "../datasets/feature-fit.ts";
import { buildFi2010 } from "../datasets/fi2010-dataset.ts";
import { FI2010_LAYOUTS } from "../datasets/fi2010-layout.ts";
import { parseGrids } from "../datasets/file-sources.ts";
import { hasInferredSides, type ImportedSource } from "../datasets/imported-source.ts";
import { buildMinuteDataset } from "../datasets/minute-dataset.ts";
import { isShifted, PHASE_COUNTS, servedRowsOf } from "../datasets/phases.ts";
import { recordedSources } from "../datasets/recorded-sources.ts";
import { parseSimulation, simulatedSource } from "../datasets/simulated-source.ts";
import type { FeedSource } from "../replay/feed-source.ts";
import { terminalProgress } from "./bars.ts";
import { freePredictability, freeTable } from "./free-predictability.ts";
import { collect, countingNumber, horizonsOption, jsonOption, moment, wholeNumber } from "./options.ts";
import { print, printJson, table, when } from "./report.ts";

interface DatasetOptions {
  readonly simulate: readonly string[];
  readonly fi2010: boolean;
  readonly snapshots: boolean;
  readonly split: readonly SplitLabel[];
  readonly out: string;
  readonly features: string;
  readonly label: LabelKind;
  readonly horizons: readonly number[];
  readonly venue?: string;
  readonly market?: string;
  readonly grid: readonly string[];
  readonly silenceMs?: number;
  readonly unbrokenMs?: number;
  readonly overGapsFrom?: number;
  readonly phases: number;
  readonly fitUntil?: number;
  readonly fittedAs?: string;
  readonly json: boolean;
}

export function datasetCommand(): Command {
  return new Command("dataset")
    .description("Makes a dataset: feature rows and targets, from recordings or from the simulator, by the code that runs at the edge.")
    .argument(
      "[recordings...]",
      "tapes (.tape.gz, .day), recorders' files (.ndjson.gz, .ws.txt.gz), imported events (.events.ndjson.gz), or folders of them; recordings of one market are joined",
    )
    .option("--simulate <preset:seed:hours>", "a generated market, e.g. large-tick:1:4; may be given several times", collect, [])
    .option(
      "--fi2010",
      "the files are matrices of FI-2010: one to train on, or the days to test on; --features fi2010-144 takes all its columns",
      false,
    )
    .option("--snapshots", "the files are minute rows, as `edgebook pull --snapshots` fetches them from an instance: a row a minute", false)
    .option(
      "--split <label>",
      `of minute rows: those alone that the instance labelled so when it recorded them (${SPLIT_LABELS.join(", ")}); may be given several times`,
      collectSplit,
      [],
    )
    .requiredOption("--out <dir>", "folder to write")
    .addOption(
      new Option("--features <id>", "what a row holds: docs/features.md has the sets")
        .choices([...[...featureSets, ...FI2010_LAYOUTS].map(({ id }) => id), V2_FITTED])
        .default(featureSetV1.id),
    )
    .addOption(
      new Option("--label <kind>", "which move a target is: to the price at the horizon, to the mean up to it, or from mean to mean")
        .choices(LABEL_KINDS)
        .default(USUAL_LABEL_KIND),
    )
    .addOption(
      horizonsOption(`multiples of ${FEATURE_INTERVAL_MS}, at most ${MAX_HORIZONS}`).default(
        DEFAULT_HORIZONS_MS,
        DEFAULT_HORIZONS_MS.join(","),
      ),
    )
    .option("--venue <venue>", "venue of files that don't name it; told from what they hold where it is not given")
    .option("--market <market>", "only this market, e.g. binance-spot:BTCUSDT")
    .option("--grid <symbol:tick:lot>", "a symbol's tick and lot, where they are known better than from the file", collect, [])
    .option(
      "--silence-ms <ms>",
      "longer silences of a book are counted among the gaps (only what its own pace doesn't allow, unless told); rows over them stay, and of imported events they have no targets",
      countingNumber,
    )
    .option(
      "--unbroken-ms <ms>",
      `of imported events: rows have targets only behind so much feed without a gap (${DEFAULT_TARGET_RULE.unbrokenMs} unless told)`,
      wholeNumber,
    )
    .option(
      "--over-gaps-from <ms>",
      "of imported events: targets so far ahead, or farther, may reach over a silence, from a row of unbroken feed to another; none may unless told",
      countingNumber,
    )
    .addOption(
      new Option(
        "--phases <n>",
        "rows at so many moments of each second, evenly apart: those off the whole second may teach, and nothing else",
      )
        .argParser(phaseCount)
        .default(1),
    )
    .addOption(
      new Option(
        "--fit-until <time>",
        `of ${V2_FITTED}: its fitted columns are fitted to the rows before it, e.g. 2026-01-06T09:00Z; nothing may be chosen or scored by those`,
      )
        .argParser(moment)
        .conflicts("fittedAs"),
    )
    .option("--fitted-as <dir>", `of ${V2_FITTED}: its columns as in that dataset, of the same market`)
    .addOption(jsonOption())
    .action(runDataset);
}

async function runDataset(recordings: string[], options: DatasetOptions, command: Command): Promise<void> {
  if (options.fi2010) return runFi2010(recordings, options, command);
  if (options.snapshots) return runSnapshots(recordings, options, command);
  if (options.split.length > 0) throw new CommandError("--split is of minute rows, which --snapshots says the files are");
  await runRecordings(recordings, options);
}

/** What the matrices say by themselves is refused where it is given. */
const FOREIGN_TO_FI2010 = [
  "simulate",
  "label",
  "horizons",
  "venue",
  "market",
  "grid",
  "silenceMs",
  "unbrokenMs",
  "overGapsFrom",
  "phases",
  "fitUntil",
  "fittedAs",
  "snapshots",
  "split",
];
/** Of events, which minute rows are none of. */
const FOREIGN_TO_SNAPSHOTS = ["simulate", "venue", "grid", "silenceMs", "unbrokenMs", "overGapsFrom", "phases", "fitUntil", "fittedAs"];

function refuseForeign(command: Command, foreign: readonly string[], what: string): void {
  const given = command.options.find(
    (option) => foreign.includes(option.attributeName()) && command.getOptionValueSource(option.attributeName()) === "cli",
  );
  if (given !== undefined) throw new CommandError(`${given.long} says nothing of ${what}: leave it out`);
}

async function runFi2010(files: readonly string[], options: DatasetOptions, command: Command): Promise<void> {
  const given = (name: string): boolean => command.getOptionValueSource(name) === "cli";
  refuseForeign(command, FOREIGN_TO_FI2010, "FI-2010, whose matrices are as they are");
  const layout = FI2010_LAYOUTS.find(({ id }) => id === (given("features") ? options.features : "fi2010-40"));
  if (layout === undefined) throw new CommandError(`--features ${options.features} are not of FI-2010: fi2010-40 or fi2010-144`);
  const typed = ["edgebook", "dataset", "--fi2010", ...files, "--features", layout.id];
  const card = await buildFi2010({ files, layout, folder: options.out, command: typed, progress: terminalProgress() });
  if (options.json) return printJson(card);
  for (const { source, rows } of card.parts) print(`${source}: ${rows} rows, one every ten events`);
  print(
    `${card.rows} rows of ${layout.columns.length} columns (${layout.id}, ${layout.fingerprint}) and classes at 10, 20, 30, 50 and 100 events in ${options.out}`,
  );
  print(`sha256 ${card.sha256}`);
  print(`next: edgebook train --data ${options.out} --answer classes --out RUN`);
}

async function runSnapshots(paths: readonly string[], options: DatasetOptions, command: Command): Promise<void> {
  refuseForeign(command, FOREIGN_TO_SNAPSHOTS, "minute rows");
  const { out, label, horizons: horizonsMs, market = null, split: splits } = options;
  const featureSet = featureSetNamed(options.features);
  if (featureSet === null) throw new CommandError(`there is no feature set "${options.features}" of minute rows`);
  if (paths.length === 0) throw new CommandError("nothing to read: name what `edgebook pull --snapshots` wrote");
  const typed = [
    "edgebook",
    "dataset",
    "--snapshots",
    ...paths,
    "--features",
    featureSet.id,
    "--label",
    label,
    "--horizons",
    horizonsMs.join(","),
  ];
  if (market !== null) typed.push("--market", market);
  typed.push(...splits.flatMap((each) => ["--split", each]));
  const card = await buildMinuteDataset({
    ...{ paths, folder: out, featureSet, horizonsMs, label, market, splits },
    command: typed,
    progress: terminalProgress(),
  });
  if (options.json) printJson(card);
  else printCard(card, out);
}

async function runRecordings(recordings: string[], options: DatasetOptions): Promise<void> {
  const sources = [...options.simulate.map((text) => simulatedSource(parseSimulation(text))), ...(await sourcesOf(recordings, options))];
  if (sources.length === 0) throw new CommandError("nothing to read: name recordings, or --simulate large-tick:1:4");
  const { featureSet, fit, chosen } = await featuresOf(sources, options);
  const { label, horizons: horizonsMs, silenceMs, unbrokenMs, overGapsFrom, phases } = options;
  // Said also where they are the usual ones, which may be others one day.
  const labelled = ["--label", label, "--horizons", horizonsMs.join(",")];
  const silences = silenceMs === undefined ? [] : ["--silence-ms", String(silenceMs)];
  const unbroken = unbrokenMs === undefined ? [] : ["--unbroken-ms", String(unbrokenMs)];
  const overGaps = overGapsFrom === undefined ? [] : ["--over-gaps-from", String(overGapsFrom)];
  const cut = phases === 1 ? [] : ["--phases", String(phases)];
  const simulated = options.simulate.flatMap((text) => ["--simulate", text]);
  const command = [
    "edgebook",
    "dataset",
    ...recordings,
    ...simulated,
    ...chosen,
    ...labelled,
    ...silences,
    ...unbroken,
    ...overGaps,
    ...cut,
  ];
  const told = silenceMs === undefined ? {} : { silenceMs };
  const rule = {
    ...(unbrokenMs === undefined ? {} : { unbrokenMs }),
    ...(overGapsFrom === undefined ? {} : { overGapsFromMs: overGapsFrom }),
  };
  if (Object.keys(rule).length > 0 && !sources.some((source) => "kind" in source))
    throw new CommandError("--unbroken-ms and --over-gaps-from are of imported events, and none are named");
  const card = await buildDataset({
    sources,
    folder: options.out,
    featureSet,
    horizonsMs,
    label,
    command,
    rule,
    phases,
    progress: terminalProgress(),
    ...told,
    ...(fit === undefined ? {} : { fit }),
  });
  if (options.json) printJson(label === "smoothed" ? { ...card, freePredictability: freePredictability(card) } : card);
  else printCard(card, options.out);
}

/** `chosen`: as it was typed. */
async function featuresOf(
  sources: readonly (FeedSource | ImportedSource)[],
  { features, fitUntil, fittedAs }: DatasetOptions,
): Promise<{ featureSet: FeatureSet; fit?: DatasetFit; chosen: readonly string[] }> {
  const chosen = features === featureSetV1.id ? [] : ["--features", features];
  if (features !== V2_FITTED) {
    if (fitUntil !== undefined || fittedAs !== undefined)
      throw new CommandError(`--fit-until and --fitted-as are of --features ${V2_FITTED}: leave them out`);
    const featureSet = featureSetNamed(features);
    if (featureSet === null) throw new CommandError(`there is no feature set "${features}"`);
    return { featureSet, chosen };
  }
  if (fittedAs !== undefined) {
    const fit = fitOfCard(await readCard(fittedAs), sources);
    return { featureSet: featureSetV2Fitted(fit), fit, chosen: [...chosen, "--fitted-as", fittedAs] };
  }
  if (fitUntil === undefined)
    throw new CommandError(
      `--features ${V2_FITTED} takes --fit-until TIME, the end of the rows that its columns are fitted to, or --fitted-as DIR, a dataset that has such columns`,
    );
  const fit = await fitToSources(sources, { until: fitUntil, progress: terminalProgress() });
  return {
    featureSet: featureSetV2Fitted(fit),
    fit,
    chosen: [...chosen, "--fit-until", new Date(fitUntil).toISOString().replace(".000", "")],
  };
}

function splitsText(splits: Readonly<Record<string, number>>): string {
  return Object.entries(splits)
    .map(([label, rows]) => `${rows} ${label === "none" ? "without a label" : label}`)
    .join(", ");
}

function collectSplit(text: string, before: readonly SplitLabel[]): readonly SplitLabel[] {
  const label = SPLIT_LABELS.find((each) => each === text);
  if (label === undefined) throw new InvalidArgumentError(`one of ${SPLIT_LABELS.join(", ")} is wanted.`);
  return [...before, label];
}

function phaseCount(text: string): number {
  const count = PHASE_COUNTS.find((each) => String(each) === text);
  if (count === undefined) throw new InvalidArgumentError(`one of ${PHASE_COUNTS.join(", ")} is wanted.`);
  return count;
}

async function sourcesOf(recordings: readonly string[], options: DatasetOptions): Promise<readonly (FeedSource | ImportedSource)[]> {
  if (recordings.length === 0) return [];
  const { venue = null, market = null } = options;
  return recordedSources(recordings, { venue, market, grids: new Map(options.grid.map(parseGrids)) });
}

function printCard(card: DatasetCard, folder: string): void {
  print(
    table(
      ["market", "source", "from (UTC)", "to", "rows", "coverage", "gaps", "malformed"],
      card.parts.map((part) => [
        part.phaseMs === undefined ? part.market : `${part.market} +${part.phaseMs} ms`,
        part.source,
        when(part.from),
        when(part.to),
        String(part.rows),
        `${(part.coverage * 100).toFixed(1)} %`,
        Object.entries(part.gaps)
          .map(([reason, count]) => `${count} ${reason}`)
          .join(", ") || "none",
        `${part.malformedFrames} of ${part.frames}`,
      ]),
    ),
  );
  const shifted = card.rows - servedRowsOf(card);
  if (shifted > 0) print(`${shifted} rows lie off the whole second: they teach, and nothing is chosen or scored by them`);
  for (const { market, source, silentRows = 0, unbrokenMs = 0, sidelessTrades = 0 } of card.parts.filter((part) => !isShifted(part))) {
    if (silentRows > 0)
      print(
        `${market}: ${silentRows} rows lie in gaps, and have no targets; nor have those with less than ${unbrokenMs / 1_000} s of feed behind a gap`,
      );
    if (sidelessTrades > 0)
      print(
        `${market}: ${sidelessTrades} trades without a taker's side changed no column${hasInferredSides(source) ? ": no rule tells theirs" : ": `edgebook import --infer-sides` works sides out"}`,
      );
  }
  for (const { market, splits } of card.parts) if (splits !== undefined) print(`${market}: a row a minute, ${splitsText(splits)}`);
  const { id, fingerprint, columns } = card.featureSet;
  print(
    `${card.rows} rows of ${columns.length} columns (features ${id}, ${fingerprint}) and ${card.targets.length} ${labelKindOf(card)} targets in ${folder}`,
  );
  if (card.fit !== undefined)
    print(
      `columns were fitted to ${card.fit.rows} rows, ${when(card.fit.from)} to ${when(card.fit.to)} UTC (fit ${card.fit.hash}; integrated flow has ${(100 * card.fit.integratedFlow.explainedShare).toFixed(0)} % of its levels' variance): choose and score by later rows`,
    );
  const free = freePredictability(card);
  if (free.length > 0) print(freeTable(free));
  print(`sha256 ${card.sha256}`);
  print(`next: edgebook train --data ${folder} --out RUN`);
}
