/**
 * How far to go along a direction: a step that fulfils the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 3.5 and 3.6), found by
 * cubic interpolation inside a bracket.
 *
 *   f(t) ≤ f(0) + c₁·t·f′(0)     |f′(t)| ≤ c₂·|f′(0)|
 *
 * Close to the minimum the first condition asks for differences below the rounding of f: it is then taken as fulfilled where f rises by no more
 * than that, and the slope alone decides (after Hager and Zhang 2005, "approximate Wolfe").
 */

/** One point on the line: step, value, slope along the direction. */
export interface LinePoint {
  readonly step: number;
  readonly value: number;
  readonly slope: number;
}

const SUFFICIENT_DECREASE = 1e-4;
/** Loose, as Nocedal and Wright advise for quasi-Newton directions. */
const CURVATURE = 0.9;
/** A bracket that halves this often is as narrow as a double tells. */
const MAX_EVALUATIONS = 50;
const GROWTH = 2;
/** Interpolation keeps this share of the bracket away from its ends, or it could creep along one of them. */
const SAFEGUARD = 0.1;
/** Of |f|: a sum of many terms is not surer than this. */
const ROUNDING = 1e-14;

/**
 * @param start at step 0, its slope below 0.
 * @param evaluate may answer a value that is not finite: such a step is too long.
 * @returns null when no such step was found.
 */
export function searchLine(start: LinePoint, firstStep: number, evaluate: (step: number) => LinePoint): LinePoint | null {
  let before = start;
  let step = firstStep;
  for (let evaluations = 1; evaluations <= MAX_EVALUATIONS; evaluations++) {
    const point = evaluate(step);
    if (!isLower(start, point) || (evaluations > 1 && point.value > before.value + roundingOf(start)))
      return zoom(start, { low: before, high: point }, { evaluate, evaluations });
    if (isFlat(start, point)) return point;
    if (point.slope >= 0) return zoom(start, { low: point, high: before }, { evaluate, evaluations });
    before = point;
    step *= GROWTH;
  }
  return null;
}

/** Narrows the bracket, whose low end is the lowest point known that decreases enough. */
function zoom(
  start: LinePoint,
  bracket: { low: LinePoint; high: LinePoint },
  { evaluate, evaluations }: { evaluate: (step: number) => LinePoint; evaluations: number },
): LinePoint | null {
  let { low, high } = bracket;
  for (let tried = evaluations; tried < MAX_EVALUATIONS && low.step !== high.step; tried++) {
    const point = evaluate(stepBetween(low, high));
    if (!isLower(start, point) || point.value > low.value + roundingOf(start)) {
      high = point;
      continue;
    }
    if (isFlat(start, point)) return point;
    if (point.slope * (high.step - low.step) >= 0) high = low;
    low = point;
  }
  // Not flat enough, yet lower: worth having.
  return low.step > 0 && low.value < start.value ? low : null;
}

function isLower(start: LinePoint, point: LinePoint): boolean {
  return point.value <= start.value + SUFFICIENT_DECREASE * point.step * start.slope + roundingOf(start);
}

function isFlat(start: LinePoint, point: LinePoint): boolean {
  return Math.abs(point.slope) <= CURVATURE * Math.abs(start.slope);
}

function roundingOf(start: LinePoint): number {
  return ROUNDING * Math.abs(start.value);
}

/** The minimum of the cubic through both ends (Nocedal and Wright, 3.59), kept inside; the middle where there is none. */
function stepBetween(one: LinePoint, other: LinePoint): number {
  const width = other.step - one.step;
  const middle = one.step + width / 2;
  const first = one.slope + other.slope - (3 * (one.value - other.value)) / (one.step - other.step);
  const second = Math.sign(width) * Math.sqrt(first * first - one.slope * other.slope);
  const cubic = other.step - (width * (other.slope + second - first)) / (other.slope - one.slope + 2 * second);
  if (!Number.isFinite(cubic)) return middle;
  const [least, most] = [one.step + SAFEGUARD * width, other.step - SAFEGUARD * width];
  return Math.min(Math.max(cubic, Math.min(least, most)), Math.max(least, most));
}
