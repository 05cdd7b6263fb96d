/**
 * What the front page's tables share: asking the API, cells, and asking anew while somebody looks. What the API says goes in as text, never as
 * markup.
 */

/** @returns the answer, and whether it is one: a refusal is the API's word too. */
export async function ask(path) {
  const response = await fetch(path);
  return { ok: response.ok, body: await response.json() };
}

/** @throws with the API's reason where it refuses. */
export async function askForAnswer(path) {
  const { ok, body } = await ask(path);
  if (!ok) throw new Error(body.detail);
  return body;
}

export function cell(text, title = "") {
  const td = document.createElement("td");
  td.textContent = text;
  td.title = title;
  return td;
}

export function linkCell(text, href) {
  const td = document.createElement("td");
  const link = document.createElement("a");
  link.href = href;
  link.textContent = text;
  td.append(link);
  return td;
}

/**
 * Fills a table now and every so often, not while its page is hidden. The note below it says what `fill` gives, or why there is no answer.
 * @param fill puts the rows in; gives the note's text.
 */
export function keepFilled(note, intervalMs, fill) {
  async function run() {
    if (!document.hidden) note.textContent = await fill().catch((error) => `no answer: ${error instanceof Error ? error.message : error}`);
    setTimeout(run, intervalMs);
  }
  void run();
}
