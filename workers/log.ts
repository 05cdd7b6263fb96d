/** Log lines: one JSON object each, so that they can be searched by field. Stacks go here and nowhere else. */

type Context = Readonly<Record<string, string | number | boolean | null>>;

export function logEvent(event: string, context: Context): void {
  console.log(JSON.stringify({ level: "info", event, ...context }));
}

export function logWarning(event: string, context: Context): void {
  console.warn(JSON.stringify({ level: "warning", event, ...context }));
}

export function logError(event: string, error: unknown, context: Context): void {
  console.error(JSON.stringify({ level: "error", event, ...context, error: describe(error), stack: stackOf(error) }));
}

/** The message with those of its causes: what failed, and under it why. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${describe(error.cause)}`;
}

function stackOf(error: unknown): string | null {
  return error instanceof Error ? (error.stack ?? null) : null;
}
