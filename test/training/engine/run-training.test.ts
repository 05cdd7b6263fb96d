/** The loop: it learns, several workers take the same steps as one, the same seed gives the same bits, and what is asked of it is what it does. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { Random } from "../../../core/math/random.ts";
import { CommandError } from "../../../training/command-error.ts";
import type { TrainedNetwork } from "../../../training/engine/contract.ts";
import { drawOrder, fillNoise, randomOfEpoch } from "../../../training/engine/noise.ts";
import { planOf } from "../../../training/engine/plan-of.ts";
import { createRowSource } from "../../../training/engine/row-source.ts";
import { runTraining } from "../../../training/engine/run-training.ts";
import type { TrainSettings } from "../../../training/engine/settings.ts";
import { openTeam } from "../../../training/engine/team.ts";
import { loadRuntime } from "../../../training/runtime/registry.ts";
import { emitReshape } from "../../../training/tensors/emit.ts";
import { constant, zeros } from "../../../training/tensors/initialisers.ts";
import { batchNormalisation } from "../../../training/tensors/operators/batch-normalisation.ts";
import { linear } from "../../../training/tensors/operators/linear.ts";
import { ADAMW_DEFAULTS } from "../../../training/tensors/optimisers/adam.ts";
import { SGD_DEFAULTS } from "../../../training/tensors/optimisers/sgd.ts";
import type { Network } from "../../../training/tensors/training-step.ts";
import { COLUMNS, centredNetwork, OUTPUTS, plainNetwork, restlessNetwork, TOY_SETTINGS, toyRows, toyTask } from "./toy-training.ts";

const train = async (settings: Partial<TrainSettings>, network = plainNetwork): Promise<TrainedNetwork> =>
  runTraining(await toyTask({ settings, network }));

function expectNear(one: TrainedNetwork, other: TrainedNetwork): void {
  expect(one.parameters.length).toBe(other.parameters.length);
  for (const [index, value] of one.parameters.entries()) expect(value).toBeCloseTo(other.parameters[index] as number, 4);
  expect(one.curve.length).toBe(other.curve.length);
}

describe("a step", () => {
  it("is what a loop over rows makes of the same batches: missing targets, the last partial batch and clipping included", async () => {
    const settings: TrainSettings = {
      ...TOY_SETTINGS,
      epochs: 2,
      optimiser: { ...SGD_DEFAULTS, momentum: 0 },
      clip: { norm: 0.5, value: 0.4 },
    };
    const seen: number[] = [];
    const task = await toyTask({ settings, network: lineNetwork() });
    const trained = await runTraining({ ...task, onEpoch: async (curve) => void seen.push(curve.length) });
    expect(seen).toEqual([1, 2]);
    const naive = naiveDescent(settings);
    // Squared errors fall with each epoch here, so the last parameters are the best.
    expect(trained.bestEpoch).toBe(2);
    for (const [index, value] of naive.parameters.entries()) expect(trained.parameters[index]).toBeCloseTo(value, 5);
    for (const [epoch, { trainLoss }] of trained.curve.entries()) expect(trainLoss).toBeCloseTo(naive.losses[epoch] as number, 5);
    expect(naive.clipped).toBeGreaterThan(3);
  });

  it("is taken to the end where the last epoch is kept, whatever validation says: a cycle stopped on its way would never settle", async () => {
    const task = await toyTask({ settings: { ...TOY_SETTINGS, epochs: 5, patience: 1 }, network: lineNetwork() });
    const agreeing = await runTraining({ ...task, validation: task.train });
    expect(agreeing.bestEpoch).toBe(5);
    // Validation that wants the opposite likes the first weights best.
    const validation = { ...task.train, targets: task.train.targets.map((target) => -target) };
    expect(await runTraining({ ...task, validation })).toMatchObject({ bestEpoch: 0 });
    const last = await runTraining({ ...task, validation, keeps: "last" });
    expect(last.bestEpoch).toBe(5);
    expect(last.curve.length).toBe(5);
    expect(last.parameters).toEqual(agreeing.parameters);
  });

  it("counts in the curve by what its rows weigh, not by how many they are, whichever rows come together", async () => {
    const task = await toyTask({ network: lineNetwork() });
    const rows = createRowSource({
      table: { kind: "memory", values: new Float32Array(4 * COLUMNS) },
      tableRows: 4,
      columns: COLUMNS,
      window: 1,
      ends: Uint32Array.of(0, 1, 2, 3),
      outputs: OUTPUTS,
      targets: Float32Array.of(1, 9, 2, 2, 3, 9, 9, 9),
      // The last row knows no target.
      weights: Float32Array.of(1, 0, 0.5, 0.5, 4, 0, 0, 0),
      weightsPer: "cell",
    });
    // Rows of zeros are answered by zeros: 1 · 1² + (0.5 + 0.5) · 2² + 4 · 3² = 41, over weights of 6.
    for (const [seed, settings] of [{}, {}, { workers: 2 }, { workers: 2 }, { batch: 3, accumulate: 2 }, { batch: 1 }].entries()) {
      const { curve } = await runTraining({ ...task, train: rows, settings: { ...TOY_SETTINGS, epochs: 1, batch: 2, seed, ...settings } });
      expect(curve[0]?.trainLoss).toBeCloseTo(41 / 6, 5);
    }
    const weightless = { ...rows, weights: new Float32Array(8), itemWeights: new Float64Array(4) };
    const { curve } = await runTraining({ ...task, train: weightless, settings: { ...TOY_SETTINGS, epochs: 1, batch: 2 } });
    expect(curve[0]?.trainLoss).toBe(0);
  });

  it("holds a parameter within its norm, whole though each worker steps on a slice of it", async () => {
    const settings: TrainSettings = { ...TOY_SETTINGS, epochs: 2, optimiser: { ...SGD_DEFAULTS, momentum: 0 } };
    const naive = naiveDescent(settings, 0.1);
    expect(naive.limited).toBeGreaterThan(3);
    for (const workers of [1, 2, 3]) {
      const { parameters } = await runTraining(await toyTask({ settings: { ...settings, workers }, network: lineNetwork(0.1) }));
      expect(Math.hypot(...parameters)).toBeCloseTo(0.1, 6);
      for (const [index, value] of naive.parameters.entries()) expect(parameters[index]).toBeCloseTo(value, 5);
    }
    const task = await toyTask({ settings: { ...settings, workers: 3 }, network: lineNetwork(0.1) });
    expect(await runTraining(task)).toEqual(await runTraining(task));
  });
});

describe("workers", () => {
  it("take the same steps, whoever holds which rows, in parts or at once", async () => {
    const one = await train({});
    expect(one.bestEpoch).toBeGreaterThan(1);
    // 16 rows by three are 6, 6 and 4: the last worker's share is filled up.
    for (const settings of [{ workers: 2 }, { workers: 3 }, { accumulate: 2 }, { workers: 2, accumulate: 3 }])
      expectNear(await train(settings), one);
  });

  it("follow the same running statistics in parts as at once, or those that are served would be another batch's", async () => {
    const statisticsOf = async (settings: Partial<TrainSettings>) => {
      const task = await toyTask({ settings: { ...settings, epochs: 2 }, network: centredNetwork });
      // Whole batches: rows that fill up a part would count twice.
      return (await runTraining({ ...task, train: toyRows(144, 1) })).statistics;
    };
    const whole = await statisticsOf({});
    for (const settings of [{ accumulate: 2 }, { accumulate: 4 }, { workers: 2, accumulate: 2 }]) {
      const statistics = await statisticsOf(settings);
      for (const [at, mean] of whole.entries()) expect(statistics[at]).toBeCloseTo(mean, 5);
    }
    // Columns have a mean of 1.
    for (const mean of whole) expect(Math.abs(mean - 1)).toBeLessThan(0.5);
  });

  it("normalise their own rows each, and follow the mean of what they saw: variances are of the population, as PyTorch has them", async () => {
    const values = Float32Array.of(1, 2, 4, 8);
    const rows = createRowSource({
      table: { kind: "memory", values },
      tableRows: 4,
      columns: 1,
      window: 1,
      ends: Uint32Array.of(0, 1, 2, 3),
      outputs: 1,
      targets: Float32Array.of(1, 0, 0, 1),
      weights: Float32Array.of(1, 1, 1, 1),
      weightsPer: "row",
    });
    const network: Network = (graph, input) => {
      const only = { initialise: constant(1), isDecayed: false };
      return batchNormalisation(graph, input, { scale: graph.parameter("scale", [1], only), shift: graph.parameter("shift", [1], only) });
    };
    const statisticsOf = async (settings: Partial<TrainSettings>) => {
      const task = await toyTask({ network, settings: { ...settings, batch: 4, epochs: 1 } });
      return (await runTraining({ ...task, shape: [1], train: rows, validation: rows })).statistics;
    };
    const order = new Uint32Array(4);
    drawOrder(order, randomOfEpoch(TOY_SETTINGS.seed, 1));
    expect([...order].map((row) => values[row])).toEqual([1, 8, 4, 2]);
    // A tenth of what was seen into a mean of 0 and a variance of 1. All: mean 15/4, squares 85 - 4 (15/4)² over 3.
    const [mean, variance] = await statisticsOf({});
    expect(mean).toBeCloseTo(0.375, 6);
    expect(variance).toBeCloseTo(0.9 + 0.1 * 9.583_333, 6);
    // 1 and 8: 49/2; 4 and 2: 2; between them 13.25.
    for (const settings of [{ workers: 2 }, { accumulate: 2 }]) {
      const [meanOfParts, varianceOfParts] = await statisticsOf(settings);
      expect(meanOfParts).toBeCloseTo(0.375, 6);
      expect(varianceOfParts).toBeCloseTo(0.9 + 0.1 * 13.25, 6);
    }
  });

  it("give the same bits each time, dropout's noise and running statistics included: a race between them would not", async () => {
    const settings = { workers: 3, clip: { norm: 0.3, value: null } };
    const [one, two] = [await train(settings, restlessNetwork), await train(settings, restlessNetwork)];
    expect(two).toEqual(one);
    const other = await train({ ...settings, seed: 2 }, restlessNetwork);
    expect(other.parameters).not.toEqual(one.parameters);
    // The columns have a mean of 1, and the best epoch may be an early one, of ten steps of a tenth each.
    for (const mean of one.statistics) expect(Math.abs(mean - 1)).toBeLessThan(0.5);
    expect(one.statisticSlots).toEqual([{ name: "mean", shape: [COLUMNS], offset: 0, size: COLUMNS }]);
  });

  it("draw other noise for each part of each step: dropout would drop the same units again", async () => {
    const rows = 2;
    const network: Network = (graph, input) => {
      graph.statistic("seen", rows, { initial: 0, observe: () => emitReshape(graph, graph.noise([rows, 1]), [rows]) });
      return plainNetwork(graph, input);
    };
    const seen = async (workers: number): Promise<number[]> => {
      const task = await toyTask({ network, settings: { batch: 4 * workers, workers, accumulate: 2 } });
      const { plan } = planOf({ ...task, train: toyRows(16, 1) });
      const team = await openTeam(plan, task.runtime);
      // The second step of an epoch before which 5 were taken: calls 12 and 13.
      await team.obey({ kind: "steps", taken: 5, from: 1, to: 2 });
      await team.close();
      return [...plan.shared.statistics];
    };
    // A tenth of the mean over parts and workers goes into a mean of 0.
    for (const workers of [1, 2]) {
      const drawn = [12, 13].flatMap((call) =>
        Array.from({ length: workers }, (_, worker) => {
          const noise = new Float32Array(rows);
          fillNoise(noise, { seed: TOY_SETTINGS.seed, call, worker });
          return noise;
        }),
      );
      const mean = (row: number): number => drawn.reduce((sum, noise) => sum + (noise[row] as number), 0) / drawn.length;
      expect(await seen(workers)).toEqual([expect.closeTo(0.1 * mean(0), 7), expect.closeTo(0.1 * mean(1), 7)]);
    }
    expect(await seen(1)).toEqual([expect.closeTo(0.036_541_5, 7), expect.closeTo(0.020_677_2, 7)]);
  });

  it("make a failure of one a failure of all, rather than wait for it for ever", async () => {
    const task = await toyTask({ settings: { workers: 2 } });
    const train = { ...task.train, table: { kind: "file" as const, path: "/dev/null", offset: 0 } };
    await expect(runTraining({ ...task, train })).rejects.toThrow(/ends before byte/);
  });

  it("name a number that is none in a file of rows, as the refusal that it is", async () => {
    const task = await toyTask({ settings: { workers: 2 } });
    if (task.train.table.kind !== "memory") throw new Error("toy rows are in memory");
    const values = task.train.table.values.slice();
    values[77 * COLUMNS + 3] = Number.NaN;
    const path = join(mkdtempSync(join(tmpdir(), "edgebook-rows-")), "rows.f32");
    writeFileSync(path, new Uint8Array(values.buffer));
    const spoilt = runTraining({ ...task, train: { ...task.train, table: { kind: "file", path, offset: 0 } } });
    await expect(spoilt).rejects.toThrow("the file of prepared rows holds NaN in row 77, column 3: make the dataset without it");
    await expect(spoilt).rejects.toThrow(CommandError);
    rmSync(dirname(path), { recursive: true });
  });

  it("in WebAssembly give what the native kernels give, in one thread and in two", async () => {
    const task = await toyTask();
    const native = await runTraining(task);
    const wasm = await loadRuntime("wasm");
    const one = await runTraining({ ...task, runtime: wasm });
    expectNear(one, native);
    const two = await runTraining({ ...task, runtime: wasm, settings: { ...task.settings, workers: 2 } });
    expect(two.curve.length).toBe(native.curve.length);
  });
});

describe("a gradient", () => {
  it("that is shorter than the bound is taken as it is: made longer, small steps would never end", async () => {
    const task = await toyTask({ network: plainNetwork, settings: { optimiser: SGD_DEFAULTS } });
    const bound = { ...task, settings: { ...task.settings, clip: { norm: 1e6, value: 1e6 } } };
    expect((await runTraining(bound)).parameters).toEqual((await runTraining(task)).parameters);
  });

  it("of a batch without any target is 0, clipped or not: a loss of 0 / 0 would end the training", async () => {
    const task = await toyTask({ network: plainNetwork, settings: { optimiser: SGD_DEFAULTS, clip: { norm: 1, value: null }, batch: 1 } });
    const weights = task.train.weights.map((weight, cell) => (cell < 200 ? 0 : weight));
    // What a row without a target holds there need be no number, or is one whose square is none.
    const targets = task.train.targets.map((target, cell) => (cell < 200 ? (cell % 2 === 0 ? Number.NaN : 3e38) : target));
    const train = createRowSource({ ...task.train, weights, targets, weightsPer: "cell" });
    const { curve, parameters } = await runTraining({ ...task, train });
    expect(curve.every(({ trainLoss }) => Number.isFinite(trainLoss))).toBe(true);
    expect(parameters.every(Number.isFinite)).toBe(true);
  });
});

describe("rates", () => {
  it("fall on a plateau, and training stops where validation has not improved for long enough", async () => {
    const task = await toyTask({
      network: plainNetwork,
      settings: { epochs: 30, patience: 8, learningRate: 0.5, schedule: { kind: "plateau", warmupSteps: 0 } },
    });
    // Targets that have nothing to do with the rows.
    const random = new Random(9);
    const noisy = { ...task.train, targets: task.train.targets.map(() => random.normal()) };
    const { curve, bestEpoch } = await runTraining({ ...task, train: noisy });
    expect(curve.length).toBe(bestEpoch + 8);
    const rates = curve.map(({ learningRate }) => learningRate);
    // Three epochs without a better loss, then half.
    expect(rates.slice(bestEpoch)).toEqual(
      [0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125, 0.125].map((rate) => rate * (rates[bestEpoch] as number) * 2),
    );
  });
});

describe("what can't be trained", () => {
  it("is refused with the option to change", async () => {
    const task = await toyTask();
    const refused = async (settings: Partial<TrainSettings>) => runTraining({ ...task, settings: { ...task.settings, ...settings } });
    await expect(refused({ batch: 151 })).rejects.toThrow("--batch 151 is more than the 150 training rows: take at most 150");
    await expect(refused({ workers: 0 })).rejects.toThrow(/--workers 0 is not a positive whole number/);
    await expect(refused({ workers: 17 })).rejects.toThrow(/--batch 16 can't be shared by 17 workers/);
    for (const learningRate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      await expect(refused({ learningRate })).rejects.toThrow(`--learning-rate ${learningRate} is not a number above 0`);
    await expect(refused({ optimiser: { ...ADAMW_DEFAULTS, beta2: Number.NaN } })).rejects.toThrow(
      "the optimiser's beta2 NaN doesn't lie in [0, 1)",
    );
    await expect(refused({ schedule: { kind: "linear", warmupSteps: -1 } })).rejects.toThrow("--warmup -1 is not a whole number from 0 on");
    await expect(refused({ clip: { norm: 0, value: null } })).rejects.toThrow(/--clip-norm 0 is not above 0/);
    // Taken, the first would never come to an end, and the others to no number or to another stream of draws.
    await expect(refused({ schedule: { kind: "step", warmupSteps: 0, everyEpochs: 0, factor: 0.1 } })).rejects.toThrow(
      /--every-epochs 0 is/,
    );
    await expect(refused({ schedule: { kind: "step", warmupSteps: 0, everyEpochs: 1, factor: -1 } })).rejects.toThrow(/--factor -1 is/);
    await expect(refused({ schedule: { kind: "linear", warmupSteps: -1 } })).rejects.toThrow(/--warmup -1 is/);
    await expect(refused({ learningRate: Number.POSITIVE_INFINITY })).rejects.toThrow(/--learning-rate Infinity is/);
    await expect(refused({ seed: 0.5 })).rejects.toThrow(/--seed 0.5 is/);
    await expect(refused({ optimiser: { ...ADAMW_DEFAULTS, beta2: 1 } })).rejects.toThrow(/beta2 1 doesn't lie/);
    await expect(refused({ optimiser: { ...SGD_DEFAULTS, momentum: 1.5 } })).rejects.toThrow(/momentum 1.5 doesn't lie/);
    await expect(refused({ optimiser: { ...ADAMW_DEFAULTS, weightDecay: -1 } })).rejects.toThrow(/--weight-decay -1 is/);
    const empty = { ...toyRows(3, 1), itemWeights: new Float64Array(3) };
    await expect(runTraining({ ...task, validation: empty })).rejects.toThrow(/no validation row has a target/);
  });

  it("names that are fed are not parameters' as well: onnxruntime would take one for the other", async () => {
    const named = (name: string): Network => {
      return (graph, input) => {
        const bias = graph.parameter(name, [OUTPUTS], { initialise: zeros, isDecayed: false });
        const weights = graph.parameter("line", [COLUMNS, OUTPUTS], { initialise: zeros, isDecayed: true });
        return linear(graph, input, { weights, bias });
      };
    };
    for (const name of ["weights", "features", "parameters", "gradient", "line"])
      await expect(train({}, named(name))).rejects.toThrow(`two values are named ${name}: give a layer's parameters a scope`);
    await expect(train({}, named("t0"))).rejects.toThrow("t0 is a name as the graph gives itself: choose another");
  });

  it("one row is trained on, if with no more sense than one row has", async () => {
    const task = await toyTask({ settings: { batch: 1, epochs: 2, patience: 2 }, network: plainNetwork });
    const { curve } = await runTraining({ ...task, train: toyRows(1, 5), validation: toyRows(1, 6) });
    expect(curve.length).toBeGreaterThan(0);
  });

  it("a weight that grows beyond all numbers is named, with the step", async () => {
    const settings = { learningRate: 1e38, optimiser: { ...ADAMW_DEFAULTS, weightDecay: 0 }, workers: 2 };
    await expect(train(settings)).rejects.toThrow(/the loss became (NaN|-?Infinity) at step \d+: .*(hidden|output)\.(weights|bias)/);
  });
});

/** One matrix from columns to outputs, all 0 at first. */
function lineNetwork(maxNorm?: number): Network {
  const limit = maxNorm === undefined ? {} : { maxNorm };
  return (graph, input) => {
    const initialise = (): Float32Array => new Float32Array(COLUMNS * OUTPUTS);
    const weights = graph.parameter("line", [COLUMNS, OUTPUTS], { initialise, isDecayed: true, ...limit });
    return graph.differentiable(graph.emit("MatMul", [input, weights], [input.shape[0] ?? 1, OUTPUTS]), [input, weights], (gradient) => [
      null,
      graph.emit("Gemm", [input, gradient], [COLUMNS, OUTPUTS], { transA: { int: 1 } }),
    ]);
  };
}

