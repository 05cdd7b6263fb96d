/** Times as venues write them: a wrong millisecond moves every label and latency, and a nonsense date must not become a time. */

import fc from "fast-check";
import { expect, it } from "vitest";
import { parseIsoTime } from "../../exchanges/decoding/iso-time.ts";

const parse = (text: string) => parseIsoTime(text, 0, text.length);

it.each([
  ["2021-04-17T16:43:37.075687Z", 1_618_677_817_075],
  ["2026-09-26T04:15:38.40993531Z", 1_790_396_138_409],
  ["2023-02-09T20:30:37.167359596Z", 1_675_974_637_167],
  ["2026-09-05T22:10:30.2Z", 1_788_646_230_200],
  ["2026-09-05T22:10:30.25Z", 1_788_646_230_250],
  ["2023-11-14T22:13:20Z", 1_700_000_000_000],
  // Cut off, never rounded into a time that had not begun.
  ["1999-12-31T23:59:59.999999999Z", 946_684_799_999],
  ["1970-01-01T00:00:00Z", 0],
  ["2000-02-29T00:00:00.000Z", 951_782_400_000],
  ["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
])("%s", (text, expected) => {
  expect(parse(text)).toBe(expected);
});

it.each([
  "",
  "Z",
  "2023-11-14",
  "2023-11-14T22:13:20",
  "2023-11-14T22:13:20z",
  "2023-11-14t22:13:20Z",
  "2023-11-14 22:13:20Z",
  "2023-11-14T22:13:20+00:00",
  "2023-11-14T22:13:20.Z",
  "2023-11-14T22:13:20,5Z",
  "2023-11-14T22:13:20.1234567890Z",
  "2023-11-14T22:13:20.12x4Z",
  "2023-11-14T22:13:20.-12Z",
  "2023-02-29T00:00:00Z",
  "2100-02-29T00:00:00Z",
  "2023-04-31T00:00:00Z",
  "2023-00-10T00:00:00Z",
  "2023-13-10T00:00:00Z",
  "2023-01-00T00:00:00Z",
  "2023-01-32T00:00:00Z",
  "2023-01-01T24:00:00Z",
  "2023-01-01T23:60:00Z",
  "2016-12-31T23:59:60Z",
  "1969-12-31T23:59:59Z",
  "20x3-01-01T00:00:00Z",
  "2023-0a-01T00:00:00Z",
  "2023-01-01T0a:00:00Z",
  "2023-01-01T00:-1:00Z",
  "+023-01-01T00:00:00Z",
])("refuses %s", (text) => {
  expect(parse(text)).toBe(-1);
});

it("is the platform's own reading of every day and millisecond there is", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 253_402_300_799_999 }), (time) => {
      expect(parse(new Date(time).toISOString())).toBe(time);
    }),
    { numRuns: 20_000 },
  );
});

it("never takes for a time what the platform takes for none", () => {
  const near = fc.stringMatching(/^[012]\d\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d:[0-6]\d(\.\d{1,3})?Z$/);
  fc.assert(
    fc.property(near, (text) => {
      const time = parse(text);
      if (time >= 0) expect(new Date(time).toISOString().slice(0, 19)).toBe(text.slice(0, 19));
      else
        expect(Number.isNaN(Date.parse(text)) || Date.parse(text) < 0 || !new Date(text).toISOString().startsWith(text.slice(0, 19))).toBe(
          true,
        );
    }),
    { numRuns: 20_000 },
  );
});

it("reads a part of a text and nothing beside it", () => {
  expect(parseIsoTime('"time":"2023-11-14T22:13:20Z"}', 8, 28)).toBe(1_700_000_000_000);
  expect(parseIsoTime("x2023-11-14T22:13:20.123Z", 1, 25)).toBe(1_700_000_000_123);
});
