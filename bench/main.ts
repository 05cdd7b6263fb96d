/** `npm run bench -- <name>`: one line of JSON for each result on stdout, and for a reader a line of text on stderr. */

import { Command } from "commander";
import type { TreeGrowth } from "../training/trees/contract.ts";
import { benchArchive } from "./archive.ts";
import { benchBook } from "./book.ts";
import { benchDecode } from "./decode.ts";
import { benchDecodeBitmex } from "./decode-bitmex.ts";
import { benchDecodeCoinbase } from "./decode-coinbase.ts";
import { benchEdgeDay } from "./edge-day.ts";
import { benchFeatures } from "./features.ts";
import { benchFeed } from "./feed.ts";
import { benchForecastCost } from "./forecast-cost.ts";
import { benchForecastHttp } from "./forecast-http.ts";
import { benchLevels } from "./levels.ts";
import type { Bench, BenchResult } from "./report.ts";
import { benchSoak } from "./soak.ts";
import { benchStandx } from "./standx.ts";
import { benchStreams } from "./streams.ts";
import { benchTrainDataset } from "./train-dataset.ts";
import { benchTrainMemory } from "./train-memory.ts";
import { benchTrainNn } from "./train-nn.ts";
import { benchTrainTrees, SIZES } from "./train-trees.ts";
import { benchTreeQuality, qualityTable } from "./tree-quality.ts";

/** Benches that work on a recording in rounds. */
const BENCHES: readonly { readonly name: string; readonly about: string; readonly run: Bench }[] = [
  { name: "book", about: "level updates a second, beside tardis-dev's and ccxt's books", run: benchBook },
  { name: "decode", about: "frames decoded and applied a second, beside JSON.parse alone", run: benchDecode },
  { name: "decode-coinbase", about: "the same for Coinbase, whose books begin on the socket", run: benchDecodeCoinbase },
  { name: "decode-bitmex", about: "the same for BitMEX, with new books and with kept ones", run: benchDecodeBitmex },
  {
    name: "levels",
    about: "the check of BitMEX's best ten levels, beside the same without it, and what its tables bring",
    run: benchLevels,
  },
  { name: "archive", about: "day files' bytes a level update and speed, beside gzip, zstd, xz and Parquet", run: benchArchive },
];

const DEFAULT_ROUNDS = "15";

interface RoundsOptions {
  readonly file?: string;
  readonly rounds: string;
  readonly json?: boolean;
}

interface TreeQualityTold {
  readonly draws?: string;
  readonly rows?: string;
  readonly threads: string;
  readonly hours: string;
  readonly set?: string;
  readonly growth?: string;
  readonly json?: boolean;
}

const program = new Command("bench").description("Measures what is hot, beside a peer in the same run.");

for (const { name, about, run } of BENCHES) {
  program
    .command(name)
    .description(about)
    .option("--file <path>", "another recording (`.ndjson.gz`) to work on")
    .option("--rounds <count>", "timed rounds", DEFAULT_ROUNDS)
    .option("--json", "JSON lines alone")
    .action((options: RoundsOptions) => runRounds(run, options));
}

program
  .command("features")
  .description("events a second through each feature set, beside the same columns computed naively")
  .option("--seconds <count>", "of made-up market", "300")
  .option("--seed <number>", "of the market", "1")
  .option("--rounds <count>", "timed rounds", "7")
  .action(({ seconds, seed, rounds }: Record<"seconds" | "seed" | "rounds", string>) =>
    printAll(benchFeatures({ seconds: Number(seconds), seed: Number(seed), rounds: Number(rounds) })),
  );

program
  .command("feed")
  .description("the whole system under 1,000 frames a second")
  .option("--seconds <count>", "how long to measure")
  .option("--json", "JSON lines alone")
  .action(({ seconds }: { seconds?: string }) => benchFeed(seconds === undefined ? [] : ["--seconds", seconds]));

