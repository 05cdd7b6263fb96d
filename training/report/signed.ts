/** Numbers of either sign as tables show them: with a minus that is as wide as a plus, so that columns line up. */
export function signed(value: number, digits = 4): string {
  return `${value < 0 ? "−" : ""}${Math.abs(value).toFixed(digits)}`;
}
