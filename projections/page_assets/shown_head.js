// What stands before and after the revisions: title, list of revisions, slider, table of entries, what is not shown.
function compareHead(shown) {
  const { found, key, data, model: { stages } } = shown, last = stages[stages.length - 1], first = stages[0];
  found.value(document.title, `Replay of ${key}`, "The title of the page");
  found.element(document.querySelector("h1"), isText(last.title) ? shown.text(last.title) : key, "The title");
  const range = stages.length === 1 ? `one revision, published ${shownInstant(last.entries[0].at)}`
    : `${stages.length} revisions, published from ${shownInstant(first.entries[0].at)} to ${shownInstant(last.entries[0].at)}`;
  const cut = data.published_by ? `; as the public had been told by ${shownInstant(data.published_by)}` : "";
  found.value(textShown(document.querySelector(".lede"), "a"), `${key}, ${range}${cut}.`, "The line below the title");
  found.many(all(".rail a"), stages, "The list of revisions", (link, stage, at) => {
    const name = `r${stage.number} in the list`, published = stage.entries[0].at;
    found.data(link, { go: at }, name);
    found.value(link.getAttribute("href"), `#r${stage.number}`, name);
    const when = `${published.slice(0, 10)} ${published.slice(11, 16)} UTC`;
    found.element(link, `r${stage.number} ${when} ${marksAt(stage)} ${plainly(headline(stage, sections[at]))}`, name);
  });
  found.value(`${slider.max} ${slider.getAttribute("value")}`, `${stages.length - 1} ${stages.length - 1}`, "The slider");
}

function compareEntries({ found, model }) {
  const listed = model.stages.flatMap((stage) => stage.entries.map(({ entry }) => [stage, entry]));
  found.many(all("#entries tbody tr"), listed, "The table of entries", (row, [stage, entry]) => {
    found.data(row, { version: entry.version }, `@${entry.position}`);
    const cells = Array.from(row.cells).slice(0, 3).map((cell) => textShown(cell, "del"));
    found.value(cells.join("|"), `@${entry.position} v${entry.version}|r${stage.number}|${entry.type}`, `@${entry.position} in the table of entries`);
  });
}

// What the page says that it does not show; how many entries are not on it cannot be known here, only that some are missing.
function compareUnproven({ found, data, model }) {
  const { hidden, version, published_by: cut, with_others: others } = data, versions = model.entries.map((one) => one.version);
  const missing = Math.max(...versions) - versions.length, one = hidden === 1;
  const named = typeof version === "string" && /^[\w.+-]{1,40}$/.test(version) ? ` by incident-sla-ledger ${version}` : "";
  found.value(Number.isSafeInteger(hidden) && hidden >= missing, true, "How many entries are not on the page");
  const entries = `${hidden} ${one ? "entry" : "entries"} of this incident ${one ? "is" : "are"} not public`;
  found.element(byId("unproven"), `Who the actors were: their names are claims.
    What policies make of the windows: availability and credit, and how they are put, were computed when this page was made${named},
    and are not recomputed here${others ? ", and neither is downtime, as windows of other incidents count in it" : ""}.
    That the page's own program is the one that was meant: whoever writes a whole page anew can make it say anything.
    The bytes of each entry can be read above.
    ${hidden ? `${entries}${cut ? " under this cut" : ""} and not on this page.` : "That nothing came after the last entry on this page."} Notes are never public, and kept back.`, "What this does not show");
}
