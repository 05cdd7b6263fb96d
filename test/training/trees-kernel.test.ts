/** The kernel of boosted trees by itself: its build, its bins, its derivatives, its quantiles. */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seedOfChunk } from "../../training/trees/boosting.ts";
import { compileTreeKernel, openTreeKernel, type TreeKernel, takeSharedMemory } from "../../training/trees/kernel.ts";
import { scalesFor } from "../../training/trees/quanta.ts";
import { plainCuts, plainQuantile } from "./trees-reference.ts";

const ROOT = resolve(import.meta.dirname, "..", "..");
const FIRST = 65_536;

describe("the kernel of boosted trees", () => {
  it("is what its sources become, or nobody could read what runs", () => {
    const scratch = mkdtempSync(join(tmpdir(), "trees-kernel-"));
    const built = join(scratch, "trees.wasm");
    const asc = join(ROOT, "node_modules", "assemblyscript", "bin", "asc.js");
    const config = join(ROOT, "kernels", "trees", "asconfig.json");
    const { status, stderr } = spawnSync(process.execPath, [asc, "--config", config, "--outFile", built], { cwd: ROOT, encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    expect(Buffer.compare(readFileSync(built), readFileSync(join(ROOT, "kernels", "trees", "trees.wasm")))).toBe(0);
    rmSync(scratch, { recursive: true });
  });
});

describe("bins", () => {
  const memory = takeSharedMemory(4 * 65_536);
  const kernel = openTreeKernel(compileTreeKernel(), memory);
  const at = {
    sample: FIRST,
    sorted: FIRST + 8_192,
    spare: FIRST + 16_384,
    sizes: FIRST + 24_576,
    counts: FIRST + 32_768,
    cuts: FIRST + 65_536,
  };
  const bins = FIRST + 2 * 65_536;

  function cutsOf(values: readonly number[], maxBins: number): number[] {
    new Float32Array(memory.buffer, at.sample, values.length).set(values);
    const size = kernel.sortColumn(at.sample, values.length, 1, 0, at.sorted, at.spare, at.counts);
    const count = kernel.chooseCuts(at.sorted, size, maxBins, at.spare, at.sizes, at.cuts);
    return [...new Float32Array(memory.buffer, at.cuts, count)];
  }

  const value = fc.oneof(
    fc.float({ noDefaultInfinity: true, noNaN: true }),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(0, -0, 1.401298464324817e-45, -1.401298464324817e-45, Number.NaN),
  );

  it("are cut where the plain rule cuts them, or frequent values would share a bin", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 300 }), fc.integer({ min: 2, max: 255 }), (values, maxBins) => {
        expect(cutsOf(values, maxBins)).toEqual(plainCuts(values.map(Math.fround), maxBins));
      }),
    );
  });

  it("are cut where the plain rule cuts them in columns of which few values are many", () => {
    // Shares of the values that are 0, 1, and any.
    const frequent = fc.array(fc.oneof({ arbitrary: fc.constant(0), weight: 7 }, { arbitrary: fc.constant(1), weight: 2 }, value), {
      minLength: 100,
      maxLength: 300,
    });
    fc.assert(
      fc.property(frequent, fc.integer({ min: 2, max: 30 }), (values, maxBins) => {
        expect(cutsOf(values, maxBins)).toEqual(plainCuts(values.map(Math.fround), maxBins));
      }),
    );
  });

  it("are fewer in a column that is mostly zero, or chance would find a gain among its few rows", () => {
    // Of 1,000 values 50 are below zero and 50 above, all different, and a bin of 20 has a fair share of 53.
    const values = Array.from({ length: 1_000 }, (_, row) => (row % 10 === 3 ? row - 500 : 0));
    expect(cutsOf(values, 20)).toEqual([0, 1.5]);
    // All 20 where no value is frequent.
    const different = Array.from({ length: 1_000 }, (_, row) => row + 1);
    expect(cutsOf(different, 20)).toHaveLength(19);
  });

  it("ask what the exported ensemble asks, or a row would be served by another leaf than it was trained in", () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 300 }), fc.array(value, { maxLength: 50 }), (values, others) => {
        const cuts = cutsOf(values, 255);
        const asked = [...values, ...others, ...cuts].map(Math.fround);
        new Float32Array(memory.buffer, at.sample, asked.length).set(asked);
        kernel.fillBins(at.sample, asked.length, 1, at.cuts, 0, 4, 0, bins, 0, at.counts);
        const got = new Uint8Array(memory.buffer, bins, asked.length);
        asked.forEach((x, row) => {
          if (Number.isNaN(x)) expect(got[row]).toBe(255);
          else expect(cuts.map((cut) => x < cut)).toEqual(cuts.map((_, bin) => (got[row] as number) <= bin));
        });
      }),
    );
  });
});

