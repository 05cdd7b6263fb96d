/**
 * A page that is one file: style inside, charts as SVG, no script, nothing fetched (its policy forbids both). Readable on a phone, in light and
 * dark as the reader's system has it, and on paper.
 *
 * Everything that comes from a run passes through `escaped`: names of folders, markets and columns are others' words.
 */

/** HTML that may be put into a page as it is. */
export interface Html {
  readonly html: string;
}

export function raw(html: string): Html {
  return { html };
}

/** Text becomes harmless; Html stays; lists are joined. */
export function html(parts: TemplateStringsArray, ...values: readonly (string | number | Html | readonly Html[])[]): Html {
  return { html: parts.reduce((page, part, at) => page + harmless(values[at - 1]) + part) };
}

export function page(title: string, body: readonly Html[]): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${raw(STYLE)}</style>
</head>
<body>
${body}
</body>
</html>
`.html;
}

/** A chart or a table with its title and a sentence on how to read it. */
export function card(title: string, content: Html, note = ""): Html {
  return html`<section class="card"><h2>${title}</h2>${content}${note === "" ? raw("") : html`<p class="note">${note}</p>`}</section>
`;
}

/** Cells that are numbers stand to the right. */
export function dataTable(head: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html {
  return html`<div class="wide" tabindex="0"><table><thead><tr>${head.map((cell) => html`<th>${cell}</th>`)}</tr></thead><tbody>${rows.map((row) => html`<tr>${row.map((cell) => html`<td>${cell}</td>`)}</tr>`)}</tbody></table></div>`;
}

/** Pairs of name and value. */
export function factList(facts: readonly (readonly [string, string])[]): Html {
  return html`<dl>${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What a colour stands for. */
export function legend(items: readonly (readonly [string, string])[]): Html {
  return html`<p class="legend">${items.map(([name, color]) => html`<span><i style="background:${color}"></i>${name}</span> `)}</p>`;
}

function harmless(value: string | number | Html | readonly Html[] | undefined): string {
  if (value === undefined) return "";
  if (typeof value === "string") return escaped(value);
  if (typeof value === "number") return String(value);
  return "html" in value ? value.html : value.map((part) => part.html).join("");
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Series colours after Okabe and Ito 2008, told apart by most colour-blind readers; lighter in the dark. */
const STYLE = `
:root { color-scheme: light dark; --paper: #fff; --ink: #1b1f24; --soft: #5b6570; --line: #d8dee4; --card: #f7f8fa;
  --train: #c45a00; --validation: #0068a8;
  --series-1: #0068a8; --series-2: #c45a00; --series-3: #00805c; --series-4: #a8447d; --series-5: #8a6d00; --series-6: #3c8dc4; --series-7: #7a4fbf; --series-8: #555; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171a; --ink: #e7eaed; --soft: #9aa5b1; --line: #333a41; --card: #1c2126;
  --train: #f29d52; --validation: #62b8f0;
  --series-1: #62b8f0; --series-2: #f29d52; --series-3: #4cc9a0; --series-4: #e090bd; --series-5: #e0c350; --series-6: #9ad0f5; --series-7: #b79af0; --series-8: #b0b0b0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 74rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1rem; margin: 0 0 .6rem; }
p { margin: .4rem 0; }
.lead, .note { color: var(--soft); }
.note { font-size: .85rem; margin: .6rem 0 0; }
.warning { border-left: 4px solid var(--train); padding: .4rem .8rem; background: var(--card); }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 21rem), 1fr)); gap: 1rem; margin-top: 1rem; align-items: start; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; min-width: 0; }
.grid + .card, .card + .card, .card + .grid { margin-top: 1rem; }
.grid > .card { margin-top: 0; }
.card svg { display: block; width: 100%; max-width: 30rem; height: auto; margin: 0 auto; color: var(--ink); overflow: visible; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; min-width: min(100%, 32rem); overflow-wrap: normal; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th { color: var(--soft); font-weight: 600; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
dl { margin: 0; font-size: .85rem; }
dl div { display: grid; grid-template-columns: minmax(9.8rem, 30%) 1fr; gap: .8rem; padding: .25rem 0; border-bottom: 1px solid var(--line); }
dt { color: var(--soft); }
dd { margin: 0; font-variant-numeric: tabular-nums; }
.legend { font-size: .85rem; }
.legend span { margin-right: 1rem; white-space: nowrap; }
.legend i { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin-right: .35em; vertical-align: -.05em; }
@media print { .card { break-inside: avoid; } }
`;
