/** A version of a model as the database names it. Pure. */

import type { ModelManifest } from "../../models/contract.ts";
import { type ModelClaims, type ModelIdentity, SHIPPED_KEY } from "./contract.ts";

export interface PublishedVersion extends ModelIdentity {
  /** Of the manifest's bytes, lower-case hex: it in turn names the model file's. */
  readonly manifestSha256: string;
  /** Of its model file. */
  readonly bytes: number;
}

/** The shipped model as the store knows it. Its name and version are its manifest's. */
export const SHIPPED_VERSION: PublishedVersion = {
  key: SHIPPED_KEY,
  id: "shipped",
  version: "shipped",
  manifestSha256: "shipped",
  bytes: 0,
};

/** Of a version: published again with another manifest (its scores, say) it is another one. */
export function nameOf({ key, manifestSha256 }: PublishedVersion): string {
  return `${key}/${manifestSha256}`;
}

/** A manifest without what fills memory and nobody asks for. */
export function claimsOf({ normaliser: _, golden: __, ...claims }: ModelManifest): ModelClaims {
  return claims;
}
