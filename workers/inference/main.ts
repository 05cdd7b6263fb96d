/** The inference Worker: RPC to the model that is served now. One model server per isolate, shared by its requests. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { InferenceAnswers } from "./answers.ts";
import type { InferenceRpc, ModelRefusal, ModelView, Prediction } from "./former-contract.ts";
import { ModelServer } from "./model-server.ts";
import { shippedModel } from "./shipped-model.ts";

export interface InferenceEnv {
  readonly TAPES: R2Bucket;
}

const server = new ModelServer(shippedModel);

export default class Inference extends WorkerEntrypoint<InferenceEnv> implements InferenceRpc {
  async active(): Promise<ModelView | ModelRefusal> {
    return this.untilDone(this.answers().active(Date.now()));
  }

  async predict(fingerprint: string, rows: readonly (readonly number[])[]): Promise<Prediction | ModelRefusal> {
    return this.untilDone(this.answers().predict(fingerprint, rows, Date.now()));
  }

  private answers(): InferenceAnswers {
    return new InferenceAnswers(server, this.env.TAPES);
  }

  /** A request may be loading onnxruntime and the model for all others: it must not stop half-way when its caller goes away. */
  private untilDone<T>(answer: Promise<T>): Promise<T> {
    this.ctx.waitUntil(answer.catch(() => undefined));
    return answer;
  }
}
