/** The minimiser of the logistic line: known minima, and the conditions that its steps must keep. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { minimise, type Objective } from "../../training/linear/lbfgs.ts";
import { type LinePoint, searchLine } from "../../training/linear/line-search.ts";

const OPTIONS = { gradientTolerance: 1e-9, maxIterations: 500 };

/** Rosenbrock 1960: a bent valley, its floor at (1, 1). */
const ROSENBROCK: Objective = {
  evaluate(at, gradient) {
    const [x, y] = [at[0] ?? 0, at[1] ?? 0];
    gradient[0] = -2 * (1 - x) - 400 * x * (y - x * x);
    gradient[1] = 200 * (y - x * x);
    return (1 - x) * (1 - x) + 100 * (y - x * x) * (y - x * x);
  },
};

/** ½·Σ c·(x - m)². */
function bowl(curvatures: readonly number[], middle: readonly number[]): Objective {
  return {
    evaluate(at, gradient) {
      let value = 0;
      for (const [index, curvature] of curvatures.entries()) {
        const off = (at[index] ?? 0) - (middle[index] ?? 0);
        gradient[index] = curvature * off;
        value += 0.5 * curvature * off * off;
      }
      return value;
    },
  };
}

describe("the minimiser", () => {
  it("finds the floor of a bent valley", () => {
    const found = minimise(ROSENBROCK, Float64Array.of(-1.2, 1), OPTIONS);
    expect(found.outcome).toBe("converged");
    expect([...found.at]).toEqual([expect.closeTo(1, 8), expect.closeTo(1, 8)]);
    // Nocedal and Wright's own runs take some forty; far more would mean that its memory of the curvature is wrong.
    expect(found.iterations).toBeLessThan(60);
  });

  it("finds the middle of any bowl, however unlike its axes", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ curvature: fc.constantFrom(1e-3, 0.1, 1, 30, 1e4), middle: fc.double({ min: -10, max: 10, noNaN: true }) }), {
          minLength: 1,
          maxLength: 6,
        }),
        (axes) => {
          const curvatures = axes.map((axis) => axis.curvature);
          const middle = axes.map((axis) => axis.middle);
          const found = minimise(bowl(curvatures, middle), new Float64Array(axes.length), { ...OPTIONS, gradientTolerance: 1e-8 });
          for (const [index, curvature] of curvatures.entries())
            expect(Math.abs(curvature * ((found.at[index] ?? 0) - (middle[index] ?? 0)))).toBeLessThan(1e-8);
        },
      ),
    );
  });

  it("needs one step where it is given the inverse Hessian: what it is given must be used", () => {
    const curvatures = [1e-2, 1, 1e4];
    const precondition = (gradient: Float64Array): Float64Array => gradient.map((value, index) => value / (curvatures[index] ?? 1));
    const found = minimise(bowl(curvatures, [3, -2, 1]), new Float64Array(3), { ...OPTIONS, precondition });
    expect(found).toMatchObject({ outcome: "converged", iterations: 1, evaluations: 2 });
    expect(minimise(bowl(curvatures, [3, -2, 1]), new Float64Array(3), OPTIONS).iterations).toBeGreaterThan(3);
  });

  it("comes back from where the value is infinite: a step too long is no end", () => {
    // x - ln x, with its minimum at 1, and nothing below 0.
    const walled: Objective = {
      evaluate(at, gradient) {
        const x = at[0] ?? 0;
        gradient[0] = 1 - 1 / x;
        return x > 0 ? x - Math.log(x) : Number.POSITIVE_INFINITY;
      },
    };
    const found = minimise(walled, Float64Array.of(0.01), { ...OPTIONS, precondition: (gradient) => gradient.map((value) => 10 * value) });
    expect(found.at[0]).toBeCloseTo(1, 7);
  });

  it("stops at its limit, and says so", () => {
    expect(minimise(ROSENBROCK, Float64Array.of(-1.2, 1), { ...OPTIONS, maxIterations: 3 })).toMatchObject({
      outcome: "iteration-limit",
      iterations: 3,
    });
  });

  it("stays where it stands when the start is the minimum, and refuses a start that has no value", () => {
    expect(minimise(bowl([1], [2]), Float64Array.of(2), OPTIONS)).toMatchObject({ outcome: "converged", iterations: 0, evaluations: 1 });
    expect(() => minimise({ evaluate: () => Number.NaN }, Float64Array.of(2), OPTIONS)).toThrow("a search that starts at the value NaN");
  });

  it("ends where float64 tells no more, though a tolerance of nothing is asked for", () => {
    const found = minimise(ROSENBROCK, Float64Array.of(-1.2, 1), { gradientTolerance: 0, maxIterations: 10_000 });
    expect(found.iterations).toBeLessThan(200);
    expect([...found.at]).toEqual([expect.closeTo(1, 6), expect.closeTo(1, 6)]);
  });
});

describe("a line search", () => {
  it("ends at a step that goes down enough and where the slope has lost a tenth: else the curvature learnt from it may be negative", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.05, max: 20, noNaN: true }),
        fc.double({ min: 0, max: 3, noNaN: true }),
        fc.double({ min: 0.5, max: 6, noNaN: true }),
        fc.constantFrom(1e-4, 0.1, 1, 10, 1e3),
        (middle, height, waves, first) => {
          // A bowl about `middle` with waves on it: several minima, slopes of both signs.
          const at = (step: number): LinePoint => ({
            step,
            value: (step - middle) * (step - middle) + height * Math.sin(waves * step),
            slope: 2 * (step - middle) + height * waves * Math.cos(waves * step),
          });
          const start = at(0);
          if (start.slope >= -1e-6) return;
          const found = searchLine(start, first, at);
          expect(found).not.toBeNull();
          if (found === null) return;
          expect(found.value).toBeLessThanOrEqual(start.value + 1e-4 * found.step * start.slope + 1e-12 * Math.abs(start.value));
          expect(Math.abs(found.slope)).toBeLessThanOrEqual(0.9 * Math.abs(start.slope));
        },
      ),
    );
  });

  it("goes to the bottom of a parabola at its second look, by the cubic through what it knows: halving would cost a pass each time", () => {
    const looks: number[] = [];
    searchLine({ step: 0, value: 9, slope: -6 }, 8, (step) => {
      looks.push(step);
      return { step, value: (step - 3) * (step - 3), slope: 2 * (step - 3) };
    });
    expect(looks).toEqual([8, expect.closeTo(3, 12)]);
  });

  it("gives up on a line that falls for ever, within its bound", () => {
    let evaluations = 0;
    const found = searchLine({ step: 0, value: 0, slope: -1 }, 1, (step) => {
      evaluations++;
      return { step, value: -step, slope: -1 };
    });
    expect(found).toBeNull();
    expect(evaluations).toBeLessThanOrEqual(50);
  });
});
