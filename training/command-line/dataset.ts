/** `edgebook dataset`: recordings or the simulator in, a folder of features and targets out. */

import { Command, Option } from "commander";
import { featureSetNamed, featureSets, featureSetV1 } from "../../core/features/registry.ts";
import { CommandError } from "../command-error.ts";
import { buildDataset } from "../datasets/build-dataset.ts";
import type { DatasetCard } from "../datasets/card.ts";
import type { FeedSource } from "../datasets/feed-source.ts";
import { fileSources, parseGrids } from "../datasets/file-sources.ts";
import { parseSimulation, simulatedSource } from "../datasets/simulated-source.ts";
import { terminalProgress } from "./bars.ts";
import { collect, countingNumber, jsonOption } from "./options.ts";
import { print, printJson, table, when } from "./report.ts";

interface DatasetOptions {
  readonly simulate: readonly string[];
  readonly out: string;
  readonly features: string;
  readonly venue?: string;
  readonly market?: string;
  readonly grid: readonly string[];
  readonly silenceMs?: number;
  readonly json: boolean;
}

export function datasetCommand(): Command {
  return new Command("dataset")
    .description("Makes a dataset: feature rows and targets, from recordings or from the simulator, by the code that runs at the edge.")
    .argument(
      "[recordings...]",
      "tapes (.tape.gz, .day), recorders' files (.ndjson.gz, .ws.txt.gz), or folders of them; files of one market are joined",
    )
    .option("--simulate <preset:seed:hours>", "a generated market, e.g. large-tick:1:4; may be given several times", collect, [])
    .requiredOption("--out <dir>", "folder to write")
    .addOption(
      new Option("--features <id>", "what a row holds: docs/features.md has the sets")
        .choices(featureSets.map(({ id }) => id))
        .default(featureSetV1.id),
    )
    .option("--venue <venue>", "venue of files that don't name it; told from what they hold where it is not given")
    .option("--market <market>", "only this market, e.g. binance-spot:BTCUSDT")
    .option("--grid <symbol:tick:lot>", "a symbol's tick and lot, where they are known better than from the file", collect, [])
    .option(
      "--silence-ms <ms>",
      "longer silences of a book are counted among the gaps (only what its own pace doesn't allow, unless told); rows over them stay",
      countingNumber,
    )
    .addOption(jsonOption())
    .action(runDataset);
}

async function runDataset(recordings: string[], options: DatasetOptions): Promise<void> {
  const sources: FeedSource[] = options.simulate.map((text) => simulatedSource(parseSimulation(text)));
  if (recordings.length > 0)
    sources.push(
      ...(await fileSources(recordings, {
        venue: options.venue ?? null,
        market: options.market ?? null,
        grids: new Map(options.grid.map(parseGrids)),
      })),
    );
  if (sources.length === 0) throw new CommandError("nothing to read: name recordings, or --simulate large-tick:1:4");
  const featureSet = featureSetNamed(options.features);
  if (featureSet === null) throw new CommandError(`there is no feature set "${options.features}"`);
  const chosen = featureSet === featureSetV1 ? [] : ["--features", featureSet.id];
  const { silenceMs } = options;
  const silences = silenceMs === undefined ? [] : ["--silence-ms", String(silenceMs)];
  const simulated = options.simulate.flatMap((text) => ["--simulate", text]);
  const command = ["edgebook", "dataset", ...recordings, ...simulated, ...chosen, ...silences];
  const told = silenceMs === undefined ? {} : { silenceMs };
  const card = await buildDataset({ sources, folder: options.out, featureSet, command, progress: terminalProgress(), ...told });
  if (options.json) printJson(card);
  else printCard(card, options.out);
}

function printCard(card: DatasetCard, folder: string): void {
  print(
    table(
      ["market", "source", "from (UTC)", "to", "rows", "coverage", "gaps", "malformed"],
      card.parts.map((part) => [
        part.market,
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
  const { id, fingerprint, columns } = card.featureSet;
  print(`${card.rows} rows of ${columns.length} columns (features ${id}, ${fingerprint}) and ${card.targets.length} targets in ${folder}`);
  print(`sha256 ${card.sha256}`);
  print(`next: edgebook train --data ${folder} --out RUN`);
}