program
  .command("streams")
  .description("what clients' websockets cost the system, beside the same system without them")
  .option("--clients <count>", "websockets, each of all markets", "100")
  .option("--seconds <count>", "length of a phase", "20")
  .option("--rounds <count>", "pairs of phases", "3")
  .option("--json", "JSON lines alone")
  .action(({ clients, seconds, rounds }: { clients: string; seconds: string; rounds: string }) =>
    benchStreams({ clients: Number(clients), seconds: Number(seconds), rounds: Number(rounds) }),
  );

program
  .command("soak")
  .description("simulated hours of twenty symbols over three venues with random faults: books, ledger and heap against the truth")
  .option("--hours <count>", "simulated hours with faults", "6")
  .option("--seed <number>", "of the markets and of the faults", "1")
  .option("--rate <count>", "faults a simulated minute, over all venues", "20")
  .option("--json", "JSON lines alone")
  .action(({ hours, seed, rate, json }: { hours: string; seed: string; rate: string; json?: boolean }) =>
    benchSoak({ minutes: Number(hours) * 60, seed: Number(seed), ratePerMinute: Number(rate) }, json === true ? "json" : "json-and-text"),
  );

program
  .command("edge-day")
  .description("a simulated or recorded day replayed through the edge, its scorecards beside the offline scores of the same models")
  .option("--hours <count>", "of the market", "24")
  .option("--recording <folder>", "of StandX files; a simulated market unless told")
  .option("--date <day>", "at which the recorded stretch begins; what was received before it trains the models", "2026-01-06")
  .action(async ({ hours, recording, date }: { hours: string; recording?: string; date: string }) =>
    printAll(await benchEdgeDay({ hours: Number(hours), recording: recording ?? null, date })),
  );

program
  .command("train-trees")
  .description("seconds to train boosted trees, beside LightGBM (Python: EDGEBOOK_PYTHON, or python3)")
  .option("--rounds <count>", "timed rounds", "3")
  .option("--threads <count>", "of both sides", "2")
  .option("--size <name>", "100kx40, 1Mx40 or 200kx200; all of them unless told")
  .option("--growth <kind>", "depth-wise or leaf-wise; both unless told")
  .action(async ({ rounds, threads, size, growth }: { rounds: string; threads: string; size?: string; growth?: string }) => {
    const sizes = SIZES.map(({ name }) => name).filter((name) => size === undefined || name === size);
    printAll(await benchTrainTrees({ rounds: Number(rounds), threads: Number(threads), sizes, growth: growthsOf(growth) }));
  });

program
  .command("tree-quality")
  .description("test losses of boosted trees on data sets of different kinds, beside LightGBM's and scikit-learn's")
  .option("--draws <count>", "of each set, whose losses are averaged; unless told, from 3 up to 12, until the verdict is clear")
  .option("--rows <count>", "that are trained on; 20000 unless told, more where less teaches nothing")
  .option("--threads <count>", "of all sides", "2")
  .option("--hours <count>", "of the StandX recording, for real features", "12")
  .option("--set <name>", "one set alone")
  .option("--growth <kind>", "depth-wise or leaf-wise; both unless told")
  .option("--json", "JSON lines alone")
  .action(async (told: TreeQualityTold) => {
    const results = await benchTreeQuality({
      draws: told.draws === undefined ? null : Number(told.draws),
      rows: told.rows === undefined ? null : Number(told.rows),
      threads: Number(told.threads),
      hours: Number(told.hours),
      sets: told.set === undefined ? null : [told.set],
      growth: growthsOf(told.growth),
    });
    process.stdout.write(told.json === true ? results.map((result) => `${JSON.stringify(result)}\n`).join("") : qualityTable(results));
    if (results.some(({ isPassed }) => isPassed === false)) process.exitCode = 1;
  });

program
  .command("standx")
  .description("three recorded days through BitMEX's protocol, archived, exported and compared with the import")
  .option("--hours <count>", "of the recording, from its start; all of it unless told")
  .action(({ hours }: { hours?: string }) => benchStandx(hours === undefined ? null : Number(hours)));

