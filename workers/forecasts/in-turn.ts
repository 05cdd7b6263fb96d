/** As many as may be asked at once, each turn going on where the last one ended. Pure. */

export function inTurn<T>(all: readonly T[], { most, turn }: { readonly most: number; readonly turn: number }): T[] {
  if (all.length <= most) return [...all];
  const from = (turn * most) % all.length;
  return [...all.slice(from), ...all.slice(0, from)].slice(0, most);
}
