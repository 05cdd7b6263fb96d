/**
 * Fields read from bytes, as core's fields.ts reads them: eight digits at a time.
 *
 * Each reader takes only what would be written again to the very same bytes, answers with where the field ends (0: it is none), and leaves the value
 * and its decimals in `fieldValue` and `fieldDecimals`. Lines end with a byte that is no digit, or with the text, behind which are zeros.
 */

export const QUOTE: i32 = 34;
const DASH: i32 = 45;
const POINT: i32 = 46;
const ZERO: i32 = 48;
const COLON: i32 = 58;
const LETTER_T: i32 = 84;
const BACKSLASH: i32 = 92;
const LETTER_A: i32 = 97;
const MOST_DIGITS: i32 = 15;
const MOST_DECIMALS: i32 = 9;
const MOST_TIME_DECIMALS: i32 = 6;
const TIME_LENGTH: usize = 19;
const FIRST_YEAR: i32 = 1970;
const LAST_YEAR: i32 = 2099;
const POWERS = memory.data<i64>([
  1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000, 10_000_000_000, 100_000_000_000, 1_000_000_000_000,
  10_000_000_000_000, 100_000_000_000_000, 1_000_000_000_000_000,
]);

export let fieldValue: i64 = 0;
export let fieldDecimals: i32 = 0;

/** 10 to the exponent, 0 to 15. */
// @ts-ignore: decorator
@inline
export function power(exponent: i32): i64 {
  return load<i64>(POWERS + (usize(exponent) << 3));
}

/** How many of the eight bytes from the lowest on are digits, given the bytes less "0" each. */
// @ts-ignore: decorator
@inline
function digitsIn(eight: u64): i32 {
  // A byte above 0x89 carries into the next, which is then behind the first that is no digit.
  const others = ((eight + 0x7676767676767676) | eight) & 0x8080808080808080;
  return i32(ctz(others) >> 3);
}

/** The number that the first `count` (1 to 8) of eight digits make. */
// @ts-ignore: decorator
@inline
function numberOf(eight: u64, count: i32): i64 {
  const pairs = ((eight << (64 - 8 * u64(count))) * 2561) >> 8;
  const fours = ((pairs & 0x00ff00ff00ff00ff) * 6_553_601) >> 16;
  return i64(((fours & 0x0000ffff0000ffff) * 42_949_672_960_001) >> 32);
}

/** Leaves the value and the decimals where it is told to, 64 and 32 bits: most fields are numbers. */
export function parseNumber(from: usize, valueAt: usize, decimalsAt: usize): usize {
  const isNegative = load<u8>(from) === DASH;
  const first = isNegative ? from + 1 : from;
  const eight = load<u64>(first) ^ 0x3030303030303030;
  let digits = digitsIn(eight);
  if (digits === 0 || (digits > 1 && load<u8>(first) === ZERO)) return 0;
  let value = numberOf(eight, digits);
  let at = first + digits;
  if (digits === 8) {
    const next = load<u64>(at) ^ 0x3030303030303030;
    const more = digitsIn(next);
    if (more === 8) return 0;
    if (more > 0) value = value * power(more) + numberOf(next, more);
    digits += more;
    at += more;
  }
  let decimals = 0;
  if (load<u8>(at) === POINT) {
    const fraction = load<u64>(++at) ^ 0x3030303030303030;
    decimals = digitsIn(fraction);
    if (decimals === 0) return 0;
    value = value * power(decimals) + numberOf(fraction, decimals);
    at += decimals;
    if (decimals === 8) {
      const digit = i32(load<u8>(at)) - ZERO;
      if (u32(digit) <= 9) {
        value = value * 10 + digit;
        decimals++;
        at++;
      }
    }
    if (digits + decimals > MOST_DIGITS || (decimals === MOST_DECIMALS && isDigit(load<u8>(at)))) return 0;
  }
  if (isNegative) {
    if (value === 0) return 0;
    value = -value;
  }
  store<i64>(valueAt, value);
  store<i32>(decimalsAt, decimals);
  return at;
}

/** Which of the 32 bytes from an address on are no digits: bit by bit. */
// @ts-ignore: decorator
@inline
export function othersIn(at: usize): u64 {
  return u64(u32(othersInHalf(at) | (othersInHalf(at + 16) << 16)));
}

// @ts-ignore: decorator
@inline
function othersInHalf(at: usize): i32 {
  return i8x16.bitmask(i8x16.gt_u(i8x16.sub(v128.load(at), i8x16.splat(i8(ZERO))), i8x16.splat(9)));
}

