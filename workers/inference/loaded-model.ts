/**
 * A model in memory: owns its session. Rows go in raw; the manifest's normaliser is applied here, by the same code that training used.
 *
 * Who is about to use it holds it, and lets it go afterwards; once retired it is released as soon as nobody holds it.
 */

import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { ModelManifest, ModelOutput } from "../../models/contract.ts";
import { prepareWindows } from "../../models/prepare.ts";
import { outputWidth, windowOf } from "../../models/shapes.ts";
import type { ModelRefusal } from "./former-contract.ts";
import type { ModelFiles } from "./model-files.ts";
import type { Onnxruntime } from "./onnxruntime.ts";
import { refuseModel } from "./refuse.ts";

const BPS = 10_000;
/** Of the sum of a group's probabilities: float32 of a few classes. */
const SUM_TOLERANCE = 1e-3;
/** Numbers of a wrong row that its refusal shows. */
const MOST_SHOWN = 60;

export type Session = InferenceSession;

export interface LoadedModelParts {
  readonly source: ModelFiles["source"];
  readonly manifest: ModelManifest;
  readonly session: Session;
  readonly Tensor: Onnxruntime["Tensor"];
}

export class LoadedModel {
  readonly source: ModelFiles["source"];
  readonly manifest: ModelManifest;
  private readonly session: Session;
  private readonly Tensor: Onnxruntime["Tensor"];
  private holders = 0;
  private isRetired = false;
  private isReleased = false;

  constructor({ source, manifest, session, Tensor }: LoadedModelParts) {
    this.source = source;
    this.manifest = manifest;
    this.session = session;
    this.Tensor = Tensor;
  }

  /**
   * @param windows [windows][window x columns], raw, the oldest row of each first; a window of 1 is a row.
   * @returns [windows][values] in the manifest's unit, by one run for all; or why there is no answer.
   */
  async answer(windows: readonly (readonly number[])[]): Promise<number[][] | ModelRefusal> {
    const { featureSet, normaliser, input, output } = this.manifest;
    // onnxruntime gives a released session's id to the next one: another model would answer, and nobody would notice.
    if (this.isReleased) throw new Error(`the model ${this.manifest.id} ${this.manifest.version} was released and is asked again`);
    const window = windowOf(this.manifest);
    const numbers = window * featureSet.columns.length;
    const wrong = windows.find((row) => row.length !== numbers || !row.every(Number.isFinite));
    if (wrong !== undefined) return refuseModel("shape-mismatch", describeWrong(wrong, numbers));
    if (windows.length === 0) return [];
    const prepared = prepareWindows(windows, normaliser, window);
    const answered = await this.run(
      input.name,
      new this.Tensor("float32", prepared, [windows.length, ...input.shape.slice(1).map(Number)]),
    );
    if ("ok" in answered) return answered;
    const width = outputWidth(output, numbers);
    const data = answered.values[output.name]?.data;
    if (!(data instanceof Float32Array) || data.length !== windows.length * width) {
      return refuseModel("shape-mismatch", `${data?.length ?? 0} numbers came out for ${windows.length} rows of ${width} outputs`);
    }
    const rows = windows.map((_, row) => Array.from(data.subarray(row * width, (row + 1) * width)));
    const absurd = rows.map((row) => findAbsurd(row, output)).find((found) => found !== null);
    return absurd === undefined ? rows : refuseModel("bad-output", `the model answered ${absurd}`);
  }

  hold(): void {
    this.holders++;
  }

  async letGo(): Promise<void> {
    this.holders--;
    await this.releaseWhenUnused();
  }

  /** Nobody will begin to use it any more. */
  async retire(): Promise<void> {
    this.isRetired = true;
    await this.releaseWhenUnused();
  }

  private async releaseWhenUnused(): Promise<void> {
    if (!this.isRetired || this.holders > 0 || this.isReleased) return;
    this.isReleased = true;
    await this.session.release();
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

function describeWrong(row: readonly number[], numbers: number): string {
  const shown = row.length > MOST_SHOWN ? `${row.slice(0, MOST_SHOWN)}, ...` : `${row}`;
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
