/** The lists of products, whose increments are the grids, and the token for deployments that have a key. */

import { createVerify, generateKeyPairSync, sign } from "node:crypto";
import { describe, expect, it } from "vitest";
import { coinbaseAdvanced } from "../../exchanges/coinbase/advanced.ts";
import { coinbaseExchange } from "../../exchanges/coinbase/exchange.ts";
import { advancedToken } from "../../exchanges/coinbase/token.ts";
import type { Signer } from "../../exchanges/contract.ts";

const PLACES = { stream: "", rest: "http://rest.test" };

describe("products of the Exchange", () => {
  const product = { id: "SHIB-USD", quote_increment: "0.00000001", base_increment: "1", status: "online" };
  const decode = (body: unknown, symbols = ["SHIB-USD"]) => coinbaseExchange.decodeInstruments(JSON.stringify(body) ?? "busy", symbols);

  it("asks for all of them", () => {
    expect(coinbaseExchange.instrumentsRequest(PLACES, ["BTC-USD"])).toEqual({ url: "http://rest.test/products", weight: 1 });
  });

  it("gives the venue's increments, of the products asked for", () => {
    const instrument = {
      venue: "coinbase-exchange",
      symbol: "SHIB-USD",
      tick: { decimals: 8, mantissa: 1 },
      lot: { decimals: 0, mantissa: 1 },
    };
    expect(decode([{ ...product, id: "BTC-USD", quote_increment: "x" }, product])).toEqual({ instruments: [instrument] });
    expect(decode([product, { ...product }])).toEqual({ instruments: [instrument] });
    expect(decode([], ["SHIB-USD"])).toEqual({ instruments: [] });
  });

  it.each([
    ["a product without a price step", [{ ...product, quote_increment: undefined }], '"quote_increment" is nothing'],
    ["a step of zero", [{ ...product, base_increment: "0.0" }], 'base_increment of SHIB-USD is "0.0"'],
    ["a step as a number", [{ ...product, base_increment: 1 }], '"base_increment" is 1'],
    ["the venue's error", { message: "NotFound" }, 'the venue answered "NotFound"'],
    ["a list of something else", [7], "an entry is 7"],
    ["no list", {}, "not a list of products"],
    ["no JSON", undefined, "not JSON"],
  ])("refuses %s", (_, body, reason) => {
    expect(decode(body)).toEqual({ malformed: expect.stringContaining(reason) });
  });
});

describe("products of Advanced Trade", () => {
  const product = {
    product_id: "BTC-USD",
    product_type: "SPOT",
    price_increment: "0.01",
    quote_increment: "0.00000001",
    base_increment: "0.00000001",
  };
  const decode = (body: unknown, symbols = ["BTC-USD"]) => coinbaseAdvanced.decodeInstruments(JSON.stringify(body) ?? "busy", symbols);
  const btc = { venue: "coinbase-advanced", symbol: "BTC-USD", tick: { decimals: 2, mantissa: 1 }, lot: { decimals: 8, mantissa: 1 } };

  it("asks for the symbols by name", () => {
    expect(coinbaseAdvanced.instrumentsRequest(PLACES, ["BTC-USD", "A&B"]).url).toBe(
      "http://rest.test/api/v3/brokerage/market/products?product_ids=BTC-USD&product_ids=A%26B",
    );
  });

  it("takes the price's own step: that of amounts is finer, and would make four prices of one", () => {
    expect(decode({ products: [product] })).toEqual({ instruments: [btc] });
    const older = { ...product, price_increment: "", quote_increment: "0.01" };
    expect(decode({ products: [older] })).toEqual({ instruments: [btc] });
  });

  it("says what a contract of a future is of", () => {
    const details = { contract_size: "0.01", contract_root_unit: "BTC", contract_code: "BIT" };
    const future = {
      ...product,
      product_id: "BIT-26DEC25-CDE",
      product_type: "FUTURE",
      price_increment: "5",
      base_increment: "1",
      future_product_details: details,
    };
    expect(decode({ products: [future] }, ["BIT-26DEC25-CDE"])).toEqual({
      instruments: [
        {
          venue: "coinbase-advanced",
          symbol: "BIT-26DEC25-CDE",
          tick: { decimals: 0, mantissa: 5 },
          lot: { decimals: 0, mantissa: 1 },
          contract: { kind: "linear", size: "0.01", unit: "BTC" },
        },
      ],
    });
  });

  it.each([
    ["a product without a size step", { products: [{ ...product, base_increment: null }] }, '"base_increment" is null'],
    ["the venue's error", { error: "unknown", message: "rate limited" }, 'the venue answered "rate limited"'],
    ["products that are no list", { products: {} }, '"products" is an object'],
    ["no products", [], "not a list of products"],
    ["no JSON", undefined, "not JSON"],
  ])("refuses %s", (_, body, reason) => {
    expect(decode(body)).toEqual({ malformed: expect.stringContaining(reason) });
  });
});

describe("the token", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "sec1", format: "pem" }).toString();
  const signer: Signer = {
    hmacSha256: () => Promise.reject(new Error("not asked for")),
    es256: (secret, text) =>
      Promise.resolve(sign("sha256", Buffer.from(text), { key: secret, dsaEncoding: "ieee-p1363" }).toString("base64url")),
  };
  const key = { id: "organizations/é/apiKeys/1", secret: pem };
  const part = (token: string, index: number) => JSON.parse(Buffer.from(token.split(".")[index] ?? "", "base64url").toString("utf8"));

  it("says who, for two minutes, and is signed over exactly what it says", async () => {
    const token = await advancedToken(key, signer, 1_700_000_000_999);
    const [header, claims, signature = ""] = token.split(".");
    expect(part(token, 0)).toEqual({ alg: "ES256", typ: "JWT", kid: key.id, nonce: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(part(token, 1)).toEqual({ iss: "cdp", sub: key.id, nbf: 1_700_000_000, exp: 1_700_000_120 });
    const verify = createVerify("sha256").update(`${header}.${claims}`);
    expect(verify.verify({ key: publicKey, dsaEncoding: "ieee-p1363" }, signature, "base64url")).toBe(true);
    expect(token).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
  });

  it("is another one each millisecond, and takes a key whose line ends are written out", async () => {
    const written = { ...key, secret: pem.replaceAll("\n", "\\n") };
    const [first, second] = await Promise.all([
      advancedToken(written, signer, 1_700_000_000_000),
      advancedToken(written, signer, 1_700_000_000_001),
    ]);
    expect(part(first, 0).nonce).not.toBe(part(second, 0).nonce);
  });

  it("encodes text of any length as base64url does", async () => {
    for (let length = 1; length < 8; length++) {
      const id = "?".repeat(length);
      const token = await advancedToken({ ...key, id }, signer, 0);
      const claims = { iss: "cdp", sub: id, nbf: 0, exp: 120 };
      expect(token.split(".")[1]).toBe(Buffer.from(JSON.stringify(claims)).toString("base64url"));
    }
  });
});
