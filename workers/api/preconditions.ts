/** If-None-Match, If-Match, If-Range and Range, as RFC 9110 has them (13.1, 14.1). Pure. */

const ETAG = /"[\x21\x23-\x7e]*"/g;
const ETAG_LIST = /^\s*(W\/)?"[\x21\x23-\x7e]*"(\s*,\s*(W\/)?"[\x21\x23-\x7e]*")*\s*$/;

/** Whether a list of ETags names this one, compared weakly: RFC 9110, 8.8.3.2. What is no list names nothing. */
export function isNamed(etag: string, list: string | undefined): boolean {
  if (list === undefined) return false;
  if (list.trim() === "*") return true;
  return ETAG_LIST.test(list) && [...list.matchAll(ETAG)].some(([tag]) => tag === etag);
}

export type AskedRange = { readonly offset: number; readonly length: number } | "whole" | "unsatisfiable";

/**
 * One range of bytes. Several of them, another unit, or what can't be read are answered with the whole, as RFC 9110 (14.2) allows.
 * @param bytes of the whole.
 */
export function askedRange(range: string | undefined, bytes: number): AskedRange {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range?.trim() ?? "");
  if (match === null || (match[1] === "" && match[2] === "")) return "whole";
  const [, from = "", to = ""] = match;
  if (from === "") {
    const length = Math.min(Number(to), bytes);
    return length === 0 ? "unsatisfiable" : { offset: bytes - length, length };
  }
  const offset = Number(from);
  if (to !== "" && Number(to) < offset) return "whole";
  if (offset >= bytes) return "unsatisfiable";
  return { offset, length: (to === "" ? bytes : Math.min(bytes, Number(to) + 1)) - offset };
}
