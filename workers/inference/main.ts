/** The inference Worker: RPC to the model that is served now. One model server per isolate, shared by its requests. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { InferenceAnswers } from "./answers.ts";
import type { InferenceRpc, ModelRefusal, ModelView, Prediction } from "./contract.ts";
import { ModelServer } from "./model-server.ts";
import { loadOnnxruntime } from "./onnxruntime.ts";
import { shippedModel } from "./shipped-model.ts";

export interface InferenceEnv {
  readonly TAPES: R2Bucket;
}

const server = new ModelServer(shippedModel);

export default class Inference extends WorkerEntrypoint<InferenceEnv> implements InferenceRpc {
  async active(): Promise<ModelView | ModelRefusal> {
    return this.answers().active(Date.now());
  }

  async predict(fingerprint: string, rows: readonly (readonly number[])[]): Promise<Prediction | ModelRefusal> {
    return this.answers().predict(fingerprint, rows, Date.now());
  }

  private answers(): InferenceAnswers {
    // Initialisation must not stop half-way when the request that began it ends: all later ones wait for it.
    this.ctx.waitUntil(loadOnnxruntime().catch(() => undefined));
    return new InferenceAnswers(server, this.env.TAPES);
  }
}
