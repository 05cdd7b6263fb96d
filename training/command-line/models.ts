/** `edgebook models`: which models an instance has, which roles they play, and changes of those. */

import { Argument, Command } from "commander";
import { EVERY_MARKET, type ModelSlot } from "../../models/roles.ts";
import { type Seat, type StoredVersion, said, type VersionName, wayBack } from "../publish/held-roles.ts";
import type { InstanceStore } from "../publish/instance-store.ts";
import { type Activation, ModelRegistry } from "../publish/model-registry.ts";
import { withStore } from "../publish/open-store.ts";
import { promote } from "../publish/promotion.ts";
import { judgeRole } from "../publish/published-version.ts";
import type { LogEntry } from "../publish/role-log.ts";
import { type InstanceOptions, type SeatOptions, seatOf, targetOf, withInstance, withSeat } from "./instance-options.ts";
import { collect, countingNumber, jsonOption, modelName, wholeNumber } from "./options.ts";
import { publishCommand } from "./publish.ts";
import { print, printJson, table, when } from "./report.ts";

interface ListOptions extends InstanceOptions {
  readonly json: boolean;
}

interface RoleOptions extends ListOptions, SeatOptions {}

interface PromoteOptions extends RoleOptions {
  readonly from: string;
  readonly on: readonly string[];
  readonly minTicks: number;
  readonly minHours: number;
  readonly horizonMs: readonly number[];
}

const DEFAULT_LOG_ROWS = 20;

export function modelsCommand(): Command {
  const models = new Command("models").description("An instance's models: versions, roles, and their log.");
  models.addCommand(publishCommand());
  models.addCommand(onInstance("list", "Every version, and who plays which role.").action(runList));
  models.addCommand(
    onInstance("log", "What was done to roles, the newest last.")
      .option("--limit <rows>", "how many of the newest", countingNumber, DEFAULT_LOG_ROWS)
      .action(runLog),
  );
  models.addCommand(onVersion("activate", "Makes a published version the one that answers.").action(runActivate));
  models.addCommand(
    onRole("deactivate", "Leaves nobody active: the model of every market answers then, or the one that ships with edgebook.").action(
      runDeactivate,
    ),
  );
  models.addCommand(onRole("roll-back", "Whoever was active before is so again; nobody, where it was nobody.").action(runRollBack));
  models.addCommand(onVersion("shadow", "Has a version asked beside the active one: scored, and shown to nobody.").action(runShadow));
  models.addCommand(onVersion("unshadow", "Has it asked no more.").action(runUnshadow));
  models.addCommand(
    onVersion("promote", "Activates a challenger, where the scorecards of both say that it is better; refuses otherwise.")
      .requiredOption("--from <url>", "the instance whose scorecards are the evidence, e.g. http://127.0.0.1:8787")
      .option("--on <market>", "take evidence of this market; may be given several times. Left out: of --market", collect, [])
      .option("--min-ticks <ticks>", "ticks that were scored for both, at least", wholeNumber, 1_000)
      .option("--min-hours <hours>", "hours that they are of, at least", wholeNumber, 24)
      .option(
        "--horizon-ms <ms>",
        "must be better at this horizon; may be given several times. Left out: at more than half, and worse at none",
        (text, before: readonly number[]) => [...before, countingNumber(text)],
        [],
      )
      .action(runPromote),
  );
  return models;
}

function onInstance(name: string, description: string): Command {
  return withInstance(new Command(name).description(description)).addOption(jsonOption());
}

function onRole(name: string, description: string): Command {
  return withSeat(onInstance(name, description));
}

function onVersion(name: string, description: string): Command {
  return onRole(name, description)
    .addArgument(new Argument("<id>", "the model").argParser(modelName))
    .addArgument(new Argument("<version>", "its version").argParser(modelName));
}

function change<T>(options: InstanceOptions, act: (registry: ModelRegistry, store: InstanceStore) => Promise<T>): Promise<T> {
  return withStore(targetOf(options), (store) => act(new ModelRegistry(store, Date.now), store));
}

async function runList(options: ListOptions): Promise<void> {
  const { versions, roles } = await change(options, async (registry) => ({
    versions: await registry.versions(),
    roles: await registry.roles(),
  }));
  if (options.json) {
    printJson({ versions, roles });
    return;
  }
  if (versions.length === 0) print("nothing was published: the model that ships with edgebook answers");
  else
    print(
      table(
        ["model", "version", "key", "family", "features", "label", "bytes", "published", "roles"],
        versions.map((each) => listed(each, roles)),
      ),
    );
}

