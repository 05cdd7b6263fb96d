/** `edgebook publish`: an exported model into an instance, and a role for it. */

import { Command, Option } from "commander";
import { EVERY_MARKET } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";
import { type Seat, said, wayBack } from "../publish/held-roles.ts";
import { type Published, publishModel } from "../publish/publish-model.ts";
import { type PublishedShipped, publishShipped } from "../publish/shipped-models.ts";
import { type InstanceOptions, type SeatOptions, seatOf, targetOf, withInstance, withSeat } from "./instance-options.ts";
import { jsonOption } from "./options.ts";
import { print, printJson } from "./report.ts";

interface PublishOptions extends InstanceOptions, SeatOptions {
  readonly dir?: string;
  readonly shipped: boolean;
  readonly shadow: boolean;
  readonly only: boolean;
  readonly unlessOther: boolean;
  readonly json: boolean;
}

export function publishCommand(): Command {
  const command = new Command("publish")
    .description("Puts an exported model into an instance and makes it the active one.")
    .option("--dir <dir>", "folder made by `edgebook export-model`")
    .addOption(
      new Option(
        "--shipped",
        "the models that come with the code, each for its slot and every market, where no model of another id is active",
      )
        .default(false)
        .conflicts(["dir", "slot", "market", "shadow", "only", "unlessOther", "why"]),
    );
  return withSeat(withInstance(command))
    .addOption(new Option("--shadow", "as a shadow of the active one").default(false).conflicts("only"))
    .option("--only", "without a role", false)
    .option("--unless-other", "leave everything as it is where a model of another id is active", false)
    .addOption(jsonOption())
    .action(runPublish);
}

async function runPublish(options: PublishOptions): Promise<void> {
  const { dir, unlessOther, shadow, only, why } = options;
  if (options.shipped) return reportShipped(await publishShipped(targetOf(options)), options);
  if (dir === undefined) throw new CommandError("say what is to be published: --dir FOLDER, or --shipped");
  const seat = seatOf(options);
  const as = shadow ? "shadow" : only ? "none" : "active";
  const published = await publishModel(dir, { ...targetOf(options), as, seat, unlessOther, ...(why === undefined ? {} : { why }) });
  if (options.json) printJson(published);
  else
    report(published, {
      as: { active: "is active for", shadow: "is a shadow for", none: "was published, without a role in" }[as],
      seat,
    });
}

function reportShipped(published: readonly PublishedShipped[], { json }: { json: boolean }): void {
  if (json) printJson(published);
  else for (const { slot, ...each } of published) report(each, { as: "is active for", seat: { slot, market: EVERY_MARKET } });
}

function report({ version, active, keys, noForecasts }: Published, { as, seat }: { as: string; seat: Seat }): void {
  if (version === null) {
    print(`${active?.id} ${active?.version} stays active: nothing was published`);
    return;
  }
  print(`${version.id} ${version.version} ${as} ${said(seat)}`);
  for (const key of keys) print(`  ${key}`);
  if (noForecasts !== null) print(`! they are refused while it is active: ${noForecasts}. To go back: ${wayBack(seat)}`);
}
