/** The files that a person has named: folders are looked into, order is by name, and the sizes are for the progress bar. */

import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ArchiveError } from "./archive-error.ts";

/** More files than this were hardly meant: three markets' minutes of a year. */
const MAX_FILES = 2_000_000;

export interface InputFile {
  readonly path: string;
  readonly bytes: number;
}

/** @param isWanted by the file's name; files named one by one are taken whatever their name. */
export async function inputFiles(paths: readonly string[], isWanted: (name: string) => boolean = () => true): Promise<InputFile[]> {
  const files: InputFile[] = [];
  for (const path of paths) {
    const found = await stat(path).catch(() => null);
    if (found === null) throw new ArchiveError(`there is no file or folder ${path}`);
    if (!found.isDirectory()) {
      files.push({ path, bytes: found.size });
      continue;
    }
    const entries = await readdir(path, { recursive: true, withFileTypes: true });
    const inside = entries.filter((entry) => entry.isFile() && isWanted(entry.name)).map((entry) => join(entry.parentPath, entry.name));
    for (const file of inside.sort()) files.push({ path: file, bytes: (await stat(file)).size });
    if (files.length > MAX_FILES) throw new ArchiveError(`${path} holds more than ${MAX_FILES} files: name a part of it`);
  }
  if (files.length === 0) throw new ArchiveError(`${paths.join(", ")}: no file of this format in there`);
  return files;
}
