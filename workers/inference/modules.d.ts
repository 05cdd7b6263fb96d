/** What the bundler's rules make of files that are no code (wrangler.toml, [[rules]]). */

declare module "*.onnx" {
  const bytes: ArrayBuffer;
  export default bytes;
}

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
