/** Options of commands that look into an instance: where it is, and which role is meant. */

import { type Command, InvalidArgumentError, Option } from "commander";
import { EVERY_MARKET, MODEL_SLOTS, type ModelSlot } from "../../models/roles.ts";
import { CommandError } from "../command-error.ts";
import type { Seat } from "../publish/held-roles.ts";
import type { StoreTarget } from "../publish/instance-store.ts";

/** It is a sentence. */
const MAX_WHY_CHARACTERS = 1_000;

export interface InstanceOptions {
  readonly local?: string;
  readonly remote?: boolean;
}

export interface SeatOptions {
  readonly slot: ModelSlot;
  readonly market: string;
  readonly why?: string;
}

export function withInstance(command: Command): Command {
  return command
    .option("--local <dir>", "the stores of `wrangler dev --persist-to <dir>` (npm start keeps its data in .edgebook)")
    .addOption(new Option("--remote", "the account's own stores, through wrangler").conflicts("local"));
}

export function withSeat(command: Command): Command {
  return command
    .addOption(new Option("--slot <slot>", "what it answers").choices([...MODEL_SLOTS]).default("forecast"))
    .option("--market <market>", "venue:SYMBOL; * is every market that has none of its own", EVERY_MARKET)
    .option("--why <text>", "a sentence for the log", sentence);
}

function sentence(text: string): string {
  if (text.length > MAX_WHY_CHARACTERS) throw new InvalidArgumentError(`${MAX_WHY_CHARACTERS} characters at most.`);
  return text;
}

/** @throws CommandError where nothing was said. */
export function targetOf({ local, remote }: InstanceOptions): StoreTarget {
  if (local === undefined && remote !== true) throw new CommandError("say where: --local DIR, or --remote for the account's own instance");
  return { local: local ?? null };
}

/** @throws CommandError on what is no market. */
export function seatOf({ slot, market }: SeatOptions): Seat {
  if (market !== EVERY_MARKET && !/^[a-z0-9-]{1,40}:[^\s:]{1,40}$/.test(market))
    throw new CommandError(`${market} is no market: binance-spot:BTCUSDT is one, * is every market`);
  return { slot, market };
}
