/** A signature that the venue doesn't take is a feed without its data; a key in an unexpected form is one too. */

import { describe, expect, it } from "vitest";
import { platformSigner } from "../../durable-objects/market-feed/signer.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };

describe("HMAC-SHA256", () => {
  it("is RFC 4231's for its second case", async () => {
    expect(await platformSigner.hmacSha256("Jefe", "what do ya want for nothing?")).toBe(
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    );
  });
});

describe("ES256", () => {
  it.each(["PKCS #8", "SEC 1", "SEC 1 with its line breaks written out"])(
    "signs what the public key verifies, with a key in %s",
    async (form) => {
      const pair = (await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"])) as CryptoKeyPair;
      const pkcs8 = new Uint8Array((await crypto.subtle.exportKey("pkcs8", pair.privateKey)) as ArrayBuffer);
      const signature = await platformSigner.es256(pemOf(form, pkcs8), "header.payload");
      expect(signature).toMatch(/^[A-Za-z0-9_-]{86}$/);
      const raw = Uint8Array.from(atob(signature.replace(/-/g, "+").replace(/_/g, "/")), (character) => character.charCodeAt(0));
      const text = new TextEncoder().encode("header.payload");
      expect(await crypto.subtle.verify({ name: "ECDSA", hash: "SHA-256" }, pair.publicKey, raw, text)).toBe(true);
    },
  );

  it.each(["", "secret", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"])("refuses a key that is none: %j", async (key) => {
    await expect(platformSigner.es256(key, "text")).rejects.toThrow();
  });
});

function pemOf(form: string, pkcs8: Uint8Array): string {
  if (form === "PKCS #8") return `-----BEGIN PRIVATE KEY-----\n${base64(pkcs8)}\n-----END PRIVATE KEY-----\n`;
  // The last part of PKCS #8 is an octet string that holds SEC 1: it begins where its own head says that it ends with the whole.
  const start = pkcs8.findIndex((byte, at) => byte === 0x04 && at > 20 && pkcs8[at + 1] === pkcs8.length - at - 2) + 2;
  const text = `-----BEGIN EC PRIVATE KEY-----\n${base64(pkcs8.subarray(start))}\n-----END EC PRIVATE KEY-----\n`;
  return form === "SEC 1" ? text : text.replace(/\n/g, "\\n");
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replace(/.{64}/g, "$&\n");
}
