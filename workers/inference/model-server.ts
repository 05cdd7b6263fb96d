/**
 * Which model is served now: the published one where it passes every check, the shipped one otherwise, and a refusal when neither does.
 *
 * R2's pointer is read again at most each minute. Whoever comes when that is due does it, in its own request; the others go on with what is
 * there. That way no request waits for the I/O of another, which the platform may have ended.
 */

import type { ModelRefusal } from "./contract.ts";
import { loadModel } from "./load-model.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { type ModelFiles, readPointer, readPublished } from "./model-files.ts";
import { refuseModel } from "./refuse.ts";

const RECHECK_MS = 60_000;

/** What is served, and why it is not the published model, where it isn't. */
export type Served = { readonly model: LoadedModel; readonly fellBackFrom: ModelRefusal | null } | ModelRefusal;

/** As long as the pointer's text stays the same, so does the model. */
interface Published {
  readonly pointer: string;
  readonly model: LoadedModel;
}

export class ModelServer {
  private readonly shippedFiles: ModelFiles;
  private served: Served | null = null;
  private checkedAt = Number.NEGATIVE_INFINITY;
  private published: Published | null = null;
  private shipped: LoadedModel | ModelRefusal | null = null;
  /** The model served before this one: a request may still be about to use it. */
  private retired: LoadedModel | null = null;

  constructor(shippedFiles: ModelFiles) {
    this.shippedFiles = shippedFiles;
  }

  /** @param now epoch ms. Never throws for what lies in the bucket, nor for a bucket that fails. */
  async current(bucket: R2Bucket, now: number): Promise<Served> {
    if (this.served !== null && now - this.checkedAt < RECHECK_MS) return this.served;
    this.checkedAt = now;
    const found = await findPublished(bucket, this.published);
    if (found !== this.published) await this.replace("ok" in found ? null : found);
    this.served = "ok" in found ? await this.fallBack(found) : { model: found.model, fellBackFrom: null };
    return this.served;
  }

  private async replace(published: Published | null): Promise<void> {
    const released = this.retired;
    this.retired = this.published?.model ?? null;
    this.published = published;
    await released?.release();
  }

  private async fallBack(reason: ModelRefusal): Promise<Served> {
    this.shipped ??= await loadModel(this.shippedFiles);
    if (!("ok" in this.shipped)) return { model: this.shipped, fellBackFrom: reason };
    const shipped = `the shipped model: ${this.shipped.fault}, ${this.shipped.detail}`;
    return refuseModel(reason.fault === "not-found" ? this.shipped.fault : reason.fault, `${reason.detail}; ${shipped}`);
  }
}

/** @returns `served` itself while it is still the published one; the one published since; or why there is none. */
async function findPublished(bucket: R2Bucket, served: Published | null): Promise<Published | ModelRefusal> {
  try {
    const pointer = await readPointer(bucket);
    if (pointer === null) return refuseModel("not-found", "no model was ever published");
    if (pointer === served?.pointer) return served;
    const files = await readPublished(bucket, pointer);
    if ("ok" in files) return files;
    const model = await loadModel(files);
    return "ok" in model ? model : { pointer, model };
  } catch (error) {
    // The store fails, not the model: what is served stays.
    return served ?? refuseModel("not-found", `the bucket does not answer: ${error instanceof Error ? error.message : String(error)}`);
  }
}
