/**
 * Which model is served now: the published one where it passes every check, the shipped one otherwise, and a refusal when neither does.
 *
 * R2's pointer is read again at most each minute, by whoever comes when that is due; the others go on with what is there. Where nothing is
 * there yet, all wait for one and the same look: a cold isolate loads one model, however many ask it at once. Whoever began the look must
 * stay alive until it is done (main.ts sees to that); one that takes far too long is taken for dead, and the next to come looks anew.
 *
 * A model that was replaced is released once nobody uses it any more.
 */

import type { ModelRefusal } from "./former-contract.ts";
import { loadModel } from "./load-model.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { type ModelFiles, readPointer, readPublished } from "./model-files.ts";
import { refuseModel } from "./refuse.ts";

const RECHECK_MS = 60_000;
/** Loading takes under a second; the platform gives a request that has been answered 30 s more. */
const LOOK_LOST_AFTER_MS = 30_000;

/** What is served, and why it is not the published model, where it isn't. */
export type Served = { readonly model: LoadedModel; readonly fellBackFrom: ModelRefusal | null } | ModelRefusal;

/** As long as the pointer's text stays the same, so does the model. */
interface Published {
  readonly pointer: string;
  readonly model: LoadedModel;
}

/** One reading of the bucket, with the loading of what it named. */
interface Look {
  readonly startedAt: number;
  readonly done: Promise<void>;
}

interface Found {
  readonly published: Published | null;
  readonly served: Served;
}

export class ModelServer {
  private readonly shippedFiles: ModelFiles;
  private served: Served | null = null;
  private checkedAt = Number.NEGATIVE_INFINITY;
  private look: Look | null = null;
  private published: Published | null = null;
  private shipped: LoadedModel | ModelRefusal | null = null;

  constructor(shippedFiles: ModelFiles) {
    this.shippedFiles = shippedFiles;
  }

  /**
   * Gives `use` what is served now; its model stays loaded until `use` is done.
   * @param now epoch ms. @throws what `use` throws; never for what lies in the bucket, nor for a bucket that fails.
   */
  async serve<T>(bucket: R2Bucket, now: number, use: (served: Served) => T | Promise<T>): Promise<T> {
    const isFresh = this.served !== null && now - this.checkedAt < RECHECK_MS;
    const isLooking = this.look !== null && now - this.look.startedAt < LOOK_LOST_AFTER_MS;
    if (!isFresh && !isLooking) await this.lookAgain(bucket, now);
    else if (this.served === null) await this.look?.done;
    // From here to `hold` nothing is awaited, so that what is read can't be released in between.
    const { served } = this;
    if (served === null) throw new Error("a look at the models ended without a finding");
    if ("ok" in served) return use(served);
    served.model.hold();
    try {
      return await use(served);
    } finally {
      await served.model.letGo();
    }
  }

  private lookAgain(bucket: R2Bucket, now: number): Promise<void> {
    const done: Promise<void> = this.find(bucket)
      .then(async (found) => {
        const isLost = this.look?.done !== done;
        await (isLost ? this.discard(found) : this.adopt(found, now));
      })
      .finally(() => {
        if (this.look?.done === done) this.look = null;
      });
    this.look = { startedAt: now, done };
    return done;
  }

  private async find(bucket: R2Bucket): Promise<Found> {
    const found = await findPublished(bucket, this.published);
    if (!("ok" in found)) return { published: found, served: { model: found.model, fellBackFrom: null } };
    return { published: null, served: await this.fallBack(found) };
  }

  private async adopt({ published, served }: Found, now: number): Promise<void> {
    const replaced = this.published === published ? null : this.published;
    this.published = published;
    this.served = served;
    this.checkedAt = now;
    await replaced?.model.retire();
  }

  private async discard({ published }: Found): Promise<void> {
    if (published !== this.published) await published?.model.retire();
  }

  private async fallBack(reason: ModelRefusal): Promise<Served> {
    this.shipped ??= await loadModel(this.shippedFiles);
    if (!("ok" in this.shipped)) return { model: this.shipped, fellBackFrom: reason };
    const shipped = `the shipped model: ${this.shipped.fault}, ${this.shipped.detail}`;
    return refuseModel(reason.fault === "never-published" ? this.shipped.fault : reason.fault, `${reason.detail}; ${shipped}`);
  }
}

/** @returns `served` itself while it is still the published one; the one published since; or why there is none. */
async function findPublished(bucket: R2Bucket, served: Published | null): Promise<Published | ModelRefusal> {
  try {
    const pointer = await readPointer(bucket);
    if (pointer === null) return refuseModel("never-published", "no model was ever published");
    if (pointer === served?.pointer) return served;
    const files = await readPublished(bucket, pointer);
    if ("ok" in files) return files;
    const model = await loadModel(files);
    return "ok" in model ? model : { pointer, model };
  } catch (error) {
    // The store fails, not the model: what is served stays.
    return (
      served ?? refuseModel("store-unreachable", `the bucket does not answer: ${error instanceof Error ? error.message : String(error)}`)
    );
  }
}
