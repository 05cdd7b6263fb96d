/**
 * The front page's second table: how well each market was recorded in the last 24 hours, an hour a bar, as high as its coverage. An hour of
 * which nothing was expected (before the first recording, still to come) is grey and flat.
 */

import { askForAnswer, cell, keepFilled, linkCell } from "./table.js";

/** The stored minutes grow by one a minute, and each look reads a row of each of them. */
const INTERVAL_MS = 60_000;
/** Rounding down: 100 % is said of nothing less. */
const WHOLE = 1;
const POOR = 0.9;
const HOUR_MS = 3_600_000;
const HOURS = 24;
const body = document.querySelector("#quality tbody");

function percent(share) {
  if (share === null) return "–";
  return share >= WHOLE ? "100 %" : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

function duration(ms) {
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < HOUR_MS) return `${(ms / 60_000).toFixed(1)} min`;
  return `${(ms / HOUR_MS).toFixed(1)} h`;
}

function clock(time) {
  return `${new Date(time).toISOString().slice(11, 16)} UTC`;
}

function bar(start, bucket) {
  const span = document.createElement("span");
  const share = bucket?.coverage ?? null;
  span.className = share === null ? "none" : share >= WHOLE ? "whole" : share >= POOR ? "part" : "poor";
  span.style.height = `${share === null ? 10 : Math.max(10, share * 100)}%`;
  const minutes = bucket === undefined ? "" : `, ${bucket.minutes} of ${bucket.expectedMinutes} minutes stored`;
  span.title = `from ${clock(start)}: ${share === null ? "nothing expected" : percent(share)}${minutes}`;
  return span;
}

/** The hours that the range touches, whether the market has them or not: every row lines up with the next. */
function strip(to, { market, coverage, buckets }) {
  const div = document.createElement("div");
  div.className = "strip";
  div.setAttribute("role", "img");
  div.setAttribute("aria-label", `${market}: ${percent(coverage)} of the last 24 hours covered`);
  const last = Math.floor((to - 1) / HOUR_MS) * HOUR_MS;
  for (let index = HOURS; index >= 0; index--) {
    const start = last - index * HOUR_MS;
    div.append(
      bar(
        start,
        buckets.find((bucket) => bucket.start === start),
      ),
    );
  }
  const td = document.createElement("td");
  td.append(div);
  return td;
}

/** "2, longest 3.1 s"; one that goes on now stands first. */
function gapsCell({ count, counts, longest, open }) {
  const kinds = counts.map((each) => `${each.count} × ${each.reason} (${each.channel}), ${duration(each.totalMs)}`).join("\n");
  if (open.length > 0) {
    const td = cell(`${open[0].reason} since ${clock(open[0].from)}`, `${open[0].detail}\n${kinds}`);
    td.className = "open";
    return td;
  }
  return cell(count === 0 ? "none" : `${count}, longest ${duration(longest.lengthMs)}`, kinds);
}

function proofCell(proof) {
  if (proof === null) return cell("no answer");
  if (proof.comparisons === 0) return cell("not compared");
  return cell(`${proof.mismatches} of ${proof.comparisons} differ`, "since the feed's process began");
}

function row(to, quality) {
  const tr = document.createElement("tr");
  const missing = quality.missingMinutes === 0 ? "" : `${quality.missingMinutes} minutes are not stored`;
  const name = linkCell(quality.market, `/v1/quality/${encodeURIComponent(quality.market)}?by=hour`);
  tr.append(name, strip(to, quality), cell(percent(quality.coverage), missing), gapsCell(quality.gaps), proofCell(quality.proof));
  return tr;
}

async function fill() {
  const { to, markets, otherGaps } = await askForAnswer("/v1/quality?by=hour");
  body.replaceChildren(...markets.map((quality) => row(to, quality)));
  const lost = otherGaps.reduce((sum, { count }) => sum + count, 0);
  return `as of ${clock(to)}${lost === 0 ? "" : `; tape was let go ${lost} times: see /v1/gaps`}`;
}

keepFilled(document.querySelector("#quality-note"), INTERVAL_MS, fill);