function listed(version: StoredVersion, roles: Awaited<ReturnType<ModelRegistry["roles"]>>): string[] {
  const { id, key, family, featureSet, label, bytes, publishedAt } = version;
  const played = roles.filter(({ model }) => model.key === key).map((role) => `${role.role} for ${said(role)}`);
  return [id, version.version, `${key}`, family, featureSet, label, `${bytes}`, when(publishedAt), played.join("\n") || "–"];
}

async function runLog(options: ListOptions & { readonly limit: number }): Promise<void> {
  const entries = (await change(options, (registry) => registry.log(options.limit))).toReversed();
  if (options.json) printJson({ log: entries });
  else print(table(["when", "what", "model", "for", "before", "evidence"], entries.map(logged)));
}

function logged({ at, action, model, slot, market, previous, evidence }: LogEntry): string[] {
  const name = (version: VersionName | null): string => (version === null ? "–" : `${version.id} ${version.version}`);
  const of = slot === null || market === null ? "–" : said({ slot: slot as ModelSlot, market });
  return [when(at), action, name(model), of, name(previous), evidence === null ? "–" : JSON.stringify(evidence).slice(0, 80)];
}

async function runActivate(id: string, version: string, options: RoleOptions): Promise<void> {
  const seat = seatOf(options);
  const { activation, note } = await change(options, async (registry, store) => {
    const note = await judgeRole(registry, store, { name: { id, version }, seat });
    return { activation: await registry.activate({ id, version }, seat, { action: "activate", evidence: whyOf(options) }), note };
  });
  reportActivation(activation, seat, options);
  if (note !== null && !options.json) print(`! ${said(seat)} are refused while it is active: ${note}`);
}

async function runRollBack(options: RoleOptions): Promise<void> {
  const seat = seatOf(options);
  const { active, previous, isNew } = await change(options, (registry) => registry.rollBack(seat, whyOf(options)));
  if (options.json) printJson({ active, previous, isNew, ...seat });
  // Another one would go further back, not forth again.
  else print(`${nameOf(active)} is active again for ${said(seat)}, in place of ${nameOf(previous)}`);
  if (active === null && !options.json) print(whoAnswers(seat));
}

async function runDeactivate(options: RoleOptions): Promise<void> {
  const seat = seatOf(options);
  reportActivation(await change(options, (registry) => registry.deactivate(seat, whyOf(options))), seat, options);
}

async function runShadow(id: string, version: string, options: RoleOptions): Promise<void> {
  const seat = seatOf(options);
  const isNew = await change(options, async (registry, store) => {
    await judgeRole(registry, store, { name: { id, version }, seat });
    return registry.shadow({ id, version }, seat, whyOf(options));
  });
  if (options.json) printJson({ shadow: { id, version }, ...seat, isNew });
  else print(`${id} ${version} ${isNew ? "is now" : "was already"} a shadow for ${said(seat)}`);
}

async function runUnshadow(id: string, version: string, options: RoleOptions): Promise<void> {
  const seat = seatOf(options);
  await change(options, (registry) => registry.unshadow({ id, version }, seat, whyOf(options)));
  if (options.json) printJson({ unshadowed: { id, version }, ...seat });
  else print(`${id} ${version} is no shadow for ${said(seat)} any more`);
}

async function runPromote(id: string, version: string, options: PromoteOptions): Promise<void> {
  const seat = seatOf(options);
  const rules = { minTicks: options.minTicks, minHours: options.minHours, horizonsMs: options.horizonMs };
  const activation = await change(options, async (registry, store) => {
    await judgeRole(registry, store, { name: { id, version }, seat });
    return promote(registry, { challenger: { id, version }, seat, from: options.from, on: options.on, rules });
  });
  reportActivation(activation, seat, options);
}

function whyOf({ why }: RoleOptions): { why: string } | null {
  return why === undefined ? null : { why };
}

function reportActivation({ active, previous, isNew }: Activation, seat: Seat, { json }: ListOptions): void {
  if (json) {
    printJson({ active, previous, isNew, ...seat });
    return;
  }
  print(
    isNew
      ? `${nameOf(active)} is active for ${said(seat)}, in place of ${nameOf(previous)}. To go back: ${wayBack(seat)}`
      : `${nameOf(active)} was active already`,
  );
  if (active === null) print(whoAnswers(seat));
}

function nameOf(version: StoredVersion | null): string {
  return version === null ? "nobody" : `${version.id} ${version.version}`;
}

/** Where nobody is active. */
function whoAnswers({ slot, market }: Seat): string {
  if (market !== EVERY_MARKET) return `its ${slot}s come from whoever is active for every market`;
  return slot === "forecast" ? "the model that ships with edgebook answers" : "no signals are given";
}
