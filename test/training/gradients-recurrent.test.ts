/** Recurrent layers: a wrong coefficient of one gate still learns, a little worse, and nobody would know why. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GraphBuilder, type Value } from "../../training/tensors/graph-builder.ts";
import { bidirectional } from "../../training/tensors/operators/bidirectional.ts";
import { gru } from "../../training/tensors/operators/gru.ts";
import { lstm } from "../../training/tensors/operators/lstm.ts";
import type { Direction, HiddenStates } from "../../training/tensors/operators/recurrent.ts";
import { ShapeError } from "../../training/tensors/shape.ts";
import { checkRules } from "./gradient-check.ts";

const small = fc.integer({ min: 1, max: 3 });
const sizes = fc.record({ steps: small, batch: small, inputs: small, hidden: small });
type Sizes = { steps: number; batch: number; inputs: number; hidden: number };

const lstmShapes = ({ inputs, hidden }: Sizes) => [[inputs, 4 * hidden], [hidden, 4 * hidden], [4 * hidden]];
const gruShapes = ({ inputs, hidden }: Sizes) => [[inputs, 3 * hidden], [hidden, 3 * hidden], [3 * hidden], [hidden]];
const input = ({ steps, batch, inputs }: Sizes) => [steps, batch, inputs];

function lstmOf(parameters: Value[]) {
  const [weights, recurrence, bias] = parameters as [Value, Value, Value];
  return { weights, recurrence, bias };
}

function gruOf(parameters: Value[]) {
  const [weights, recurrence, bias, candidateBias] = parameters as [Value, Value, Value, Value];
  return { weights, recurrence, bias, candidateBias };
}

const ways: [Direction, HiddenStates][] = [
  ["forward", "last"],
  ["forward", "all"],
  ["reverse", "last"],
  ["reverse", "all"],
];

describe("gradient rules agree with central differences, and the fused nodes answer the same", () => {
  it.each(ways)("lstm, %s, %s", (direction, states) =>
    checkRules(sizes, (drawn) => ({
      shapes: [input(drawn), ...lstmShapes(drawn)],
      build: (graph, [x, ...layer]) => lstm(graph, x as Value, lstmOf(layer), { direction, states }),
    })),
  );

  it.each(ways)("gru, %s, %s", (direction, states) =>
    checkRules(sizes, (drawn) => ({
      shapes: [input(drawn), ...gruShapes(drawn)],
      build: (graph, [x, ...layer]) => gru(graph, x as Value, gruOf(layer), { direction, states }),
    })),
  );

  it.each<HiddenStates>(["last", "all"])("both directions of an lstm, %s", (states) =>
    checkRules(
      sizes,
      (drawn) => ({
        shapes: [input(drawn), ...lstmShapes(drawn), ...lstmShapes(drawn)],
        build: (graph, [x, ...layers]) =>
          bidirectional(graph, (direction) => {
            const layer = lstmOf(direction === "forward" ? layers.slice(0, 3) : layers.slice(3));
            return lstm(graph, x as Value, layer, { direction, states });
          }),
      }),
      6,
    ),
  );

  it("two layers, one reading all states of the other", () =>
    checkRules(
      sizes,
      (drawn) => ({
        shapes: [input(drawn), ...lstmShapes(drawn), ...gruShapes({ ...drawn, inputs: drawn.hidden })],
        build: (graph, [x, ...layers]) => {
          const states = lstm(graph, x as Value, lstmOf(layers.slice(0, 3)), { direction: "forward", states: "all" });
          return gru(graph, states, gruOf(layers.slice(3)), { direction: "forward", states: "last" });
        },
      }),
      6,
    ));
});

describe("weights that don't fit are refused while building, with the layer's name", () => {
  const build = (weights: number[], recurrence: number[]) => () => {
    const graph = new GraphBuilder();
    const layer = { weights: graph.input("w", weights), recurrence: graph.input("r", recurrence), bias: graph.input("b", [8]) };
    return graph.scope("encoder", () => lstm(graph, graph.input("x", [3, 5, 4]), layer, { direction: "forward", states: "last" }));
  };

  it("weights of another input", () => {
    expect(build([5, 8], [2, 8])).toThrow(ShapeError);
    expect(build([5, 8], [2, 8])).toThrow("encoder: weights of [5, 8] where [4, 8] is wanted");
  });

  it("a recurrence that lacks a gate", () => {
    expect(build([4, 8], [2, 6])).toThrow("encoder: recurrence of [2, 6] where [2, 8] is wanted");
  });
});
