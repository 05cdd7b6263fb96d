/** Who plays when models are faulty or stores fail: a market must not be left without forecasts for a file's sake, and nobody else must answer in a faulty one's name. */

import { describe, expect, it } from "vitest";
import type { ModelManifest } from "../../models/contract.ts";
import { type AssignedRole, castRoles, type Findings, needsShipped } from "../../workers/inference/cast.ts";
import { refuseModel } from "../../workers/inference/refuse.ts";
import shippedManifest from "../../workers/inference/shipped/manifest.json" with { type: "json" };
import { claimsOf, nameOf } from "../../workers/inference/version.ts";

const shipped = claimsOf(shippedManifest as unknown as ModelManifest);
const version = (key: number): AssignedRole["version"] => ({ key, id: "mine", version: `${key}`, manifestSha256: `sha-${key}`, bytes: 10 });
const claims = (key: number): typeof shipped => ({ ...shipped, id: "mine", version: `${key}` });
const lead: AssignedRole = { slot: "forecast", market: "*", role: "active", version: version(1) };
const shadow: AssignedRole = { ...lead, role: "shadow", version: version(2) };
const faulty = refuseModel("golden-mismatch", "so");

function findings(assigned: Findings["assigned"], change: Partial<Findings> & { faulty?: readonly number[] } = {}): Findings {
  const { faulty: faults = [], ...rest } = change;
  const judged = new Map(
    (assigned ?? []).map((role) => [
      nameOf(role.version),
      { outcome: faults.includes(role.version.key) ? faulty : claims(role.version.key), isLoaded: true },
    ]),
  );
  return { assigned, judged, shipped: null, unreachable: "no database", ...rest };
}

function told(known: Findings): { roles: unknown[]; refused: unknown[] } {
  const { roles, refused } = castRoles(known).roster;
  return {
    roles: roles.map(({ market, role, key, fellBackFrom }) => [market, role, key, fellBackFrom?.fault ?? null]),
    refused: refused.map(({ slot, market, role, key, fault }) => [slot, market, role, key, fault]),
  };
}

describe("the cast", () => {
  it("is what the database says where all models are whole, and the shipped one isn't even loaded", () => {
    const known = findings([lead, shadow]);
    expect(needsShipped(known)).toBe(false);
    expect(told(known)).toEqual({
      roles: [
        ["*", "active", 1, null],
        ["*", "shadow", 2, null],
      ],
      refused: [],
    });
  });

  it("has the shipped model for every market where nobody was published, or only for one market", () => {
    const own = { ...lead, market: "v:A" };
    for (const assigned of [[], [own], [shadow], [{ ...lead, slot: "signal" as const }]]) {
      const known = findings(assigned, { shipped });
      expect(needsShipped(known)).toBe(true);
      expect(told(known).roles).toContainEqual(["*", "active", 0, "never-published"]);
    }
  });

  it("has the shipped model in a faulty one's place, of the same market, and says whose", () => {
    const known = findings([lead, { ...lead, market: "v:A", version: version(3) }], { shipped, faulty: [3] });
    expect(needsShipped(known)).toBe(true);
    expect(told(known)).toEqual({
      roles: [
        ["*", "active", 1, null],
        ["v:A", "active", 0, "golden-mismatch"],
      ],
      refused: [],
    });
    const [, standIn] = castRoles(known).roster.roles;
    expect(standIn).toMatchObject({ id: shipped.id, source: "shipped", fellBackFrom: { model: { key: 3, id: "mine", version: "3" } } });
  });

  it("leaves a faulty shadow's and a faulty signal's role empty: the shipped model is neither", () => {
    const signal: AssignedRole = { ...lead, slot: "signal", version: version(4) };
    const known = findings([lead, shadow, signal], { faulty: [2, 4] });
    expect(needsShipped(known)).toBe(false);
    expect(told(known)).toEqual({
      roles: [["*", "active", 1, null]],
      refused: [
        ["forecast", "*", "shadow", 2, "golden-mismatch"],
        ["signal", "*", "active", 4, "golden-mismatch"],
      ],
    });
  });

  it("without a database that ever answered is the shipped model, and that is not taken for a new deployment", () => {
    expect(told(findings(null, { shipped }))).toEqual({ roles: [["*", "active", 0, "store-unreachable"]], refused: [] });
  });

  it("is nobody where the shipped model is faulty too: the published one's fault comes first, which somebody can mend now", () => {
    const broken = refuseModel("bad-manifest", "torn");
    expect(told(findings([], { shipped: broken })).refused).toEqual([["forecast", "*", "active", 0, "bad-manifest"]]);
    expect(castRoles(findings([lead], { shipped: broken, faulty: [1] })).roster.refused).toMatchObject([
      { key: 1, fault: "golden-mismatch", detail: "so; the shipped model: bad-manifest, torn" },
    ]);
    expect(castRoles(findings(null, { shipped: broken })).roster.refused).toMatchObject([
      { fault: "store-unreachable", detail: "no database; the shipped model: bad-manifest, torn" },
    ]);
  });

  it("has another revision whenever somebody else plays, and the same one otherwise", () => {
    const revision = (known: Findings): string => castRoles(known).roster.revision;
    const all = [
      findings([lead, shadow]),
      findings([lead]),
      findings([lead, { ...shadow, market: "v:A" }]),
      findings([lead, { ...shadow, slot: "signal" }]),
      findings([lead, { ...shadow, role: "active", market: "v:A" }]),
      findings([lead, shadow], { faulty: [2] }),
      findings([lead, shadow], { faulty: [1], shipped }),
      findings([{ ...lead, version: { ...lead.version, manifestSha256: "other" } }, shadow]),
      findings(null, { shipped }),
    ];
    expect(new Set(all.map(revision)).size).toBe(all.length);
    expect(revision(findings([lead, shadow]))).toBe(revision(findings([lead, shadow])));
  });

  it("without a look at its shadow is not whole, names it nowhere, and has the revision of one that has looked", () => {
    const whole = findings([lead, shadow]);
    const part: Findings = { ...whole, judged: new Map([...whole.judged].filter(([name]) => name === nameOf(lead.version))) };
    expect(told(part)).toEqual({ roles: [["*", "active", 1, null]], refused: [] });
    expect([castRoles(part).isWhole, castRoles(whole).isWhole]).toEqual([false, true]);
    expect(castRoles(part).roster.revision).toBe(castRoles(whole).roster.revision);
  });
});
