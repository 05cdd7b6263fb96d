/**
 * One simulated market, once through the edge's own code (feed, desk, the ledger's bytes, the price paths of minutes, scorecard) and once as a dataset, by the same model:
 * the scores must be the same, else what is said of a model offline says nothing of what is served.
 *
 * The model is a line in plain doubles, rounded to float32 as a graph's answer is; that onnxruntime gives what a manifest promises is inference.test.ts's matter.
 */

import { join } from "node:path";
import { expect, it } from "vitest";
import { featureSetV1 } from "../../core/features/registry.ts";
import { DEFAULT_HORIZONS_MS } from "../../core/labels/horizons.ts";
import { labelColumns } from "../../core/labels/moves.ts";
import { Random } from "../../core/math/random.ts";
import type { MadeForecast } from "../../core/scoring/forecast-answer.ts";
import { scoreForecasts } from "../../core/scoring/score-forecasts.ts";
import { scorecardOf } from "../../core/scoring/scorecard.ts";
import { joinPaths, type MinutePath } from "../../core/wire/joined-path.ts";
import { findAdapter } from "../../exchanges/registry.ts";
import { featureView } from "../../feed/feature-view.ts";
import { FeedReducer } from "../../feed/feed-reducer.ts";
import { buildDataset } from "../../training/datasets/build-dataset.ts";
import { readDataset } from "../../training/datasets/dataset-reader.ts";
import { allFeatures } from "../../training/datasets/feature-rows.ts";
import { simulatedSource } from "../../training/datasets/simulated-source.ts";
import { silent } from "../../training/progress.ts";
import type { DeskPorts, RecordedForecast } from "../../workers/forecasts/contract.ts";
import { ForecastDesk } from "../../workers/forecasts/desk.ts";
import type { MovesPrediction, PredictAsk } from "../../workers/inference/contract.ts";
import { decodeAnswer, encodeAnswer } from "../../workers/ledger/answer-codec.ts";
import { scratchFolder } from "../training/toy-data.ts";
import { roleOf } from "./desk-world.ts";

const COLUMNS = labelColumns(DEFAULT_HORIZONS_MS);
const LABEL = "anchored";
const SIMULATION = { preset: "large-tick", seed: 5, hours: 0.75 } as const;
const folder = scratchFolder();

const random = new Random(3);
/** [outputs][columns] */
const WEIGHTS = COLUMNS.map(() => featureSetV1.columns.map(() => 0.02 * random.normal()));

function movesOf(row: ArrayLike<number>): number[] {
  return WEIGHTS.map((weights) => Math.fround(weights.reduce((sum, weight, column) => sum + weight * (row[column] as number), 0)));
}

it("a model's scorecard at the edge is its score offline, output by output, on the very rows that were served", async () => {
  const { made, minutes } = await servedForecasts();
  expect(made.length).toBeGreaterThan(2_000);
  const path = joinPaths(minutes, { from: 0, to: Number.MAX_SAFE_INTEGER });
  const card = scorecardOf([scoreForecasts(made, path)]);
  const offline = await offlineScores(new Set(made.map(({ featureTime }) => featureTime)));
  expect(card.moves).toHaveLength(COLUMNS.length);
  for (const { target, horizonMs, scored, r2, hits, moved } of card.moves) {
    const own = offline.get(`${target} ${horizonMs}`);
    expect({ target, horizonMs, scored, hits, moved }).toEqual({
      target,
      horizonMs,
      scored: own?.scored,
      hits: own?.hits,
      moved: own?.moved,
    });
    expect(r2).toBeCloseTo(own?.r2 ?? Number.NaN, 9);
  }
});

interface Served {
  readonly made: MadeForecast[];
  readonly minutes: MinutePath[];
}

