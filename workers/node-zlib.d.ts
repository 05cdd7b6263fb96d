/** The part of node:zlib that cron uses; the whole of @types/node would put Node's globals beside the Workers'. */
declare module "node:zlib" {
  export function gunzipSync(bytes: Uint8Array, options: { maxOutputLength: number }): Uint8Array;
}
