/** Which code made a result: the commit of the checkout that this file lies in. */

import { execFileSync } from "node:child_process";
import { COMMIT_PATTERN } from "../models/manifest.ts";

/** Its hash, "-dirty" behind it where tracked files differ from it. Null where this is no checkout, or there is no git. */
export function currentCommit(): string | null {
  const head = git("rev-parse", "HEAD");
  if (head === null) return null;
  const changes = git("status", "--porcelain", "--untracked-files=no");
  const commit = changes === "" ? head : `${head}-dirty`;
  return COMMIT_PATTERN.test(commit) ? commit : null;
}

function git(...args: string[]): string | null {
  try {
    return execFileSync("git", args, { cwd: import.meta.dirname, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return null;
  }
}
