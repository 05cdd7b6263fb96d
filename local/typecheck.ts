/** `npm run typecheck`: each folder with its own walls, that is, with the names its own tsconfig lets it see. */

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./deployables.ts";

const projects = readdirSync(ROOT, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== "node_modules")
  .flatMap((entry) => [entry.name, join(entry.name, "workerd")])
  .map((folder) => join(folder, "tsconfig.json"))
  .filter((file) => existsSync(join(ROOT, file)));

let failed = 0;
for (const project of projects) {
  const { status } = spawnSync(join(ROOT, "node_modules", ".bin", "tsc"), ["-p", project], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) failed++;
}
console.log(
  `${projects.length - failed} of ${projects.length} projects hold their types: ${projects.map((file) => file.replace("/tsconfig.json", "")).join(", ")}`,
);
process.exit(failed === 0 ? 0 : 1);
