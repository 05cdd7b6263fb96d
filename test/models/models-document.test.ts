/** docs/models.md beside the registry: a family that isn't told of there is not found by who looks for one. */

import { join } from "node:path";
import { expect, it } from "vitest";
import { modelsDocument } from "./models-document.ts";

it("docs/models.md says what the registry has", async () => {
  await expect(modelsDocument()).toMatchFileSnapshot(join(import.meta.dirname, "..", "..", "docs", "models.md"));
});
