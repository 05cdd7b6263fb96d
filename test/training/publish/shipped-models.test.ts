/** A first start answers forecasts and signals by the models that come with the code; a later one takes nobody's own model away. */

import { beforeEach, describe, expect, it } from "vitest";
import { publishFiles, readModel } from "../../../training/publish/publish-model.ts";
import { publishShippedInto, SHIPPED_FOLDERS } from "../../../training/publish/shipped-models.ts";
import { type MemoryStore, memoryStore } from "./memory-store.ts";

let store: MemoryStore;

beforeEach(() => {
  store = memoryStore();
});

describe("the models that come with the code", () => {
  it("are active for every market, each in its slot, and a second start changes nothing", async () => {
    const published = await publishShippedInto(store);
    expect(published).toMatchObject([
      { slot: "forecast", version: { id: "mlp-simulated" }, active: { id: "mlp-simulated" }, noForecasts: null },
      { slot: "signal", version: { id: "mlp-signal-simulated" }, active: { id: "mlp-signal-simulated" }, noForecasts: null },
    ]);
    const before = [store.rowsOf("models"), store.rowsOf("model_roles"), store.rowsOf("model_log")];
    expect(before.map((rows) => rows.length)).toEqual([2, 2, 4]);
    await publishShippedInto(store);
    expect([store.rowsOf("models"), store.rowsOf("model_roles"), store.rowsOf("model_log")]).toEqual(before);
  });

  it("leave a slot alone where a model of another id is active, and take the other one", async () => {
    const files = await readModel(SHIPPED_FOLDERS.signal);
    const mine = { ...files, manifest: { ...files.manifest, id: "mine" } };
    await publishFiles(mine, store, { seat: { slot: "signal", market: "*" } });
    expect(await publishShippedInto(store)).toMatchObject([
      { slot: "forecast", active: { id: "mlp-simulated" } },
      { slot: "signal", version: null, active: { id: "mine" }, keys: [] },
    ]);
  });
});
