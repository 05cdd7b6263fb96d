/** The part of node:zlib that the object uses; the whole of @types/node would put Node's globals beside the Workers'. */
declare module "node:zlib" {
  export function gzipSync(text: string, options: { level: number }): Uint8Array;
}
