/** Both runtimes keep one contract: what the native kernels would take for granted, a training would compute with. */

import { describe, expect, it } from "vitest";
import { encodeModel } from "../../training/onnx/encode.ts";
import type { RuntimeName, Session, Tensor, Tensors } from "../../training/runtime/contract.ts";
import { loadRuntime } from "../../training/runtime/registry.ts";
import { GraphBuilder } from "../../training/tensors/graph-builder.ts";

const RUNTIMES: readonly RuntimeName[] = ["node", "wasm"];

/** sum = x w + bias, which Gemm could do without; negative = -x. */
const MODEL = ((): Uint8Array => {
  const graph = new GraphBuilder();
  const [x, w, bias] = [graph.input("x", [2, 2]), graph.input("w", [2, 2]), graph.input("bias", [2])];
  graph.output("sum", graph.emit("Gemm", [x, w, bias], [2, 2]));
  graph.output("negative", graph.emit("Neg", [x], [2, 2]));
  return encodeModel(graph.model("contract"));
})();

const tensor = (shape: readonly number[], ...values: readonly number[]): Tensor => ({ shape, data: Float32Array.from(values) });
const X = tensor([2, 2], 1, 2, 3, 4);
const W = tensor([2, 2], 1, 0, 0, 1);
const BIAS = tensor([2], 10, 20);
const INPUTS: Tensors = { x: X, w: W, bias: BIAS };
const SUM = [11, 22, 13, 24];

function shared({ shape, data }: Tensor): Tensor {
  const own = new Float32Array(new SharedArrayBuffer(data.length * 4));
  own.set(data);
  return { shape, data: own };
}

/** Whether it throws at once or later is the runtime's affair. */
async function call(bound: () => Promise<void> | null): Promise<void> {
  const running = bound();
  if (running !== null) await running;
}

