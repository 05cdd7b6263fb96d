/**
 * First and second derivatives of the losses by the ensemble's answer, for rows [from, to), with their sums: what the scales and the curve need.
 *
 * `sums` are three float64: of the gradients' absolute values, of the hessians, of the losses; all times the rows' weights. Weights at 0 are all 1.
 * Where weights are all 1, losses whose hessian is 1 write none (`hessians` is 0).
 */

/** Of a row that weighs 1: times its weight, so that weights may be in any unit. */
const TINY: f64 = 1e-16;

// @ts-ignore: decorator
@inline
function weightAt(weights: usize, row: usize): f64 {
  return weights === 0 ? 1 : f64(load<f32>(weights + (row << 2)));
}

// @ts-ignore: decorator
@inline
function put(gradients: usize, hessians: usize, row: usize, gradient: f64, hessian: f64): void {
  store<f32>(gradients + (row << 2), f32(gradient));
  if (hessians !== 0) store<f32>(hessians + (row << 2), f32(hessian));
}

// @ts-ignore: decorator
@inline
function putSums(sums: usize, gradient: f64, hessian: f64, loss: f64): void {
  store<f64>(sums, gradient);
  store<f64>(sums, hessian, 8);
  store<f64>(sums, loss, 16);
}

/** (p - y)²: the gradient is that of half of it, so that the hessian is 1. */
export function squaredError(answers: usize, targets: usize, weights: usize, from: i32, to: i32, gradients: usize, hessians: usize, sums: usize): void {
  let gradientSum: f64 = 0;
  let hessianSum: f64 = 0;
  let lossSum: f64 = 0;
  for (let row = usize(from); row < usize(to); row++) {
    const error = f64(load<f32>(answers + (row << 2))) - f64(load<f32>(targets + (row << 2)));
    const weight = weightAt(weights, row);
    put(gradients, hessians, row, weight * error, weight);
    gradientSum += weight * abs(error);
    hessianSum += weight;
    lossSum += weight * error * error;
  }
  putSums(sums, gradientSum, hessianSum, lossSum);
}

/** |p - y|. */
export function absoluteError(answers: usize, targets: usize, weights: usize, from: i32, to: i32, gradients: usize, hessians: usize, sums: usize): void {
  let gradientSum: f64 = 0;
  let hessianSum: f64 = 0;
  let lossSum: f64 = 0;
  for (let row = usize(from); row < usize(to); row++) {
    const error = f64(load<f32>(answers + (row << 2))) - f64(load<f32>(targets + (row << 2)));
    const weight = weightAt(weights, row);
    const gradient = error > 0 ? weight : error < 0 ? -weight : 0;
    put(gradients, hessians, row, gradient, weight);
    gradientSum += abs(gradient);
    hessianSum += weight;
    lossSum += weight * abs(error);
  }
  putSums(sums, gradientSum, hessianSum, lossSum);
}

/** The pinball loss (R. Koenker, G. Bassett, "Regression quantiles", 1978): level (y - p) where y is above, (1 - level)(p - y) where it isn't. */
export function quantileError(
  level: f64,
  answers: usize,
  targets: usize,
  weights: usize,
  from: i32,
  to: i32,
  gradients: usize,
  hessians: usize,
  sums: usize,
): void {
  let gradientSum: f64 = 0;
  let hessianSum: f64 = 0;
  let lossSum: f64 = 0;
  for (let row = usize(from); row < usize(to); row++) {
    const error = f64(load<f32>(answers + (row << 2))) - f64(load<f32>(targets + (row << 2)));
    const weight = weightAt(weights, row);
    const slope = error < 0 ? -level : 1 - level;
    put(gradients, hessians, row, weight * slope, weight);
    gradientSum += weight * abs(slope);
    hessianSum += weight;
    lossSum += weight * slope * error;
  }
  putSums(sums, gradientSum, hessianSum, lossSum);
}

/** log(1 + exp(-p)) of a row that is 1, log(1 + exp(p)) of one that is 0. */
export function logLoss(answers: usize, targets: usize, weights: usize, from: i32, to: i32, gradients: usize, hessians: usize, sums: usize): void {
  let gradientSum: f64 = 0;
  let hessianSum: f64 = 0;
  let lossSum: f64 = 0;
  for (let row = usize(from); row < usize(to); row++) {
    const answer = f64(load<f32>(answers + (row << 2)));
    const isOne = load<f32>(targets + (row << 2)) > 0.5;
    const weight = weightAt(weights, row);
    const small = Math.exp(-abs(answer));
    const share = 1 / (1 + small);
    const probability = answer >= 0 ? share : small * share;
    const gradient = weight * (isOne ? (answer >= 0 ? -small * share : -share) : probability);
    const hessian = weight * max(small * share * share, TINY);
    put(gradients, hessians, row, gradient, hessian);
    gradientSum += abs(gradient);
    hessianSum += hessian;
    lossSum += weight * (Math.log1p(small) + (isOne ? max(-answer, 0) : max(answer, 0)));
  }
  putSums(sums, gradientSum, hessianSum, lossSum);
}

/**
 * Each class's probability from the answers, [classes] of `classBytes` each, and the loss: -log of the true class's.
 * @param probabilities laid out as the answers; 0: not wanted. @param sums the third is written.
 */
export function softmax(
  answers: usize,
  classBytes: usize,
  classes: i32,
  targets: usize,
  weights: usize,
  from: i32,
  to: i32,
  probabilities: usize,
  sums: usize,
): void {
  let lossSum: f64 = 0;
  for (let row = usize(from); row < usize(to); row++) {
    const first = answers + (row << 2);
    const end = first + usize(classes) * classBytes;
    let most = load<f32>(first);
    for (let at = first + classBytes; at < end; at += classBytes) most = max(most, load<f32>(at));
    let total: f64 = 0;
    for (let at = first; at < end; at += classBytes) total += Math.exp(f64(load<f32>(at)) - f64(most));
    const truth = usize(load<f32>(targets + (row << 2)));
    lossSum += weightAt(weights, row) * (Math.log(total) + f64(most) - f64(load<f32>(first + truth * classBytes)));
    if (probabilities === 0) continue;
    const factor = 1 / total;
    let to = probabilities + (row << 2);
    for (let at = first; at < end; at += classBytes, to += classBytes) store<f32>(to, f32(Math.exp(f64(load<f32>(at)) - f64(most)) * factor));
  }
  store<f64>(sums, lossSum, 16);
}

/**
 * Of one class. The hessian is p (1 - p) K / (K - 1): the softmax's K answers have K - 1 degrees of freedom, and each class steps by itself
 * (J. Friedman, "Greedy function approximation", 2001, algorithm 6).
 */
export function multiclass(
  label: i32,
  classes: i32,
  probabilities: usize,
  targets: usize,
  weights: usize,
  from: i32,
  to: i32,
  gradients: usize,
  hessians: usize,
  sums: usize,
): void {
  let gradientSum: f64 = 0;
  let hessianSum: f64 = 0;
  const factor = f64(classes) / f64(classes - 1);
  for (let row = usize(from); row < usize(to); row++) {
    const probability = f64(load<f32>(probabilities + (row << 2)));
    const weight = weightAt(weights, row);
    const gradient = weight * (i32(load<f32>(targets + (row << 2))) === label ? probability - 1 : probability);
    const hessian = weight * max(factor * probability * (1 - probability), TINY);
    put(gradients, hessians, row, gradient, hessian);
    gradientSum += abs(gradient);
    hessianSum += hessian;
  }
  store<f64>(sums, gradientSum);
  store<f64>(sums, hessianSum, 8);
}
