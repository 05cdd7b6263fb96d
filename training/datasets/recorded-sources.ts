/** Everything that a dataset is made of and lies in files: what a venue sent (file-sources.ts), and imported events (imported-source.ts). */

import { CommandError } from "../command-error.ts";
import type { FeedSource } from "../replay/feed-source.ts";
import { type FileSourceOptions, fileSources, recordingsIn } from "./file-sources.ts";
import { type ImportedSource, importedSources, isImported } from "./imported-source.ts";

/** @param paths files, or folders of them. Throws CommandError when nothing usable is there, or a file's venue can't be told. */
export async function recordedSources(
  paths: readonly string[],
  options: FileSourceOptions,
): Promise<readonly (FeedSource | ImportedSource)[]> {
  const files: string[] = [];
  for (const path of paths) files.push(...(await recordingsIn(path)));
  const imported = files.filter(isImported);
  if (imported.length === 0) return fileSources(paths, options);
  if (options.grids !== undefined && options.grids.size > 0)
    throw new CommandError(`--grid is of what a venue sent: the grids of ${imported[0]} are those of its import, which takes --grid too`);
  const events = await importedSources(imported, options.market);
  const sent = files.filter((file) => !isImported(file));
  if (sent.length === 0 && events.length === 0) throw new CommandError(`${paths.join(", ")}: no imported events of ${options.market}`);
  // Of one market that is wanted: where an import has it, nobody else is asked.
  return sent.length === 0 || (options.market !== null && events.length > 0) ? events : [...(await fileSources(sent, options)), ...events];
}
