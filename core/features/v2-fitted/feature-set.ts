/**
 * Feature set v2-fitted: v2 and the columns whose weights come from data, by a fit that is given. There is one set for each fit, and its fingerprint covers the fit: a model trained on one knows
 * rows of another by it. No set of these is in the registry, since a fit belongs to a dataset; so no feed computes one, and no instance serves a model of one.
 */

import { createIntegratedFlow } from "../columns/integrated-flow.ts";
import { createMicroPriceDeviation } from "../columns/micro-price-deviation.ts";
import { createTimesVolatility } from "../columns/times-volatility.ts";
import type { FeatureSet } from "../contract.ts";
import { defineFeatureSet } from "../define.ts";
import { type FeatureFit, hashOfFit } from "../fitted/fit-features.ts";
import { createV2Features } from "../v2/feature-set.ts";

export const V2_FITTED = "v2-fitted";
const REVISION = 1;
/** v2's. */
const FLOW_WINDOWS_SECONDS: readonly number[] = [1, 5, 10, 30];
/** As v2 has it of its own that push a price. */
const PUSHES: readonly string[] = ["micro_price_deviation_bps", "ofi_integrated_1s", "ofi_integrated_5s", "ofi_integrated_10s"];

export function featureSetV2Fitted(fit: FeatureFit): FeatureSet {
  const create = () => {
    const features = [
      ...createV2Features(),
      createMicroPriceDeviation(fit),
      createIntegratedFlow(fit.integratedFlow, FLOW_WINDOWS_SECONDS),
    ];
    return [...features, createTimesVolatility(features, PUSHES)];
  };
  return defineFeatureSet(V2_FITTED, REVISION, create, { fit: hashOfFit(fit) });
}