describe("derivatives", () => {
  const memory = takeSharedMemory(4 * 65_536);
  const kernel = openTreeKernel(compileTreeKernel(), memory);
  const at = {
    answers: FIRST,
    targets: FIRST + 64,
    weights: FIRST + 128,
    gradients: FIRST + 192,
    hessians: FIRST + 256,
    sums: FIRST + 320,
  };
  const float32 = (address: number, length = 1) => new Float32Array(memory.buffer, address, length);

  type Loss = (kernel: TreeKernel) => TreeKernel["squaredError"];
  const losses: readonly (readonly [string, Loss, (p: number, y: number) => number, boolean])[] = [
    ["squared error", (k) => k.squaredError, (p, y) => (p - y) ** 2 / 2, false],
    ["absolute error", (k) => k.absoluteError, (p, y) => Math.abs(p - y), false],
    [
      "quantile",
      (k) =>
        (...rest) =>
          k.quantileError(0.8, ...rest),
      (p, y) => (y > p ? 0.8 * (y - p) : 0.2 * (p - y)),
      false,
    ],
    ["log-loss", (k) => k.logLoss, (p, y) => (y === 1 ? Math.log1p(Math.exp(-p)) : Math.log1p(Math.exp(p))), true],
  ];
  const loneLoss: Record<string, number> = { "squared error": 2 };

  it.each(losses)("of %s are those of central differences, or trees would fit something else", (name, loss, plain, isClass) => {
    fc.assert(
      fc.property(
        fc.double({ min: -6, max: 6, noNaN: true }),
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        (p, drawn, weight) => {
          const y = isClass ? Math.abs(drawn) % 2 : drawn + 0.123;
          const answer = Math.fround(p);
          fc.pre(Math.abs(answer - y) > 0.01);
          float32(at.answers)[0] = answer;
          float32(at.targets)[0] = y;
          float32(at.weights)[0] = weight;
          loss(kernel)(at.answers, at.targets, at.weights, 0, 1, at.gradients, at.hessians, at.sums);
          const target = Math.fround(y);
          const step = 1e-4;
          const slope = (plain(answer + step, target) - plain(answer - step, target)) / (2 * step);
          const curve = isClass
            ? (plain(answer + step, target) - 2 * plain(answer, target) + plain(answer - step, target)) / (step * step)
            : 1;
          expect(float32(at.gradients)[0]).toBeCloseTo(weight * slope, 4);
          expect(float32(at.hessians)[0]).toBeCloseTo(weight * curve, 4);
          const sums = new Float64Array(memory.buffer, at.sums, 3);
          expect(sums[0]).toBeCloseTo(Math.abs(weight * slope), 4);
          expect(sums[1]).toBeCloseTo(weight * curve, 4);
          expect(sums[2]).toBeCloseTo(weight * (loneLoss[name] ?? 1) * plain(answer, target), 4);
        },
      ),
    );
  });

  it("of the classes are those of central differences, or a class would grow at the others' cost", () => {
    const K = 3;
    const plain = (answers: readonly number[], label: number) =>
      Math.log(answers.reduce((sum, p) => sum + Math.exp(p), 0)) - (answers[label] as number);
    fc.assert(
      fc.property(fc.array(fc.double({ min: -6, max: 6, noNaN: true }), { minLength: K, maxLength: K }), fc.nat(K - 1), (drawn, label) => {
        const answers = drawn.map(Math.fround);
        answers.forEach((value, output) => {
          float32(at.answers + 16 * output)[0] = value;
        });
        float32(at.targets)[0] = label;
        const probabilities = FIRST + 1_024;
        kernel.softmax(at.answers, 16, K, at.targets, 0, 0, 1, probabilities, at.sums);
        expect(new Float64Array(memory.buffer, at.sums, 3)[2]).toBeCloseTo(plain(answers, label), 5);
        for (let output = 0; output < K; output++) {
          kernel.multiclass(output, K, probabilities + 16 * output, at.targets, 0, 0, 1, at.gradients, at.hessians, at.sums);
          const moved = (by: number) =>
            plain(
              answers.map((value, index) => (index === output ? value + by : value)),
              label,
            );
          expect(float32(at.gradients)[0]).toBeCloseTo((moved(1e-4) - moved(-1e-4)) / 2e-4, 4);
          expect(float32(at.hessians)[0]).toBeCloseTo((1.5 * (moved(1e-4) - 2 * moved(0) + moved(-1e-4))) / 1e-8, 4);
        }
      }),
    );
  });
});