/**
 * The common number, at most eight digits on each side of its point, when it is known which bytes are no digits (`others`, from `from` on): what
 * comes next then does not wait for the digits' worth. Others are left to parseNumber.
 */
// @ts-ignore: decorator
@inline
export function parseKnown(from: usize, others: u64, valueAt: usize, decimalsAt: usize): usize {
  const digits = i32(ctz(others));
  if (u32(digits - 1) > 7 || (digits > 1 && load<u8>(from) === ZERO)) return parseNumber(from, valueAt, decimalsAt);
  const point = from + digits;
  let value = numberOf(load<u64>(from) ^ 0x3030303030303030, digits);
  if (load<u8>(point) !== POINT) {
    store<i64>(valueAt, value);
    store<i32>(decimalsAt, 0);
    return point;
  }
  const decimals = i32(ctz(others >> u64(digits + 1)));
  if (u32(decimals - 1) > 7 || digits + decimals > MOST_DIGITS) return parseNumber(from, valueAt, decimalsAt);
  store<i64>(valueAt, value * power(decimals) + numberOf(load<u64>(point + 1) ^ 0x3030303030303030, decimals));
  store<i32>(decimalsAt, decimals);
  return point + 1 + decimals;
}

/** `yyyy-mm-ddThh:mm:ss[.d{1,6}]`: since 1970, in its own last digit. */
export function parseTime(from: usize, to: usize): usize {
  if (to - from < TIME_LENGTH) return 0;
  const year = digitsAt(from, 4);
  const month = digitsAt(from + 5, 2);
  const day = digitsAt(from + 8, 2);
  const hour = digitsAt(from + 11, 2);
  const minute = digitsAt(from + 14, 2);
  const second = digitsAt(from + 17, 2);
  if (load<u8>(from + 4) !== DASH || load<u8>(from + 7) !== DASH || load<u8>(from + 10) !== LETTER_T) return 0;
  if (load<u8>(from + 13) !== COLON || load<u8>(from + 16) !== COLON || hour < 0 || minute < 0 || second < 0) return 0;
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return 0;
  if (hour > 23 || minute > 59 || second > 59) return 0;
  let value = i64(daysBefore(year, month, day)) * 86_400 + hour * 3_600 + minute * 60 + second;
  let at = from + TIME_LENGTH;
  let decimals = 0;
  if (at + 1 < to && load<u8>(at) === POINT && isDigit(load<u8>(at + 1))) {
    for (at++; at < to && decimals < MOST_TIME_DECIMALS && isDigit(load<u8>(at)); at++, decimals++)
      value = value * 10 + (i32(load<u8>(at)) - ZERO);
  }
  fieldValue = value;
  fieldDecimals = decimals;
  return at;
}

/** Exactly so many digits. */
export function parseDigits(from: usize, to: usize, width: i32): usize {
  if (to - from < usize(width)) return 0;
  let value: i64 = 0;
  for (let at = from; at < from + width; at++) {
    if (!isDigit(load<u8>(at))) return 0;
    value = value * 10 + (i32(load<u8>(at)) - ZERO);
  }
  fieldValue = value;
  fieldDecimals = 0;
  return from + width;
}

/** Where the quote stands that ends a text; 0 at an escape, or when there is none. */
export function endOfText(from: usize, to: usize): usize {
  for (let at = from; at < to; at++) {
    const byte = i32(load<u8>(at));
    if (byte === QUOTE) return at;
    if (byte === BACKSLASH) return 0;
  }
  return 0;
}

/** Where a run of small letters ends. */
export function endOfWord(from: usize, to: usize): usize {
  let at = from;
  while (at < to && u32(i32(load<u8>(at)) - LETTER_A) < 26) at++;
  return at > from ? at : 0;
}

// @ts-ignore: decorator
@inline
function isDigit(byte: i32): bool {
  return u32(byte - ZERO) <= 9;
}

/** The number that exactly `count` digits make, or -1. */
function digitsAt(from: usize, count: i32): i32 {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const byte = i32(load<u8>(at));
    if (!isDigit(byte)) return -1;
    value = value * 10 + byte - ZERO;
  }
  return value;
}

function isLeap(year: i32): bool {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

function daysIn(year: i32, month: i32): i32 {
  if (month === 2) return isLeap(year) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

/** Days from 1970-01-01 to the date. */
function daysBefore(year: i32, month: i32, day: i32): i32 {
  const before = year - 1;
  let days = before * 365 + before / 4 - before / 100 + before / 400 - 719_162;
  for (let earlier = 1; earlier < month; earlier++) days += daysIn(year, earlier);
  return days + day - 1;
}
