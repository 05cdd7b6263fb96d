/** Why a worker thread ended, in words for whoever started it. Worker threads load .ts files themselves, whatever loaded those of the first thread. */

import { CommandError } from "./command-error.ts";

export function explainWorkerFailure(error: unknown): Error {
  if (typeof error !== "object" || error === null) return new Error(String(error));
  if ("code" in error && error.code === "ERR_UNKNOWN_FILE_EXTENSION") {
    const reason = `worker threads need Node 22.18 or newer, and this is ${process.version}: start it with npx edgebook, or take one thread`;
    return new CommandError(reason, { cause: error });
  }
  if (error instanceof Error) return error;
  // What comes from another thread may have lost its kind.
  return new Error("message" in error ? String(error.message) : JSON.stringify(error));
}