describe("quantiles of a leaf's errors", () => {
  const memory = takeSharedMemory(4 * 65_536);
  const kernel = openTreeKernel(compileTreeKernel(), memory);
  const at = {
    rows: FIRST,
    targets: FIRST + 4_096,
    answers: FIRST + 8_192,
    weights: FIRST + 12_288,
    keys: FIRST + 16_384,
    sums: FIRST + 32_768,
  };

  it("are those of the sorted errors, or a leaf would answer another quantile", () => {
    const item = fc.record({
      value: fc.oneof(fc.float({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: -2, max: 2 })),
      weight: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(
        fc.array(item, { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.1, 0.25, 0.5, 0.9),
        fc.boolean(),
        (items, level, isWeighted) => {
          items.forEach(({ value, weight }, row) => {
            new Uint32Array(memory.buffer, at.rows, items.length)[items.length - 1 - row] = row;
            new Float32Array(memory.buffer, at.targets, items.length)[row] = value;
            new Float32Array(memory.buffer, at.answers, items.length)[row] = 0;
            new Float32Array(memory.buffer, at.weights, items.length)[row] = weight;
          });
          const weights = isWeighted ? at.weights : 0;
          const got = kernel.weightedQuantile(level, at.rows, items.length, at.targets, at.answers, weights, at.keys, at.sums);
          const plain = items.map(({ value, weight }) => ({ value: Math.fround(value), weight: isWeighted ? weight : 1 }));
          expect(got).toBeCloseTo(plainQuantile(plain, level), 10);
        },
      ),
    );
  });
});

describe("sampled rows", () => {
  const memory = takeSharedMemory(4 * 65_536);
  const kernel = openTreeKernel(compileTreeKernel(), memory);

  /** The rows of a chunk of 8192 that are drawn, half of them, by their place in it. */
  function drawn(seed: bigint, chunk: number): Set<number> {
    kernel.drawRows(0, 8_192, 4_096, seedOfChunk(seed, chunk), FIRST);
    return new Set(new Uint32Array(memory.buffer, FIRST, 4_096));
  }

  it("of one chunk say nothing of another's, a row earlier or later either, or far fewer draws than rows would be made", () => {
    for (const seed of [0n, 1n, 0x9e37_79b9_7f4a_7c15n, 2n ** 64n - 1n]) {
      for (const [one, other] of [
        [0, 1],
        [1, 2],
        [0, 2],
        [7, 1_000],
      ] as const) {
        const [first, second] = [drawn(seed, one), drawn(seed, other)];
        expect(first.size).toBe(4_096);
        for (const shift of [-2, -1, 0, 1, 2]) {
          const both = [...first].filter((row) => second.has(row + shift)).length;
          // Half of them by chance: 2,048 with a standard deviation of 22.6.
          expect(Math.abs(both - 2_048)).toBeLessThan(130);
        }
      }
    }
  });
});

describe("quanta", () => {
  const memory = takeSharedMemory(4 * 65_536);
  const kernel = openTreeKernel(compileTreeKernel(), memory);
  const at = { gradients: FIRST, hessians: FIRST + 8_192, quanta: FIRST + 16_384, sums: FIRST + 32_768 };

  function quantise(gradients: readonly number[], hessians: readonly number[] | null) {
    const rows = gradients.length;
    new Float32Array(memory.buffer, at.gradients, rows).set(gradients);
    if (hessians !== null) new Float32Array(memory.buffer, at.hessians, rows).set(hessians);
    const total = (values: readonly number[]) => values.reduce((sum, value) => sum + Math.abs(Math.fround(value)), 0);
    const hessian = hessians === null ? rows : total(hessians);
    const scales = scalesFor({ rows, gradient: total(gradients), hessian, hasHessians: hessians !== null });
    const { gradient: scale, hessianBits } = scales;
    const from = hessians === null ? 0 : at.hessians;
    kernel.quantise(at.gradients, from, 0, rows, scale, scales.hessian, BigInt(hessianBits), at.quanta, at.sums);
    const [gradientSum, hessianSum] = new Float64Array(memory.buffer, at.sums, 2);
    return { scales, quanta: [...new BigInt64Array(memory.buffer, at.quanta, rows)], gradientSum, hessianSum };
  }

  const size = fc.oneof(fc.float({ min: Math.fround(1e-6), max: Math.fround(1e6), noNaN: true }), fc.constantFrom(1, 1e-20, 1e20));

  it("never leave their bits, whatever the gradients, or a histogram would be another one", () => {
    const row = fc.record({ gradient: size, hessian: size, isNegative: fc.boolean() });
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 200 }), fc.boolean(), fc.boolean(), (rows, isOneSided, isCount) => {
        const gradients = rows.map(({ gradient, isNegative }) => (isOneSided || isNegative ? -gradient : gradient));
        const got = quantise(gradients, isCount ? null : rows.map(({ hessian }) => hessian));
        const bits = BigInt(got.scales.hessianBits);
        const sum = BigInt.asIntN(
          64,
          got.quanta.reduce((total, quantum) => total + quantum, 0n),
        );
        expect(Number(sum >> bits)).toBe(got.gradientSum);
        expect(Number(sum & ((1n << bits) - 1n))).toBe(got.hessianSum);
        const wanted = gradients.reduce((total, gradient) => total + Math.fround(gradient), 0) * got.scales.gradient;
        expect(Math.abs((got.gradientSum as number) - wanted)).toBeLessThanOrEqual(rows.length / 2 + Math.abs(wanted) * 1e-9);
      }),
    );
  });

  it("are 0 for gradients that are denormal on average: each may have been doubled by its rounding, and all would leave their bits", () => {
    const sums = { rows: 100, hessian: 100, hasHessians: true };
    expect(scalesFor({ ...sums, gradient: 100 * 2 ** -127 }).gradient).toBe(0);
    expect(scalesFor({ ...sums, gradient: 100 * 2 ** -125 }).gradient).toBeGreaterThan(0);
  });

  it("sum to what small hessians are, or rows that are told surely would weigh nothing together", () => {
    // One hessian of so much that all others are 0.3 of a quantum.
    const small = 0.3 / (2 ** 30 - 2 * 1_001);
    const { hessianSum, scales } = quantise(new Array(1_001).fill(1), [1, ...new Array<number>(1_000).fill(small)]);
    expect((hessianSum as number) - Math.round(scales.hessian)).toBeGreaterThan(290);
    expect((hessianSum as number) - Math.round(scales.hessian)).toBeLessThan(310);
  });
});
