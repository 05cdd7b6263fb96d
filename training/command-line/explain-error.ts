/** What the command line says of an error: in words where a person can act on it, and nothing where it is a bug, which shows its stack. */

import { ArchiveError } from "../../archive/archive-error.ts";
import { CommandError } from "../command-error.ts";

/** The system's errors that are told by what to do; others are told as they are. */
const REMEDIES: ReadonlyMap<unknown, string> = new Map([
  ["ENOSPC", "the disk is full: make room and give the command again"],
  ["EDQUOT", "the disk's quota is used up: make room and give the command again"],
  ["EROFS", "nothing can be written there: name another folder"],
  ["EACCES", "no permission: name another file or folder, or change who may write there"],
  ["ENOTDIR", "a file lies where a folder is wanted: name another folder"],
]);

/** What D1 says, here, where another process has its file open: the running instance, or another command. */
const BUSY = /SQLITE_BUSY|database is locked|Failed to get session commit token/;

/** @returns null for a bug. */
export function explain(error: unknown): string | null {
  if (error instanceof CommandError || error instanceof ArchiveError) return error.message;
  if (error instanceof Error && BUSY.test(error.message))
    return "the instance's database was busy with something else: look at `edgebook models list` whether it was done, and if not give the command again";
  if (!(error instanceof Error && "syscall" in error)) return null;
  const remedy = "code" in error ? REMEDIES.get(error.code) : undefined;
  return remedy === undefined ? error.message : `${remedy} (${error.message})`;
}
