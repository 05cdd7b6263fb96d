/** `edgebook publish`: an exported model into the bucket, and the pointer to it. */

import { Command, Option } from "commander";
import { CommandError } from "../command-error.ts";
import { publishModel } from "../publish/publish-model.ts";
import { jsonOption } from "./options.ts";
import { print, printJson } from "./report.ts";

interface PublishOptions {
  readonly dir: string;
  readonly local?: string;
  readonly remote?: boolean;
  readonly unlessOther: boolean;
  readonly json: boolean;
}

export function publishCommand(): Command {
  return new Command("publish")
    .description("Puts an exported model into R2 and makes it the active one.")
    .requiredOption("--dir <dir>", "folder made by `edgebook export-model`")
    .option("--local <dir>", "the local bucket of `wrangler dev --persist-to <dir>` (npm start keeps its data in .edgebook)")
    .addOption(new Option("--remote", "the account's own bucket, through wrangler").conflicts("local"))
    .option("--unless-other", "leave the bucket as it is where a model of another id is active", false)
    .addOption(jsonOption())
    .action(runPublish);
}

async function runPublish(options: PublishOptions): Promise<void> {
  if (options.local === undefined && options.remote !== true)
    throw new CommandError("say where to: --local DIR, or --remote for the account's own bucket");
  const { unlessOther } = options;
  const published = await publishModel(options.dir, { local: options.local ?? null, unlessOther });
  if (options.json) {
    printJson(published);
    return;
  }
  if (published.keys.length === 0) {
    print(`${published.active.id} ${published.active.version} stays active: nothing was published`);
    return;
  }
  print(`${published.active.id} ${published.active.version} is active`);
  for (const key of published.keys) print(`  ${key}`);
  if (published.noForecasts !== null)
    print(`! forecasts are refused while it is active: ${published.noForecasts}. To go back, publish the one before`);
}
