/**
 * A model in memory: owns its session. Rows go in raw; the manifest's normaliser is applied here, by the same code that training used.
 *
 * Who is about to use it holds it, and lets it go afterwards; once retired it is released as soon as nobody holds it.
 */

import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import type { ModelFamily, ModelManifest } from "../../models/contract.ts";
import { MODEL_FAMILIES } from "../../models/registry.ts";
import type { ModelRefusal } from "./contract.ts";
import type { ModelFiles } from "./model-files.ts";
import type { Onnxruntime } from "./onnxruntime.ts";
import { refuseModel } from "./refuse.ts";

const BPS = 10_000;

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
  private readonly family: ModelFamily;
  private readonly session: Session;
  private readonly Tensor: Onnxruntime["Tensor"];
  private holders = 0;
  private isRetired = false;
  private isReleased = false;

  constructor({ source, manifest, session, Tensor }: LoadedModelParts) {
    const family = MODEL_FAMILIES.get(manifest.family);
    // The manifest's reader refuses unknown families: getting here with one is a bug.
    if (family === undefined) throw new Error(`no model family is named "${manifest.family}"`);
    this.source = source;
    this.manifest = manifest;
    this.family = family;
    this.session = session;
    this.Tensor = Tensor;
  }

  /** @param rows [rows][columns], raw. @returns [rows][outputs] basis points, by one run for all rows; or why there is no answer. */
  async predict(rows: readonly (readonly number[])[]): Promise<number[][] | ModelRefusal> {
    const { featureSet, normaliser, input, output } = this.manifest;
    // onnxruntime gives a released session's id to the next one: another model would answer, and nobody would notice.
    if (this.isReleased) throw new Error(`the model ${this.manifest.id} ${this.manifest.version} was released and is asked again`);
    const columns = featureSet.columns.length;
    const wrong = rows.find((row) => row.length !== columns || !row.every(Number.isFinite));
    if (wrong !== undefined)
      return refuseModel("shape-mismatch", `a row must be ${columns} numbers, this one has ${wrong.length}: ${wrong}`);
    if (rows.length === 0) return [];
    const prepared = new Float32Array(rows.length * columns);
    for (const [index, row] of rows.entries()) this.family.prepareInput(row, normaliser, prepared, index * columns);
    const answered = await this.run(input.name, new this.Tensor("float32", prepared, [rows.length, columns]));
    if ("ok" in answered) return answered;
    const outputs = output.columns.length;
    const data = answered.values[output.name]?.data;
    if (!(data instanceof Float32Array) || data.length !== rows.length * outputs) {
      return refuseModel("shape-mismatch", `${data?.length ?? 0} numbers came out for ${rows.length} rows of ${outputs} outputs`);
    }
    // Not a finite number, or a price of nothing and less.
    const absurd = data.find((move) => !(Math.abs(move) < BPS));
    if (absurd !== undefined) return refuseModel("bad-output", `the model answered a move of ${absurd} basis points`);
    return rows.map((_, row) => Array.from(data.subarray(row * outputs, (row + 1) * outputs)));
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
