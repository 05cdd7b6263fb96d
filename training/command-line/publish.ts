/** `edgebook publish`: an exported model into an instance, and a role for it. */

import { Command, Option } from "commander";
import { said } from "../publish/held-roles.ts";
import { type Published, publishModel } from "../publish/publish-model.ts";
import { type InstanceOptions, type SeatOptions, seatOf, targetOf, withInstance, withSeat } from "./instance-options.ts";
import { jsonOption } from "./options.ts";
import { print, printJson } from "./report.ts";

interface PublishOptions extends InstanceOptions, SeatOptions {
  readonly dir: string;
  readonly shadow: boolean;
  readonly only: boolean;
  readonly unlessOther: boolean;
  readonly json: boolean;
}

export function publishCommand(): Command {
  const command = new Command("publish")
    .description("Puts an exported model into an instance and makes it the active one.")
    .requiredOption("--dir <dir>", "folder made by `edgebook export-model`");
  return withSeat(withInstance(command))
    .addOption(new Option("--shadow", "as a shadow of the active one").default(false).conflicts("only"))
    .option("--only", "without a role", false)
    .option("--unless-other", "leave everything as it is where a model of another id is active", false)
    .addOption(jsonOption())
    .action(runPublish);
}

async function runPublish(options: PublishOptions): Promise<void> {
  const { unlessOther, shadow, only, why } = options;
  const seat = seatOf(options);
  const as = shadow ? "shadow" : only ? "none" : "active";
  const published = await publishModel(options.dir, { ...targetOf(options), as, seat, unlessOther, ...(why === undefined ? {} : { why }) });
  if (options.json) printJson(published);
  else
    report(published, {
      as: { active: "is active for", shadow: "is a shadow for", none: "was published, without a role in" }[as],
      of: said(seat),
    });
}

function report({ version, active, keys, noForecasts }: Published, { as, of }: { as: string; of: string }): void {
  if (version === null) {
    print(`${active?.id} ${active?.version} stays active: nothing was published`);
    return;
  }
  print(`${version.id} ${version.version} ${as} ${of}`);
  for (const key of keys) print(`  ${key}`);
  if (noForecasts !== null) print(`! they are refused while it is active: ${noForecasts}. To go back: edgebook models roll-back`);
}