describe.each(RUNTIMES)("%s", (name) => {
  const open = async (): Promise<Session> => (await loadRuntime(name)).open(MODEL);

  it("opens no bytes that are no model, nor a part of one, and opens a model after them", async () => {
    const runtime = await loadRuntime(name);
    await expect(runtime.open(Uint8Array.of(1, 2, 3, 4))).rejects.toThrow(/protobuf parsing failed/);
    await expect(runtime.open(new Uint8Array(0))).rejects.toThrow(/Model data pointer is null|No graph was found/);
    await expect(runtime.open(MODEL.subarray(0, MODEL.length - 7))).rejects.toThrow(/protobuf parsing failed/);
    // Bytes that lie within others are the model alone.
    const around = new Uint8Array(MODEL.length + 20).fill(255);
    around.set(MODEL, 10);
    const session = await runtime.open(around.subarray(10, 10 + MODEL.length));
    expect([...((await session.run(INPUTS)).sum ?? [])]).toEqual(SUM);
    await session.release();
  });

  it("answers every output in buffers of its own, from views and shared memory too", async () => {
    const session = await open();
    const first = await session.run(INPUTS);
    expect(first).toEqual({ sum: Float32Array.from(SUM), negative: Float32Array.of(-1, -2, -3, -4) });
    const view = { shape: [2, 2], data: Float32Array.of(9, 0, 0, 0, 0, 9).subarray(1, 5) };
    expect((await session.run({ ...INPUTS, x: view })).sum).toEqual(Float32Array.of(10, 20, 10, 20));
    expect((await session.run({ ...INPUTS, x: shared(X) })).sum).toEqual(Float32Array.from(SUM));
    expect(first.sum).toEqual(Float32Array.from(SUM));
    await session.release();
  });

  it("names an input that is missing or unknown: a kernel would take a missing bias for none, and add nothing", async () => {
    const session = await open();
    const outputs = { sum: tensor([2, 2], 7, 7, 7, 7) };
    await expect(session.run({ x: X, w: W })).rejects.toThrow("the input bias is missing");
    expect(() => session.bind({ x: X, w: W }, outputs)).toThrow("the input bias is missing");
    await expect(session.run({ ...INPUTS, biass: BIAS })).rejects.toThrow("the graph has no input biass");
    expect(() => session.bind({ ...INPUTS, biass: BIAS }, outputs)).toThrow("the graph has no input biass");
    expect(() => session.bind(INPUTS, { ...outputs, total: BIAS })).toThrow("the graph has no output total");
    expect(() => session.bind(INPUTS, {})).toThrow("no output is asked for");
    expect([...outputs.sum.data]).toEqual([7, 7, 7, 7]);
    await session.release();
  });

  it.each([
    ["fewer axes", tensor([4], 1, 2, 3, 4), /Invalid rank for input: x/],
    ["another size", tensor([1, 2], 1, 2), /Got invalid dimensions for input: x/],
    ["fewer numbers than its shape says", { shape: [2, 2], data: Float32Array.of(1, 2) }, /size\(4\) does not match data length\(2\)/],
    ["doubles", { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) }, /Unexpected input data type/],
  ] as const)("refuses an input of %s, and answers the next call", async (_, x, reason) => {
    const session = await open();
    await expect(session.run({ ...INPUTS, x })).rejects.toThrow(reason);
    const sum = tensor([2, 2], 7, 7, 7, 7);
    await expect((async () => call(session.bind({ ...INPUTS, x }, { sum })))()).rejects.toThrow(reason);
    expect([...sum.data]).toEqual([7, 7, 7, 7]);
    expect([...((await session.run(INPUTS)).sum ?? [])]).toEqual(SUM);
    await session.release();
  });

  it.each([
    ["fewer axes", tensor([4], 7, 7, 7, 7)],
    ["fewer numbers", tensor([1, 2], 7, 7)],
    ["more numbers", tensor([3, 2], 7, 7, 7, 7, 7, 7)],
    ["doubles", { shape: [2, 2], data: Float64Array.of(7, 7, 7, 7) }],
  ] as const)("writes into no output of %s, and answers the next call", async (_, sum) => {
    const session = await open();
    const kept = [...sum.data];
    await expect((async () => call(session.bind(INPUTS, { sum })))()).rejects.toThrow(/output/);
    expect([...sum.data]).toEqual(kept);
    const right = tensor([2, 2], 7, 7, 7, 7);
    await call(session.bind(INPUTS, { sum: right }));
    expect([...right.data]).toEqual(SUM);
    await session.release();
  });

  it("reads and writes bound memory at each call, shared or not, another call's failure in between", async () => {
    const session = await open();
    for (const place of [shared, ({ shape, data }: Tensor): Tensor => ({ shape, data: data.slice() })]) {
      const inputs = { x: place(X), w: place(W), bias: place(BIAS) };
      const sum = place(tensor([2, 2], 7, 7, 7, 7));
      const bound = session.bind(inputs, { sum });
      // Nothing is computed before it is called.
      expect([...sum.data]).toEqual([7, 7, 7, 7]);
      await call(bound);
      expect([...sum.data]).toEqual(SUM);
      await expect(session.run({ ...INPUTS, x: tensor([4], 1, 2, 3, 4) })).rejects.toThrow(/Invalid rank/);
      inputs.x.data[0] = 100;
      inputs.bias.data[1] = 0;
      expect([...sum.data]).toEqual(SUM);
      await call(bound);
      expect([...sum.data]).toEqual([110, 2, 13, 4]);
    }
    await session.release();
  });

  it("fails calls after a release, leaves their outputs, and other sessions go on", async () => {
    const [released, other] = [await open(), await open()];
    const sum = tensor([2, 2], 7, 7, 7, 7);
    const bound = released.bind(INPUTS, { sum });
    await released.release();
    const gone = /already disposed|invalid session id/;
    await expect((async () => call(bound))()).rejects.toThrow(gone);
    await expect(released.run(INPUTS)).rejects.toThrow(gone);
    await expect(released.release()).rejects.toThrow(gone);
    expect([...sum.data]).toEqual([7, 7, 7, 7]);
    expect([...((await other.run(INPUTS)).sum ?? [])]).toEqual(SUM);
    await other.release();
  });
});
