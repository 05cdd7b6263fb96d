/** Which parts models play in an instance: words that its Workers and the commands share. */

/** `forecast`: where prices go. `signal`: which way, for buy, sell and wait. */
export type ModelSlot = "forecast" | "signal";
export const MODEL_SLOTS: readonly ModelSlot[] = ["forecast", "signal"];

/** Of a slot and a market one model is active and answers; shadows are asked too, and answer nobody. */
export type ModelRole = "active" | "shadow";

/** In a role: of every market that has none of its own. */
export const EVERY_MARKET = "*";

/** `models.key` of the model that ships with the inference Worker: it has no row there. */
export const SHIPPED_KEY = 0;

/** Shadows that are asked beside the active model of a slot and a market: each costs as much as the model that answers. */
export const MAX_SHADOWS = 4;
