/** The two sides of a book, and the sign that lets code be written once for both. */

export type Side = "bid" | "ask";
/** Who crossed the spread: a taker that bought lifted the ask. */
export type TakerSide = "buy" | "sell";

/** +1 for bids, where a higher price is better; -1 for asks. */
export function sideSign(side: Side): 1 | -1 {
  return side === "bid" ? 1 : -1;
}

/** +1 for a buying taker, -1 for a selling one. */
export function takerSign(takerSide: TakerSide): 1 | -1 {
  return takerSide === "buy" ? 1 : -1;
}
