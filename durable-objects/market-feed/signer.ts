/** What a venue's key signs, computed by the platform (Web Crypto). Keys stay here: they are in no log, no tape, no answer. */

import type { Signer } from "../../exchanges/contract.ts";

/** PKCS #8 of a P-256 key around its SEC 1 form (RFC 5208, RFC 5915): the head up to the length of what follows. */
const PKCS8_VERSION_AND_ALGORITHM = [
  0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
] as const;
const P256_OID = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07] as const;

export const platformSigner: Signer = {
  async hmacSha256(secret, text) {
    const encoder = new TextEncoder();
    const key = await crypto.subtle.importKey("raw", encoder.encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", key, encoder.encode(text)));
    return Array.from(signature, (byte) => byte.toString(16).padStart(2, "0")).join("");
  },

  async es256(privateKey, text) {
    const algorithm = { name: "ECDSA", namedCurve: "P-256" };
    const key = await crypto.subtle.importKey("pkcs8", pkcs8Of(privateKey), algorithm, false, ["sign"]);
    const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, key, new TextEncoder().encode(text));
    return btoa(String.fromCharCode(...new Uint8Array(signature)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");
  },
};

/** @throws when the text is no PEM of a private key. */
function pkcs8Of(pem: string): Uint8Array {
  // Secrets are often pasted with their line breaks written out.
  const text = pem.replace(/\\n/g, "\n");
  const match = /-----BEGIN (EC )?PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END (?:EC )?PRIVATE KEY-----/.exec(text);
  if (match?.[2] === undefined) throw new Error("the secret is not a PEM private key");
  const der = Uint8Array.from(atob(match[2].replace(/\s/g, "")), (character) => character.charCodeAt(0));
  if (match[1] === undefined) return der;
  const inner = [...PKCS8_VERSION_AND_ALGORITHM, ...P256_OID, 0x04, ...lengthOf(der.length), ...der];
  return Uint8Array.from([0x30, ...lengthOf(inner.length), ...inner]);
}

/** A DER length. */
function lengthOf(length: number): number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}
