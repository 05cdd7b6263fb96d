/**
 * A model in memory: owns its session. Rows go in raw; the manifest's normaliser is applied here, by the same code that training used.
 * Whoever owns it (model-store.ts) releases it once nobody uses it any more.
 */

import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { ModelManifest, ModelOutput } from "../../models/contract.ts";
import { prepareWindows, type Statistics } from "../../models/prepare.ts";
import { outputWidth, windowOf } from "../../models/shapes.ts";
import type { ModelRefusal, ModelSource } from "./contract.ts";
import type { Onnxruntime } from "./onnxruntime.ts";
import { refuseModel } from "./refuse.ts";

const BPS = 10_000;
/** Of the sum of a group's probabilities: float32 of a few classes. */
const SUM_TOLERANCE = 1e-3;
/** Inputs of one run: 4 MB of them, beside what the graph makes of them on its way. */
const MAX_RUN_NUMBERS = 1_000_000;
/** Numbers of a wrong row that its refusal shows. */
const MOST_SHOWN = 60;

export type Session = InferenceSession;

export interface LoadedModelParts {
  readonly source: ModelSource;
  readonly manifest: ModelManifest;
  readonly session: Session;
  readonly Tensor: Onnxruntime["Tensor"];
}

export class LoadedModel {
  readonly source: ModelSource;
  readonly manifest: ModelManifest;
  private readonly session: Session;
  private readonly Tensor: Onnxruntime["Tensor"];
  /** Typed arrays, as windows are: a loop that meets one kind of array alone runs faster. */
  private readonly statistics: Statistics;
  private isReleased = false;

  constructor({ source, manifest, session, Tensor }: LoadedModelParts) {
    this.source = source;
    this.manifest = manifest;
    this.session = session;
    this.Tensor = Tensor;
    const { mean, scale, clip } = manifest.normaliser;
    this.statistics = { mean: Float64Array.from(mean), scale: Float64Array.from(scale), clip };
  }

  /**
   * @param windows [windows][window x columns], raw, the oldest row of each first; a window of 1 is a row.
   * @returns [windows][values] in the manifest's unit; or why there is no answer, be it to one of them.
   */
  async answer(windows: readonly (readonly number[])[]): Promise<number[][] | ModelRefusal> {
    const rows: number[][] = [];
    for (const answered of await this.answerEach(windows.map((window) => Float64Array.from(window)))) {
      if ("ok" in answered) return answered;
      rows.push(answered);
    }
    return rows;
  }

  /** The same, each window by itself: one that can't be answered takes nothing from the others. By as few runs as memory allows. */
  async answerEach(windows: readonly Float64Array[]): Promise<(number[] | ModelRefusal)[]> {
    // onnxruntime gives a released session's id to the next one: another model would answer, and nobody would notice.
    if (this.isReleased) throw new Error(`the model ${this.manifest.id} ${this.manifest.version} was released and is asked again`);
    const numbers = windowOf(this.manifest) * this.manifest.featureSet.columns.length;
    const answers: (number[] | ModelRefusal | null)[] = windows.map((window) => judgeNumbers(window, numbers));
    const whole = [...windows.keys()].filter((index) => answers[index] === null);
    const mostAtOnce = Math.max(1, Math.floor(MAX_RUN_NUMBERS / numbers));
    for (let from = 0; from < whole.length; from += mostAtOnce) {
      const indices = whole.slice(from, from + mostAtOnce);
      const answered = await this.answerWhole(indices.map((index) => windows[index] as Float64Array));
      for (const [at, index] of indices.entries()) answers[index] = "ok" in answered ? answered : (answered[at] ?? null);
    }
    return answers.map((answer) => answer ?? refuseModel("bad-output", "no answer came out"));
  }

  /** Nobody uses it any more, nor will. */
  async release(): Promise<void> {
    if (this.isReleased) return;
    this.isReleased = true;
    await this.session.release();
  }

  /** Of windows that are whole. */
  private async answerWhole(windows: readonly Float64Array[]): Promise<(number[] | ModelRefusal)[] | ModelRefusal> {
    const { featureSet, input, output } = this.manifest;
    const window = windowOf(this.manifest);
    const prepared = prepareWindows(windows, this.statistics, window);
    const answered = await this.run(
      input.name,
      new this.Tensor("float32", prepared, [windows.length, ...input.shape.slice(1).map(Number)]),
    );
    if ("ok" in answered) return answered;
    const width = outputWidth(output, window * featureSet.columns.length);
    const data = answered.values[output.name]?.data;
    if (!(data instanceof Float32Array) || data.length !== windows.length * width) {
      return refuseModel("shape-mismatch", `${data?.length ?? 0} numbers came out for ${windows.length} rows of ${width} outputs`);
    }
    return windows.map((_, row) => {
      const values = Array.from(data.subarray(row * width, (row + 1) * width));
      const absurd = findAbsurd(values, output);
      return absurd === null ? values : refuseModel("bad-output", `the model answered ${absurd}`);
    });
  }

  private async run(name: string, tensor: Tensor): Promise<{ values: InferenceSession.ReturnType } | ModelRefusal> {
    try {
      return { values: await this.session.run({ [name]: tensor }) };
    } catch (error) {
      return refuseModel(
        "not-loadable",
        `onnxruntime failed in a run: ${error instanceof Error ? error.message.slice(0, 300) : String(error)}`,
      );
    }
  }
}

function judgeNumbers(row: Float64Array, numbers: number): ModelRefusal | null {
  return row.length === numbers && isAllFinite(row) ? null : refuseModel("shape-mismatch", describeWrong(row, numbers));
}

/** A loop of its own: `every` calls a function for each of a window's ten thousand numbers. */
function isAllFinite(row: Float64Array): boolean {
  for (let at = 0; at < row.length; at++) if (!Number.isFinite(row[at])) return false;
  return true;
}

function describeWrong(row: Float64Array, numbers: number): string {
  const shown = row.length > MOST_SHOWN ? `${row.subarray(0, MOST_SHOWN)}, ...` : `${row}`;
  return `a row must be ${numbers} numbers, this one has ${row.length}: ${shown}`;
}

/** What can't be meant, in words: no number, a price of nothing and less, probabilities that are none. Null where all is well. */
function findAbsurd(values: readonly number[], output: ModelOutput): string | null {
  if (output.unit === "bps") {
    const move = values.find((value) => !(Math.abs(value) < BPS));
    return move === undefined ? null : `a move of ${move} basis points`;
  }
  const noNumber = values.find((value) => !Number.isFinite(value));
  if (noNumber !== undefined) return `${noNumber}`;
  if (output.unit !== "probability") return null;
  let from = 0;
  for (const { labels } of output.groups) {
    const group = values.slice(from, from + labels.length);
    const sum = group.reduce((total, value) => total + value, 0);
    if (group.some((value) => value < 0) || Math.abs(sum - 1) > SUM_TOLERANCE) return `${group} for the probabilities of ${labels}`;
    from += labels.length;
  }
  return null;
}
