/**
 * Each finished model of a comparison, kept on disk so that an interrupted one goes on: a folder a model and fold, model.json written last. What was
 * fitted under other conditions (data, fold, settings) is never taken up.
 *
 * | file | |
 * |---|---|
 * | forecasts.f32 | [validation rows, outputs], then [test rows, outputs], bps; and where the model says them the probabilities of both, [rows, outputs, 3] |
 * | model.onnx | as it would be served, where it has a file |
 * | model.json | conditions, what was chosen, how long it took, the hashes of the others |
 */

import { createHash } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { DIRECTIONS } from "../../core/labels/classes.ts";
import { makeFolder } from "../make-folder.ts";
import type { FittedModel } from "./contract.ts";

/** The folder of a comparison in which they lie. */
export const FITTED_MODELS = "models";
export const MODEL_FILE = "model.onnx";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const numbers = z.array(z.number());

const shape = z.strictObject({
  format: z.literal("edgebook-compared-model/1"),
  conditions: sha256,
  configurations: z.int().positive(),
  isRefitted: z.boolean(),
  notes: z.array(z.string()),
  seconds: z.number(),
  /** [validation cells, test cells] of forecasts.f32. */
  cells: z.tuple([z.int(), z.int()]),
  forecasts: sha256,
  served: z
    .strictObject({
      sha256,
      inputName: z.string(),
      window: z.int(),
      columns: z.int(),
      reads: z.string(),
      normaliser: z.strictObject({ mean: numbers, scale: numbers, clip: z.number() }),
    })
    .nullable(),
});

export interface KeptModel extends FittedModel {
  /** It took to fit, on the machine where it was. */
  readonly seconds: number;
}

/** All that a fitted model hangs on, as one hash. */
export function conditionsOf(parts: readonly unknown[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

export async function keepModel(folder: string, conditions: string, model: KeptModel): Promise<void> {
  await makeFolder(folder);
  await rm(join(folder, "model.json"), { force: true });
  const said = model.probabilities === undefined ? [] : [model.probabilities.validation, model.probabilities.test];
  const forecasts = Buffer.concat([model.validation, model.test, ...said].map(bytesOf));
  await writeFile(join(folder, "forecasts.f32"), forecasts);
  const { served } = model;
  if (served !== null) await writeFile(join(folder, MODEL_FILE), served.onnx);
  const { mean, scale, clip } = served?.normaliser ?? { mean: [], scale: [], clip: 0 };
  const card: z.infer<typeof shape> = {
    format: "edgebook-compared-model/1",
    conditions,
    configurations: model.configurations,
    isRefitted: model.isRefitted,
    notes: [...model.notes],
    seconds: model.seconds,
    cells: [model.validation.length, model.test.length],
    forecasts: hashOf(forecasts),
    served:
      served === null
        ? null
        : {
            sha256: hashOf(served.onnx),
            inputName: served.inputName,
            window: served.window,
            columns: served.columns,
            reads: served.reads,
            normaliser: { mean: [...mean], scale: [...scale], clip },
          },
  };
  const path = join(folder, "model.json");
  await writeFile(`${path}.tmp`, `${JSON.stringify(card, null, 1)}\n`);
  await rename(`${path}.tmp`, path);
}

/** Null: it isn't there, isn't whole, or is of other conditions, and has to be fitted. */
export async function keptModel(folder: string, conditions: string): Promise<KeptModel | null> {
  const card = shape.safeParse(await jsonOf(join(folder, "model.json"))).data;
  if (card === undefined || card.conditions !== conditions) return null;
  const forecasts = await bytesAt(join(folder, "forecasts.f32"), card.forecasts);
  const onnx = card.served === null ? null : await bytesAt(join(folder, MODEL_FILE), card.served.sha256);
  if (forecasts === null || (card.served !== null && onnx === null)) return null;
  const flat = new Float32Array(forecasts.buffer.slice(forecasts.byteOffset, forecasts.byteOffset + forecasts.byteLength));
  const [validationCells, testCells] = card.cells;
  const cells = validationCells + testCells;
  const hasProbabilities = flat.length === cells * (1 + DIRECTIONS.length);
  if (flat.length !== cells && !hasProbabilities) return null;
  const split = cells + DIRECTIONS.length * validationCells;
  const { configurations, isRefitted, notes, seconds } = card;
  return {
    validation: flat.slice(0, validationCells),
    test: flat.slice(validationCells, cells),
    ...(hasProbabilities ? { probabilities: { validation: flat.slice(cells, split), test: flat.slice(split) } } : {}),
    configurations,
    isRefitted,
    notes,
    seconds,
    served: card.served === null || onnx === null ? null : { ...card.served, onnx },
  };
}

async function bytesAt(path: string, hash: string): Promise<Buffer | null> {
  const bytes = await readFile(path).catch(() => null);
  return bytes === null || hashOf(bytes) !== hash ? null : bytes;
}

async function jsonOf(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8").catch(() => "null");
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
