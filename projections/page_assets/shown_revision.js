// A revision: its marks and times, what changed in it, its entries, and the fields of the notice as it then stood.
const ENTRY_TEXTS = [["actor", "by"], ["reason", "because"], ["scope", "scope"], ["quote", "quote"], ["source", "source"]];

const marksAt = (stage) => marksOf(stage.entries.some((one) => one.late), stage.entries.some((one) => stage.fold.over.has(one.entry.version)));

function compareRevision(shown, section, stage) {
  const { found, key } = shown, name = `r${stage.number}`, last = stage.entries[stage.entries.length - 1];
  const heading = section.querySelector("h2"), title = section.querySelector(".title"), changes = changesAt(stage, section);
  const own = stage.windows.filter((one) => one.first === stage.number).map((one) => one.window.id);
  found.value(section.dataset.windows || "", own.join(" "), `${name}, the windows it changed`);
  found.value(`${section.getAttribute("aria-labelledby")} ${heading.id}`, `h${stage.number} h${stage.number}`, `${name}, its name`);
  found.element(heading, `Revision ${stage.number} ${marksAt(stage)}`, `${name}, its marks`);
  const times = `Published ${shownInstant(stage.entries[0].at)} Recorded ${shownInstant(last.entry.recorded)}`;
  found.element(section.querySelector(".clocks"), times, `${name}, its times`);
  const told = changes.length ? changes : ["Nothing that a reader of the notice would see."];
  found.many(all(".changes li", section), told, `${name}, what changed`, (item, said) => found.element(item, said, `${name}, what changed`));
  found.many(all(".said li", section), stage.entries, `${name}, its entries`, (item, one) => compareEntry(shown, item, one, stage));
  found.element(title, isText(stage.title) ? shown.text(stage.title) : key, `${name}, the title`);
  shown.marked(title.querySelector("[data-text]"), stage.before ? stage.before.title : undefined, stage.title, `${name}, the title`);
  found.many(all(".facts > div", section), stage.facts, `${name}, the fields`, (row, fact) => {
    const was = all("del", row).map((one) => textShown(one)).join();
    found.value(`${textShown(row, "del")} ${was}`, `${fact.name} ${fact.value} ${fact.was ?? ""}`, `${name}, ${fact.name}`);
    found.value(row.classList.contains("moved"), fact.was !== null, `${name}, ${fact.name}, whether it moved`);
  });
  const under = rangesOf(standingAt(stage, shown.model.posts));
  const standing = under ? `Standing unchanged: the statements printed under ${under} that are not replaced since.` : "";
  found.element(section.querySelector(".standing"), standing, `${name}, what stands unchanged`);
}

function compareEntry(shown, item, { entry, at, late }, stage) {
  const texts = ENTRY_TEXTS.filter(([field]) => isText(entry.event[field]))
    .map(([field, label]) => `${label} ${shown.text(entry.event[field])}${label === "by" ? "(as claimed)" : ""}`);
  const name = `@${entry.position} v${entry.version}`;
  const marks = `${marksOf(late, stage.fold.over.has(entry.version))} ${entry.clockBehind ? "clock behind" : ""}`;
  shown.found.data(item, { entry: entry.version, position: entry.position, type: entry.type, recorded: entry.recorded }, name);
  const times = `published ${shownInstant(at)}, recorded ${shownInstant(entry.recorded)}`;
  shown.found.element(item, `${entry.type} ${name}, ${times} ${marks} ${texts.join(" ")}`, `r${stage.number}, ${name}`);
}

// Under which revisions the statements are printed that stand unchanged in one.
function standingAt(stage, told) {
  const standing = told.filter((post) => post.first < stage.number && (post.until ?? stage.number + 1) > stage.number);
  return [...new Set(standing.map((post) => post.first))].sort((one, other) => one - other);
}

function headline(stage, section) {
  const said = stage.fresh.filter((post) => !post.changed).map((post) => post.heading).join(", ");
  return said || changesAt(stage, section)[0] || "No visible change";
}

function changesAt(stage, section) {
  const found = stage.before ? [] : ["The notice was published."];
  for (const post of stage.fresh) {
    if (post.one.entry.type.startsWith("window.")) continue;
    const named = `“${post.heading}” (${shownInstant(post.one.at)})`;
    if (!post.changed) found.push(`Said: ${post.heading}.`);
    else if (changedText(post.before, post.event.body)) found.push(`Text of ${named} changed.`);
    else if (post.corrections.length) found.push(`${named} corrected.`);
  }
  for (const version of stage.gone) found.push(`The statement v${version} was withdrawn.`);
  for (const { entry } of stage.entries) {
    if (entry.type === "entry.redacted") found.push(`Erased: ${entry.event.fields.join(", ")} of v${entry.event.entry}.`);
    else if (entry.event.internal) found.push(`Made public: v${entry.version}, recorded ${shownInstant(entry.recorded)}.`);
  }
  if (stage.before && changedText(stage.before.title, stage.title)) found.push("The title changed.");
  for (const fact of stage.before ? stage.facts : []) if (fact.was !== null) found.push(`${fact.name}: ${fact.was} → ${fact.value}.`);
  for (const { window, ghosts } of stage.windows.filter((one) => one.first === stage.number)) {
    found.push(`Impact window ${window.id} ${window.withdrawn ? "withdrawn" : ghosts ? "revised" : "added"}.`);
  }
  return [...found, ...movedIn(section)];
}

// Downtime is compared with the cards, which say it too.
function movedIn(section) {
  return (section ? all(".figure.moved", section) : []).flatMap((card) => {
    const was = card.querySelector(".was del"), [service, region] = placeOf(card);
    const now = card.querySelector(".value").textContent;
    return was ? [`Downtime of ${service} in ${region}, ${card.dataset.period}: ${was.textContent} → ${now}.`] : [];
  });
}
