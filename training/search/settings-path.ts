/** Settings by their path, as run.json nests them: "learningRate", "optimiser.weightDecay". */

import { CommandError } from "../command-error.ts";
import type { Drawn, DrawnValue } from "./space.ts";

/** The settings with the drawn values in their places. Throws CommandError where there is no such setting, or one of another kind. */
export function withDrawn<Settings extends object>(settings: Settings, drawn: Drawn): Settings {
  return Object.entries(drawn).reduce((changed, [path, value]) => replaced(changed, path.split("."), { path, value }), settings);
}

/** What stands at these paths now. */
export function drawnFrom(settings: object, paths: readonly string[]): Drawn {
  return Object.fromEntries(paths.map((path) => [path, leafAt(settings, path)]));
}

function replaced<Settings extends object>(
  settings: Settings,
  [key = "", ...rest]: readonly string[],
  { path, value }: { path: string; value: DrawnValue },
): Settings {
  const own: unknown = Object.hasOwn(settings, key) ? settings[key as keyof Settings] : undefined;
  if (rest.length > 0 && typeof own === "object" && own !== null) return { ...settings, [key]: replaced(own, rest, { path, value }) };
  const isOfKind = rest.length === 0 && (own === null || typeof own === typeof value);
  if (!isOfKind)
    throw new CommandError(`there is no setting "${path}" that could be ${JSON.stringify(value)}: take names as a run's run.json has them`);
  return { ...settings, [key]: value };
}

function leafAt(settings: object, path: string): DrawnValue {
  const leaf = path
    .split(".")
    .reduce<unknown>((of, key) => (typeof of === "object" && of !== null ? Reflect.get(of, key) : undefined), settings);
  if (typeof leaf !== "number" && typeof leaf !== "string" && leaf !== null)
    throw new CommandError(`there is no setting "${path}" that is a number or a name: take names as a run's run.json has them`);
  return leaf;
}
