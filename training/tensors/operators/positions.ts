/** Sinusoidal positions (Vaswani et al. 2017, section 3.5), as a constant: what attention by itself can't tell, the order of steps. */

import { exponential, naturalLog } from "../../../core/math/elementary.ts";
import type { GraphBuilder, Value } from "../graph-builder.ts";

/** The longest wave is this times 2π steps. */
const LONGEST = 10_000;
/** Of the Taylor series within [0, 1], where the next is below a unit in the last place. */
const TERMS = 12;

/** [steps, width]: column 2i is sin(step / 10000^(2i / width)), column 2i + 1 its cosine. To be added to what enters the first layer. */
export function sinusoidalPositions(graph: GraphBuilder, steps: number, width: number): Value {
  const numbers = new Float64Array(steps * width);
  for (let column = 0; column < width; column += 2) {
    const turn = unitTurn(exponential((-column / width) * naturalLog(LONGEST)));
    // From step to step the angle grows by the same: (cos, sin) is turned on, which needs no sine of a large angle.
    let [cosine, sine] = [1, 0];
    for (let step = 0; step < steps; step++) {
      numbers[step * width + column] = sine;
      if (column + 1 < width) numbers[step * width + column + 1] = cosine;
      [cosine, sine] = [cosine * turn.cosine - sine * turn.sine, sine * turn.cosine + cosine * turn.sine];
    }
  }
  return graph.constant(numbers, [steps, width]);
}

/** Cosine and sine of an angle in [0, 1], by four operations alone: the same bits on every machine. */
function unitTurn(angle: number): { cosine: number; sine: number } {
  const square = angle * angle;
  let [cosine, sine] = [1, 1];
  for (let term = TERMS; term > 0; term--) {
    cosine = 1 - (cosine * square) / ((2 * term - 1) * (2 * term));
    sine = 1 - (sine * square) / (2 * term * (2 * term + 1));
  }
  return { cosine, sine: angle * sine };
}