program
  .command("train-nn")
  .description("a training step of five networks beside PyTorch's, and whether both reach the same loss")
  .option("--models <names>", "of them, by commas; all unless told")
  .option("--workers <count>", "threads that share a batch", "2")
  .option("--rounds <count>", "turns of each side", "12")
  .option("--seconds <count>", "length of a turn", "1")
  .option("--json", "JSON lines alone")
  .action(
    ({ models, workers, rounds, seconds, json }: Record<"workers" | "rounds" | "seconds", string> & { models?: string; json?: boolean }) =>
      benchTrainNn({
        models: models?.split(",") ?? [],
        workers: Number(workers),
        rounds: Number(rounds),
        seconds: Number(seconds),
        isTextWanted: json !== true,
      }),
  );

program
  .command("train-memory")
  .description("an epoch of DeepLOB over windows that lie in a file, and the most memory it ever held")
  .option("--windows <count>", "in the file", "500000")
  .option("--steps <count>", "stops after so many; the whole epoch unless told")
  .option("--workers <count>", "threads that share a batch", "2")
  .option("--json", "JSON lines alone")
  .action(({ windows, steps, workers, json }: { windows: string; steps?: string; workers: string; json?: boolean }) =>
    benchTrainMemory({
      windows: Number(windows),
      steps: steps === undefined ? null : Number(steps),
      workers: Number(workers),
      isTextWanted: json !== true,
    }),
  );

program
  .command("forecast-http")
  .description("the forecast endpoint in workerd, beside FastAPI and onnxruntime on the same model (Python: EDGEBOOK_PYTHON, or python3)")
  .option("--models <names>", "trees, lstm, by commas; both unless told")
  .option("--markets <count>", "of the many", "200")
  .option("--seconds <count>", "length of a turn", "5")
  .option("--rounds <count>", "turns of each side", "5")
  .option("--cold-starts <count>", "processes started for the first forecast", "5")
  .action(
    async ({
      models,
      markets,
      seconds,
      rounds,
      coldStarts,
    }: Record<"markets" | "seconds" | "rounds" | "coldStarts", string> & { models?: string }) =>
      printAll(
        await benchForecastHttp({
          models: models?.split(",") ?? [],
          markets: Number(markets),
          seconds: Number(seconds),
          rounds: Number(rounds),
          coldStarts: Number(coldStarts),
        }),
      ),
  );

program
  .command("forecast-cost")
  .description("CPU of what forecasts are made of, as the bill reckons with it (Linux)")
  .option("--models <names>", "trees, lstm, by commas; both unless told")
  .option("--markets <count>", "of the larger of two instances", "33")
  .option("--runs <count>", "of cron, of each instance", "20")
  .action(async ({ models, markets, runs }: Record<"markets" | "runs", string> & { models?: string }) =>
    printAll(await benchForecastCost({ models: models?.split(",") ?? [], markets: Number(markets), runs: Number(runs) })),
  );

program
  .command("train-dataset")
  .description("the most memory that training on a dataset in its file ever holds: a third of the dataset at most")
  .option("--rows <count>", "of the made-up dataset", "3000000")
  .option("--models <names>", "by commas: linear, trees, or a network of one row or more", "linear,mlp,trees")
  .option("--json", "JSON lines alone")
  .action(({ rows, models, json }: { rows: string; models: string; json?: boolean }) =>
    benchTrainDataset({ rows: Number(rows), models: models.split(","), isTextWanted: json !== true }),
  );

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});

function growthsOf(told: string | undefined): TreeGrowth["kind"][] {
  return (["depth-wise", "leaf-wise"] as const).filter((kind) => told === undefined || kind === told);
}

function printAll(results: readonly BenchResult[]): void {
  for (const result of results) process.stdout.write(`${JSON.stringify(result)}\n`);
}

async function runRounds(run: Bench, options: RoundsOptions): Promise<void> {
  const rounds = Number(options.rounds);
  if (!Number.isSafeInteger(rounds) || rounds < 1) throw new Error(`--rounds must be a whole number from 1, not "${options.rounds}"`);
  for (const result of await run({ file: options.file ?? null, rounds })) {
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (options.json !== true) process.stderr.write(`${result.name}: ${(result.seconds * 1_000).toFixed(1)} ms a round\n`);
  }
}
