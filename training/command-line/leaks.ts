/** `edgebook leaks`: does a dataset, a run or a source of rows know its own future? */

import { Command, Option } from "commander";
import { featureSetNamed, featureSets, featureSetV1 } from "../../core/features/registry.ts";
import { Random } from "../../core/math/random.ts";
import { CommandError } from "../command-error.ts";
import { readDataset, servedPart } from "../datasets/dataset-reader.ts";
import { recordedSources } from "../datasets/recorded-sources.ts";
import { parseSimulation, simulatedSource } from "../datasets/simulated-source.ts";
import { datasetLeaks } from "../leaks/dataset-leaks.ts";
import { sourceLeaks } from "../leaks/source-leaks.ts";
import { traceStatistics } from "../leaks/traced-statistics.ts";
import type { LeakVerdict } from "../leaks/verdict.ts";
import { readRun } from "../train/run-folder.ts";
import { terminalProgress } from "./bars.ts";
import { collect, countingNumber, jsonOption, wholeNumber } from "./options.ts";
import { print, printJson, table } from "./report.ts";

interface LeaksOptions {
  readonly data?: string;
  readonly run?: string;
  readonly source?: readonly string[];
  readonly simulate: readonly string[];
  readonly features: string;
  readonly venue?: string;
  readonly market?: string;
  readonly cuts: number;
  readonly records: number;
  readonly seed: number;
  readonly json: boolean;
}

const DEFAULT_CUTS = 3;
/** Some hundred megabytes of frames. */
const DEFAULT_RECORDS = 200_000;

export function leaksCommand(): Command {
  return new Command("leaks")
    .description(
      "Looks for rows that know their own future: in a dataset, by a ridge line on labels and features of other rows; in a run's statistics; in a source, by cutting its history. Fails (1) where it finds some.",
    )
    .option("--data <dir>", "dataset made by `edgebook dataset`")
    .option("--run <dir>", "a run trained on it (on its own dataset, where --data isn't given): are its statistics of training rows alone?")
    .option("--source <paths...>", "recordings or imported events, as `edgebook dataset` takes them")
    .option("--simulate <preset:seed:hours>", "a generated market as a source, e.g. large-tick:1:1", collect, [])
    .addOption(
      new Option("--features <id>", "of sources: what a row holds").choices(featureSets.map(({ id }) => id)).default(featureSetV1.id),
    )
    .option("--venue <venue>", "of sources: the venue of files that don't name it")
    .option("--market <market>", "of sources: only this market, e.g. binance-spot:BTCUSDT")
    .option("--cuts <n>", "of sources: at how many random moments to cut", countingNumber, DEFAULT_CUTS)
    .option("--records <n>", "of sources: look at the first so many records", countingNumber, DEFAULT_RECORDS)
    .option("--seed <n>", "of the moments and the order of what follows them", wholeNumber, 1)
    .addOption(jsonOption())
    .action(findLeaks);
}

async function findLeaks(options: LeaksOptions): Promise<void> {
  const verdicts = [...(await ofDataset(options)), ...(await ofSources(options))];
  if (verdicts.length === 0)
    throw new CommandError("nothing to look at: name a dataset with --data, a run with --run, or a source with --source");
  const isClean = verdicts.every(({ failure }) => failure === null);
  if (options.json) printJson({ isClean, verdicts });
  else printVerdicts(verdicts, isClean);
  if (!isClean) process.exitCode = 1;
}

async function ofDataset({ data, run }: LeaksOptions): Promise<readonly LeakVerdict[]> {
  const card = run === undefined ? null : (await readRun(run)).card;
  const folder = data ?? card?.data.folder;
  if (folder === undefined) return [];
  const dataset = await readDataset(folder, { phases: "all" });
  return [...datasetLeaks(servedPart(dataset)), ...(card === null ? [] : traceStatistics(card, dataset))];
}

async function ofSources(options: LeaksOptions): Promise<readonly LeakVerdict[]> {
  const { source = [], simulate, venue = null, market = null, cuts, records, seed } = options;
  const simulated = simulate.map((text) => simulatedSource(parseSimulation(text)));
  const recorded = source.length === 0 ? [] : await recordedSources(source, { venue, market });
  const featureSet = featureSetNamed(options.features);
  if (featureSet === null) throw new CommandError(`there is no feature set "${options.features}"`);
  const told = { featureSet, cuts, random: new Random(seed), mostRecords: records, progress: terminalProgress() };
  return sourceLeaks([...simulated, ...recorded], told);
}

function printVerdicts(verdicts: readonly LeakVerdict[], isClean: boolean): void {
  const rows = verdicts.map(({ detector, what, found, wanted, failure }) => [
    detector,
    what,
    found,
    wanted,
    failure === null ? "ok" : "ALARM",
  ]);
  print(table(["detector", "what", "found", "wanted", ""], rows));
  for (const { detector, failure } of verdicts) if (failure !== null) print(`! ${detector}: ${failure}`);
  if (isClean) print("no leak was found. A future that shows faintly in a column isn't seen by any of these");
}
