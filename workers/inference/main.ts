/** The inference Worker: RPC to the models that have roles. One store and one roster per isolate, shared by its requests. */

import { WorkerEntrypoint } from "cloudflare:workers";
import { InferenceAnswers } from "./answers.ts";
import type { InferenceRpc, ModelView, PredictAsk, Predicted, Roster, Shadowed } from "./contract.ts";
import { ModelRoster, type RosterSurroundings } from "./model-roster.ts";
import { ModelStore } from "./model-store.ts";
import { loadOnnxruntime } from "./onnxruntime.ts";
import { shippedModel } from "./shipped-model.ts";

export interface InferenceEnv {
  readonly DB: D1Database;
  readonly TAPES: R2Bucket;
}

const store = new ModelStore(shippedModel);
const answers = new InferenceAnswers(store, new ModelRoster(store));

export default class Inference extends WorkerEntrypoint<InferenceEnv> implements InferenceRpc {
  async roster(): Promise<Roster> {
    return this.untilDone(answers.roster(this.around()));
  }

  async models(): Promise<readonly ModelView[]> {
    return this.untilDone(answers.models(this.around()));
  }

  async predict(asks: readonly PredictAsk[]): Promise<Predicted> {
    // It takes longest of what a cold isolate does, and needs no row or file: it begins while those are on their way.
    void this.untilDone(loadOnnxruntime());
    return this.untilDone(answers.predict(asks, this.around()));
  }

  async shadows(asks: readonly PredictAsk[]): Promise<Shadowed> {
    return this.untilDone(answers.shadows(asks, this.around()));
  }

  private around(): RosterSurroundings {
    const untilDone = (work: Promise<unknown>): void => this.ctx.waitUntil(work.catch(() => undefined));
    return { database: this.env.DB, bucket: this.env.TAPES, now: Date.now(), untilDone };
  }

  /** A request may be loading onnxruntime and a model for all others: it must not stop half-way when its caller goes away. */
  private untilDone<T>(answer: Promise<T>): Promise<T> {
    this.ctx.waitUntil(answer.catch(() => undefined));
    return answer;
  }
}
