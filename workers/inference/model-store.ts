/**
 * The models in memory. Whoever needs one is given it for as long as the use takes; who asks for a cold one waits for the one load that all others wait
 * for too, however many they are.
 *
 * Memory is bounded by places: MAX_MODELS of them, and MAX_BYTES of model files in all. Who needs another model takes the place of the one whose last
 * use is longest ago, of those that nobody uses; where all are in use, one waits. A use takes milliseconds, and nobody waits for a second model while
 * holding one, so that the wait ends.
 *
 * A model that fails its checks takes no place: its refusal is kept for a minute, so that what is faulty isn't loaded by each request.
 *
 * A request can be killed between any two steps. A load, or a use, that takes far too long is taken for dead and its place for free.
 */

import { sharedPromise } from "../shared-promise.ts";
import { type ModelRefusal, SHIPPED_KEY } from "./contract.ts";
import { loadModel } from "./load-model.ts";
import type { LoadedModel } from "./loaded-model.ts";
import { type ModelFiles, readVersion } from "./model-files.ts";
import { refuseModel } from "./refuse.ts";
import { nameOf, type PublishedVersion } from "./version.ts";

/**
 * The active model of every market, four shadows, and one of a market's own or of signals. onnxruntime with its 14 MB of wasm takes some 60 MB of the isolate's 128,
 * and a model about twice its file.
 */
export const MAX_MODELS = 6;
const MAX_BYTES = 32_000_000;
const ASK_AGAIN_AFTER_MS = 60_000;
/** Loading takes under a second, a run milliseconds; the platform gives a request that has been answered 30 s more. */
const LOST_AFTER_MS = 30_000;

/** The bucket as this request has it, and the time. */
export interface Surroundings {
  readonly bucket: R2Bucket;
  /** Epoch ms. */
  readonly now: number;
}

interface Place {
  readonly loading: Promise<LoadedModel | ModelRefusal>;
  readonly bytes: number;
  readonly startedAt: number;
  isLoaded: boolean;
  users: number;
  /** Number of the last use, and its time. */
  lastUse: number;
  usedAt: number;
  /** Given to another model: released once unused. */
  isRetired: boolean;
}

export class ModelStore {
  private readonly shippedFiles: ModelFiles;
  private readonly places = new Map<string, Place>();
  private readonly refused = new Map<string, { readonly refusal: ModelRefusal; readonly at: number }>();
  private waiting: (() => void)[] = [];
  private uses = 0;

  constructor(shippedFiles: ModelFiles) {
    this.shippedFiles = shippedFiles;
  }

  /**
   * Gives `act` the model, or why it can't be served; the model stays loaded until `act` is done, which must use no other one.
   * @throws what `act` throws; never for what lies in the bucket, nor for a bucket that fails.
   */
  async use<T>(version: PublishedVersion, around: Surroundings, act: (model: LoadedModel | ModelRefusal) => T | Promise<T>): Promise<T> {
    this.letOthersLook();
    const place = await this.enter(version, around);
    if ("ok" in place) return act(place);
    try {
      return await act(await place.loading);
    } finally {
      place.users--;
      this.releaseWhenUnused(place);
      this.letOthersLook();
    }
  }

  /** What has no role any more gives its memory back. @param names by nameOf */
  keepOnly(names: ReadonlySet<string>): void {
    for (const name of this.places.keys()) if (!names.has(name)) this.retire(name);
    for (const name of this.refused.keys()) if (!names.has(name)) this.refused.delete(name);
  }

  /** Counts its caller among the place's users before anybody else runs, so that it isn't taken away in between. */
  private async enter(version: PublishedVersion, around: Surroundings): Promise<Place | ModelRefusal> {
    const name = nameOf(version);
    for (;;) {
      const refused = this.refused.get(name);
      if (refused !== undefined && around.now - refused.at < ASK_AGAIN_AFTER_MS) return refused.refusal;
      const held = this.places.get(name);
      if (held !== undefined && (held.isLoaded || around.now - held.startedAt < LOST_AFTER_MS)) return this.occupy(held, around.now);
      if (held !== undefined) this.retire(name);
      if (this.hasRoom(version.bytes, around.now)) return this.occupy(this.load(version, around), around.now);
      await this.untilFree();
    }
  }

  /**
   * Until a place may be free. Loads are waited for besides, since only a shared promise says that another request is at work: one that waits for a promise of its own
   * alone is cancelled as hung. Beyond its load a use is over before another request runs.
   */
  private async untilFree(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.waiting.push(resolve);
    await Promise.race([promise, ...[...this.places.values()].filter(({ isLoaded }) => !isLoaded).map(({ loading }) => loading)]);
  }

  private occupy(place: Place, now: number): Place {
    place.users++;
    place.lastUse = ++this.uses;
    place.usedAt = now;
    return place;
  }

  /** Makes room where it can. */
  private hasRoom(bytes: number, now: number): boolean {
    while (this.places.size >= MAX_MODELS || (this.places.size > 0 && this.bytesHeld() + bytes > MAX_BYTES)) {
      const idle = [...this.places].filter(([, { users, usedAt }]) => users === 0 || now - usedAt >= LOST_AFTER_MS);
      const [oldest] = idle.sort(([, one], [, other]) => one.lastUse - other.lastUse);
      if (oldest === undefined) return false;
      const [name, place] = oldest;
      // Who is still counted was killed.
      place.users = 0;
      this.retire(name);
    }
    return true;
  }

  private bytesHeld(): number {
    return [...this.places.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  }

  private load(version: PublishedVersion, { bucket, now }: Surroundings): Place {
    const name = nameOf(version);
    const place: Place = {
      loading: sharedPromise(
        this.read(version, bucket).then((loaded) => {
          place.isLoaded = true;
          if ("ok" in loaded) this.refuse(name, { place, refusal: loaded, now });
          return loaded;
        }),
      ),
      bytes: version.bytes,
      startedAt: now,
      isLoaded: false,
      users: 0,
      lastUse: this.uses,
      usedAt: now,
      isRetired: false,
    };
    this.places.set(name, place);
    return place;
  }

  private async read(version: PublishedVersion, bucket: R2Bucket): Promise<LoadedModel | ModelRefusal> {
    const files = version.key === SHIPPED_KEY ? this.shippedFiles : await readVersion(bucket, version);
    if ("ok" in files) return files;
    try {
      return await loadModel(files);
    } catch (error) {
      return refuseModel("not-loadable", `onnxruntime does not start: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private refuse(name: string, { place, refusal, now }: { place: Place; refusal: ModelRefusal; now: number }): void {
    // One that was taken for dead says nothing any more: another load has its place.
    if (this.places.get(name) !== place) return;
    this.places.delete(name);
    this.refused.set(name, { refusal, at: now });
  }

  private retire(name: string): void {
    const place = this.places.get(name);
    if (place === undefined) return;
    this.places.delete(name);
    place.isRetired = true;
    this.releaseWhenUnused(place);
  }

  private releaseWhenUnused(place: Place): void {
    if (!place.isRetired || place.users > 0) return;
    // What onnxruntime throws while it lets go concerns nobody: the model isn't used any more.
    place.loading.then((loaded) => ("ok" in loaded ? undefined : loaded.release())).catch(() => undefined);
  }

  private letOthersLook(): void {
    const woken = this.waiting;
    this.waiting = [];
    for (const wake of woken) wake();
  }
}
