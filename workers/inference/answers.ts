/** What the inference Worker answers, with the time as an argument: main.ts gives it the clock. */

import { labelKindOf } from "../../core/labels/moves.ts";
import { kindOf, windowOf } from "../../models/shapes.ts";
import type { ModelRefusal, ModelView, Prediction } from "./former-contract.ts";
import type { LoadedModel } from "./loaded-model.ts";
import type { ModelServer } from "./model-server.ts";
import { refuseModel } from "./refuse.ts";

/** Far above what any caller here asks for at once; a bound so that one call costs little. */
const MAX_ROWS = 4_096;

export class InferenceAnswers {
  private readonly server: ModelServer;
  private readonly bucket: R2Bucket;

  constructor(server: ModelServer, bucket: R2Bucket) {
    this.server = server;
    this.bucket = bucket;
  }

  async active(now: number): Promise<ModelView | ModelRefusal> {
    return this.server.serve(this.bucket, now, (served) => {
      if ("ok" in served) return served;
      const { model, fellBackFrom } = served;
      return { ok: true, source: model.source, fellBackFrom, manifest: model.manifest };
    });
  }

  async predict(fingerprint: string, rows: readonly (readonly number[])[], now: number): Promise<Prediction | ModelRefusal> {
    if (rows.length > MAX_ROWS) return refuseModel("shape-mismatch", `${rows.length} rows at once: at most ${MAX_ROWS}`);
    return this.server.serve(this.bucket, now, (served) => ("ok" in served ? served : predictBy(served.model, fingerprint, rows)));
  }
}

async function predictBy(
  model: LoadedModel,
  fingerprint: string,
  rows: readonly (readonly number[])[],
): Promise<Prediction | ModelRefusal> {
  const { manifest, source } = model;
  const { id: featureSet, fingerprint: trained } = manifest.featureSet;
  if (fingerprint !== trained) {
    return refuseModel(
      "fingerprint-mismatch",
      `the rows are of the features ${fingerprint}, the model was trained on ${featureSet} ${trained}`,
    );
  }
  const { id, version, artifact, output, trainedOn } = manifest;
  if (output.unit !== "bps") return refuseModel("not-a-forecast", `${id} ${version} answers ${kindOf(output)}, not moves`);
  const label = labelKindOf(manifest);
  if (label !== "point") return refuseModel("not-a-forecast", `${id} ${version} answers ${label} moves, not those to one moment`);
  const window = windowOf(manifest);
  if (window > 1) return refuseModel("needs-a-window", `${id} ${version} eats ${window} rows of history, and was asked with single rows`);
  const movesBps = await model.answer(rows);
  if ("ok" in movesBps) return movesBps;
  const identity = { modelId: id, version, sha256: artifact.sha256, source, trainedOn: trainedOn.source };
  return { ok: true, ...identity, columns: output.columns, movesBps };
}
