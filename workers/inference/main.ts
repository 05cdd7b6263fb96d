/** The inference Worker: RPC to the model that is served now. One model server per isolate, shared by its requests. */

import { WorkerEntrypoint } from "cloudflare:workers";
import type { InferenceRpc, ModelRefusal, ModelView, Prediction } from "./contract.ts";
import { ModelServer, type Served } from "./model-server.ts";
import { loadOnnxruntime } from "./onnxruntime.ts";
import { refuseModel } from "./refuse.ts";
import { shippedModel } from "./shipped-model.ts";

export interface InferenceEnv {
  readonly TAPES: R2Bucket;
}

/** Far above what any caller here asks for at once; a bound so that one call costs little. */
const MAX_ROWS = 4_096;

const server = new ModelServer(shippedModel);

export default class Inference extends WorkerEntrypoint<InferenceEnv> implements InferenceRpc {
  async active(): Promise<ModelView | ModelRefusal> {
    const served = await this.current();
    if ("ok" in served) return served;
    const { model, fellBackFrom } = served;
    return { ok: true, source: model.source, fellBackFrom, manifest: model.manifest };
  }

  async predict(fingerprint: string, rows: readonly (readonly number[])[]): Promise<Prediction | ModelRefusal> {
    if (rows.length > MAX_ROWS) return refuseModel("shape-mismatch", `${rows.length} rows at once: at most ${MAX_ROWS}`);
    const served = await this.current();
    if ("ok" in served) return served;
    const { manifest, source } = served.model;
    if (fingerprint !== manifest.featureSet.fingerprint) {
      const { id, fingerprint: trained } = manifest.featureSet;
      return refuseModel("fingerprint-mismatch", `the rows are of the features ${fingerprint}, the model was trained on ${id} ${trained}`);
    }
    const movesBps = await served.model.predict(rows);
    if ("ok" in movesBps) return movesBps;
    const { id, version, artifact, output } = manifest;
    return { ok: true, modelId: id, version, sha256: artifact.sha256, source, columns: output.columns, movesBps };
  }

  private current(): Promise<Served> {
    // Initialisation must not stop half-way when the request that began it ends: all later ones wait for it.
    this.ctx.waitUntil(loadOnnxruntime().catch(() => undefined));
    return server.current(this.env.TAPES, Date.now());
  }
}
