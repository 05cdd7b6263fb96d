/**
 * The token that shows Advanced Trade whose key it is: a JSON Web Token signed with ES256.
 *
 * https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-authentication (read 2026-11-27):
 * 1. header {alg ES256, typ JWT, kid: the key's name, nonce}; 2. claims {iss "cdp", sub: the key's name, nbf: now, exp: now + 120 s}, no
 *    `uri` on the socket; 3. both as base64url, joined by a point and signed; 4. the signature as base64url behind another point.
 * The venue takes it with each `subscribe` for two minutes. Market data needs none; with one the venue calls the connection more reliable.
 *
 * The nonce only has to differ from token to token: it is a hash of the key's name and the time, since nothing random is at hand here.
 */

import { ContentHash } from "../../core/math/hash.ts";
import { MS_PER_SECOND } from "../../core/units/time.ts";
import type { Signer, VenueKey } from "../contract.ts";

const LIFETIME_SECONDS = 120;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** @param now epoch ms. @throws when the key's secret is no PEM that the signer can read. */
export async function advancedToken(key: VenueKey, signer: Signer, now: number): Promise<string> {
  const seconds = Math.floor(now / MS_PER_SECOND);
  const hash = new ContentHash().text(key.id).integer(now);
  const nonce = hash.digest() + hash.word(1).digest();
  const header = { alg: "ES256", typ: "JWT", kid: key.id, nonce };
  const claims = { iss: "cdp", sub: key.id, nbf: seconds, exp: seconds + LIFETIME_SECONDS };
  const signed = `${base64Url(asciiJson(header))}.${base64Url(asciiJson(claims))}`;
  // The venue hands the key out with its line ends written as \n, and secrets are often kept that way.
  const signature = await signer.es256(key.secret.replaceAll("\\n", "\n"), signed);
  return `${signed}.${signature}`;
}

/** JSON whose every character is a byte. */
function asciiJson(value: object): string {
  return JSON.stringify(value).replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Of ASCII text, without padding (RFC 4648, 5). */
function base64Url(text: string): string {
  let encoded = "";
  for (let at = 0; at < text.length; at += 3) {
    const bytes = text.slice(at, at + 3);
    const group = (bytes.charCodeAt(0) << 16) | ((bytes.charCodeAt(1) || 0) << 8) | (bytes.charCodeAt(2) || 0);
    for (let digit = 0; digit <= bytes.length; digit++) encoded += ALPHABET[(group >> (18 - 6 * digit)) & 63];
  }
  return encoded;
}
