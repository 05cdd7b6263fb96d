/** One line of JSON to the Worker's log. */

export function logFault(what: string, error: unknown): void {
  console.error(JSON.stringify({ level: "error", what, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }));
}