/** The desk asked whenever a row was written; what it records as the ledger's bytes give it back. */
async function servedForecasts(): Promise<Served> {
  const source = simulatedSource(SIMULATION);
  const [instrument] = source.instruments;
  const adapter = findAdapter(source.venue);
  if (instrument === undefined || adapter === null) throw new Error("the simulator's market is gone");
  const reducer = new FeedReducer({ adapter, instruments: source.instruments, featureSet: featureSetV1, frames: source.frames });
  const market = reducer.markets.get(instrument.symbol);
  if (market === undefined) throw new Error("the feed has no such market");
  const made: MadeForecast[] = [];
  const minutes: MinutePath[] = [];
  const desk = new ForecastDesk();
  const ports = portsOver({
    now: () => reducer.now,
    features: (wanted) => featureView(market, { now: reducer.now, wanted }),
    record: (forecasts) => {
      for (const { answer, ...forecast } of forecasts) {
        const kept = decodeAnswer(encodeAnswer(answer));
        if (!("malformed" in kept)) made.push({ ...forecast, answer: kept });
      }
    },
  });
  const question = { slot: "forecast", market: market.market, feed: { feed: "main", object: "main" } } as const;
  let rows = 0;
  for await (const block of source.records(() => undefined)) {
    for (const record of block) {
      if ("malformed" in record) throw new Error(record.malformed);
      reducer.record(record);
      const { rowCount } = market.pipeline;
      if (rowCount > rows) await desk.answer(question, ports);
      rows = rowCount;
    }
    for (const { minute, snapshots } of reducer.takeClosedMinutes())
      for (const { pricePath } of snapshots) if (pricePath !== null) minutes.push({ minute, tick: "0.01", path: pricePath });
  }
  // The minute that is open at the end would be closed by the next one's first record.
  const open = market.minute.soFar(reducer.now).pricePath;
  if (open !== null) minutes.push({ minute: Math.floor(reducer.now / 60_000) * 60_000, tick: "0.01", path: open });
  return { made, minutes };
}

interface Around {
  now(): number;
  features(wanted: Parameters<DeskPorts["features"]>[1]): Awaited<ReturnType<DeskPorts["features"]>>;
  record(forecasts: readonly RecordedForecast[]): void;
}

function portsOver({ now, features, record }: Around): DeskPorts {
  const role = roleOf(1, { fingerprint: featureSetV1.fingerprint, label: LABEL });
  return {
    now,
    after: async () => undefined,
    untilDone: () => undefined,
    features: async (_question, wanted) => features(wanted),
    roster: async () => ({ revision: "1", roles: [role], refused: [] }),
    predict: async (asks) => ({ revision: "1", answers: asks.map((ask) => ({ active: predictionOf(ask) })) }),
    shadows: async () => ({ revision: "1", answers: [] }),
    record: async (forecasts) => record(forecasts),
    skills: async (markets) => markets.map(() => []),
    report: (event, error) => {
      throw new Error(event, { cause: error });
    },
  };
}

function predictionOf({ sets }: PredictAsk): MovesPrediction {
  const [set] = sets;
  const row = set === undefined ? [] : Array.from(set.rows.subarray(-set.columns));
  return {
    ...{
      ok: true,
      kind: "moves",
      key: 1,
      modelId: "line",
      version: "1",
      sha256: "",
      source: "r2",
      trainedOn: "nothing",
      trainedTicks: null,
    },
    ...{ label: LABEL, fellBackFrom: null, columns: COLUMNS, movesBps: movesOf(row), calibrated: null },
  } as MovesPrediction;
}

interface OfflineScore {
  readonly scored: number;
  readonly r2: number;
  readonly hits: number;
  readonly moved: number;
}

/** By the plain definitions, from the dataset's own rows and targets. */
async function offlineScores(times: ReadonlySet<number>): Promise<Map<string, OfflineScore>> {
  const data = join(folder, "data");
  await buildDataset({ sources: [simulatedSource(SIMULATION)], folder: data, label: LABEL, command: ["test"], progress: silent });
  const dataset = await readDataset(data);
  const features = allFeatures(dataset);
  const { columns, outputs, targets, mask } = dataset;
  const answers = Array.from({ length: dataset.rows }, (_, row) => movesOf(features.subarray(row * columns, (row + 1) * columns)));
  return new Map(
    COLUMNS.map(({ target, horizonMs }, output) => {
      const pairs = answers
        .map((answer, row) => ({ row, forecast: answer[output] as number, move: targets[row * outputs + output] as number }))
        .filter(({ row }) => times.has(dataset.times[row] as number) && mask[row * outputs + output] === 1);
      const error = pairs.reduce((sum, { forecast, move }) => sum + (move - forecast) ** 2, 0);
      const moved = pairs.filter(({ move }) => move !== 0);
      const hits = moved.filter(({ forecast, move }) => Math.sign(forecast) === Math.sign(move)).length;
      const r2 = 1 - error / pairs.reduce((sum, { move }) => sum + move ** 2, 0);
      return [`${target} ${horizonMs}`, { scored: pairs.length, r2, hits, moved: moved.length }];
    }),
  );
}
