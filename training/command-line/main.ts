#!/usr/bin/env node
/**
 * `edgebook`: data in and out, training, evaluation, export and replay, offline. One file per command here; what a command does lives in training/ or
 * archive/, free of options and printing.
 */

import { Command } from "commander";
import { compareCommand } from "./compare.ts";
import { datasetCommand } from "./dataset.ts";
import { evaluateCommand } from "./evaluate.ts";
import { explainCommand } from "./explain.ts";
import { explain } from "./explain-error.ts";
import { exportCommand } from "./export.ts";
import { exportModelCommand } from "./export-model.ts";
import { importCommand } from "./import.ts";
import { leaksCommand } from "./leaks.ts";
import { modelsCommand } from "./models.ts";
import { publishCommand } from "./publish.ts";
import { pullCommand } from "./pull.ts";
import { replayCommand } from "./replay.ts";
import { reproduceCommand } from "./reproduce.ts";
import { reportCommand } from "./run-report.ts";
import { runsCommand } from "./runs.ts";
import { searchCommand } from "./search.ts";
import { trainCommand } from "./train.ts";
import { verifyCommand } from "./verify.ts";

const program = new Command("edgebook")
  .description(
    "Order books to forecasts: make a dataset, train, evaluate, export, publish; replay what was recorded; bring data in and out.",
  )
  .showHelpAfterError("(edgebook COMMAND --help shows what it takes)");
for (const command of [
  datasetCommand,
  trainCommand,
  searchCommand,
  compareCommand,
  evaluateCommand,
  leaksCommand,
  explainCommand,
  exportModelCommand,
  publishCommand,
  modelsCommand,
  replayCommand,
  runsCommand,
  reportCommand,
  reproduceCommand,
  importCommand,
  exportCommand,
  pullCommand,
  verifyCommand,
]) {
  program.addCommand(command());
}

// A reader that has seen enough, as `head` has, is no failure: what was asked for is done all the same.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await program.parseAsync();
} catch (error) {
  const message = explain(error);
  if (message === null) throw error;
  console.error(`edgebook: ${message}`);
  process.exitCode = 1;
}
