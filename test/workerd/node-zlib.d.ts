/** What the tests here take from node:zlib beside what the objects do; the platform's types and Node's can't both be loaded. */

declare module "node:zlib" {
  /** Reads every member. */
  export function gunzipSync(bytes: Uint8Array): Uint8Array & { toString(encoding?: "utf8"): string };
}
