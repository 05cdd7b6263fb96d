/** The models that come with the code: which slot each is for, and where it lies. reproduce/ makes them. */

import { fileURLToPath } from "node:url";
import { EVERY_MARKET, MODEL_SLOTS, type ModelSlot } from "../../models/roles.ts";
import type { InstanceStore, StoreTarget } from "./instance-store.ts";
import { withStore } from "./open-store.ts";
import { type Published, publishFiles, readModel } from "./publish-model.ts";

/** Each slot's folder. */
export const SHIPPED_FOLDERS: Readonly<Record<ModelSlot, string>> = {
  forecast: shippedAt("shipped"),
  signal: shippedAt("shipped/signal"),
};

export interface PublishedShipped extends Published {
  readonly slot: ModelSlot;
}

/** Each becomes the active one of every market in its slot, unless a model of another id is. @throws CommandError as publishModel does. */
export async function publishShipped(target: StoreTarget): Promise<PublishedShipped[]> {
  return withStore(target, publishShippedInto);
}

export async function publishShippedInto(store: InstanceStore): Promise<PublishedShipped[]> {
  const published: PublishedShipped[] = [];
  for (const slot of MODEL_SLOTS) {
    const files = await readModel(SHIPPED_FOLDERS[slot]);
    published.push({ slot, ...(await publishFiles(files, store, { seat: { slot, market: EVERY_MARKET }, unlessOther: true })) });
  }
  return published;
}

function shippedAt(path: string): string {
  return fileURLToPath(new URL(`../../workers/inference/${path}/`, import.meta.url));
}