interface NaiveDescent {
  readonly parameters: number[];
  readonly losses: number[];
  /** Steps whose gradient, and whose parameters, were too long. */
  readonly clipped: number;
  readonly limited: number;
}

/** Rows one by one in float64, by the definitions: weighted mean of squared errors, elements cut, then the length; at last the parameters' length. */
function naiveDescent(settings: TrainSettings, maxNorm = Number.POSITIVE_INFINITY): NaiveDescent {
  const { norm, value: bound } = {
    norm: settings.clip.norm ?? Number.POSITIVE_INFINITY,
    value: settings.clip.value ?? Number.POSITIVE_INFINITY,
  };
  const { train } = { train: toyRows(150, 1) };
  const table = train.table.kind === "memory" ? train.table.values : new Float32Array(0);
  const parameters = new Array<number>(COLUMNS * OUTPUTS).fill(0);
  const losses: number[] = [];
  const steps = 2 * Math.ceil(150 / settings.batch);
  let taken = 0;
  let clipped = 0;
  let limited = 0;
  for (let epoch = 1; epoch <= 2; epoch++) {
    const order = shuffled(150, settings.seed, epoch);
    let [sum, weights] = [0, 0];
    for (let first = 0; first < 150; first += settings.batch) {
      const rows = order.slice(first, first + settings.batch);
      const cells = rows.flatMap((row) =>
        [0, 1].map((output) => ({ row, output, weight: train.weights[row * OUTPUTS + output] as number })),
      );
      const total = cells.reduce((all, { weight }) => all + weight, 0);
      const gradient = new Array<number>(COLUMNS * OUTPUTS).fill(0);
      for (const { row, output, weight } of cells) {
        const inputs = [...table.subarray(row * COLUMNS, (row + 1) * COLUMNS)];
        const answer = inputs.reduce((all, value, column) => all + value * (parameters[column * OUTPUTS + output] as number), 0);
        const error = answer - (train.targets[row * OUTPUTS + output] as number);
        sum += weight * error * error;
        weights += weight;
        for (const [column, value] of inputs.entries())
          gradient[column * OUTPUTS + output] = (gradient[column * OUTPUTS + output] as number) + (2 * weight * error * value) / total;
      }
      const cut = gradient.map((value) => Math.min(Math.max(value, -bound), bound));
      const length = Math.sqrt(cut.reduce((all, value) => all + value * value, 0));
      if (length > norm) clipped++;
      const scale = length > norm ? norm / length : 1;
      const rate = settings.learningRate * (1 - taken / steps);
      for (const [index, value] of cut.entries()) parameters[index] = (parameters[index] as number) - rate * scale * value;
      const size = Math.hypot(...parameters);
      if (size > maxNorm) {
        limited++;
        for (const [index, value] of parameters.entries()) parameters[index] = (value * maxNorm) / size;
      }
      taken++;
    }
    losses.push(sum / weights);
  }
  return { parameters, losses, clipped, limited };
}

/** The order that the engine draws is tested in batches.test.ts; here it is only needed. */
function shuffled(rows: number, seed: number, epoch: number): number[] {
  const order = new Uint32Array(rows);
  drawOrder(order, randomOfEpoch(seed, epoch));
  return [...order];
}
