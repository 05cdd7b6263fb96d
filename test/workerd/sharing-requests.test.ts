/** Many requests that wait for one's work, when the code has been optimised under load: none may go on in another's context, where its answer would be refused. */

import { exports } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";

async function ask(path: string): Promise<string> {
  try {
    const response = await exports.SharingRequests.fetch(`https://edgebook.test${path}`);
    return `${response.status} ${await response.text()}`;
  } catch (error) {
    return String(error);
  }
}

beforeAll(async () => {
  expect(await ask("/warm")).toBe("200 /warm ");
});

describe("requests that come while another's work is on its way", () => {
  it("of one market, over a minute's boundary: each answers for itself", async () => {
    await ask("/minute");
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask("/desk?market=v:A")));
    expect(answers).toEqual(Array.from({ length: 16 }, () => "200 /desk v:A"));
  });

  it("of as many markets, whose questions go together: each answers for itself", async () => {
    await ask("/minute");
    const paths = Array.from({ length: 16 }, (_, index) => `/desk?market=v:M${index}`);
    expect(await Promise.all(paths.map(ask))).toEqual(Array.from({ length: 16 }, (_, index) => `200 /desk v:M${index}`));
  });

  it("of a look at the roles: each goes on when it is done", async () => {
    const answers = await Promise.all(Array.from({ length: 16 }, () => ask("/look")));
    expect(answers).toEqual(Array.from({ length: 16 }, () => "200 /look "));
  });
});
