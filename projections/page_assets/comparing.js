// What the page shows, against what the entries say: both clocks, statuses, marks, statements, windows as drawn and as a
// table, and downtime. Spaces are left out of account; texts of events are also compared letter by letter (checking.js).
const NAMES = {
  ad: "SHY", "61c": "ALM", "200b": "ZWSP", "200e": "LRM", "200f": "RLM", 2028: "LS", 2029: "PS", "202a": "LRE", "202b": "RLE", "202c": "PDF",
  "202d": "LRO", "202e": "RLO", 2060: "WJ", 2066: "LRI", 2067: "RLI", 2068: "FSI", 2069: "PDI", feff: "BOM",
};
const ENTRY_TEXTS = [["actor", "by"], ["reason", "because"], ["scope", "scope"], ["quote", "quote"], ["source", "source"]];
const LONG = 1500;

// Where no names can be put apart from a text, what cannot be seen is named in brackets.
const plainly = (text) => text.replace(/[\p{Cf}\u2028\u2029]/gu, (letter) => {
  const code = letter.codePointAt(0).toString(16);
  return "\u200c\u200d".includes(letter) ? letter : `[${NAMES[code] || `U+${code.toUpperCase().padStart(4, "0")}`}]`;
});
// By which entry that is not here a text is gone, or whether by any, cannot be known here.
const bare = (text) => text.replace(/\s+/g, "").replaceAll("[missing]nothere,anderasedbynoentry", "[erased]byanentrythatisnotpublic").replaceAll("[missing]", "[erased]");
const grouped = (number) => String(number).replace(/\B(?=(?:\d{3})+$)/g, ",");
const marksOf = (late, after) => `${late ? " recorded later" : ""}${after ? " after resolved" : ""}`;
const isText = (text) => text !== undefined && text !== null;
const changedText = (was, now) => Boolean(isText(was) && isText(now) && was.value !== null && now.value !== null && was.value !== now.value);

function duration(seconds) {
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [seconds % 60, "s"]];
  return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function rangesOf(numbers) {
  const spans = [];
  for (const one of numbers) {
    if (spans.length && spans[spans.length - 1][1] === one - 1) spans[spans.length - 1][1] = one; else spans.push([one, one]);
  }
  return spans.map(([low, high]) => (low === high ? `r${low}` : `r${low} to r${high}`)).join(", ");
}

// What was found to differ, each place once, and how many places were compared.
class Comparison {
  constructor() { this.problems = []; this.places = 0; }
  value(shown, said, what) {
    this.places += 1;
    if (bare(String(shown)) === bare(String(said))) return;
    const short = (text) => { const line = String(text).replace(/\s+/g, " ").trim(); return line.length > 160 ? `${line.slice(0, 160)} …` : line; };
    this.problems.push(`${what}: the page shows “${short(shown)}”, its entries say “${short(said)}”.`);
  }
  element(found, said, what) { this.value(found ? textShown(found, "del") : "", said, what); }
  data(found, names, what) { for (const [name, said] of Object.entries(names)) this.value(found.dataset[name] ?? "none", said ?? "none", `${what} (${name})`); }
  many(found, said, what, each) {
    this.value(found.length, said.length, `${what}, how many`);
    if (found.length === said.length) said.forEach((one, at) => each(found[at], one, at));
  }
}

class Retelling {
  constructor(results, data) {
    this.data = data;
    this.model = retold(results, numbers);
    this.key = data.stream.slice(data.stream.indexOf("/") + 1);
    this.places = placesOf(this.model.stages);
    this.months = new Set(all(".figure").map((card) => card.dataset.period));
    this.found = new Comparison();
  }
  text(text) {
    if (!isText(text)) return "";
    if (text.value !== null) return text.value;
    const by = this.model.erasures.get(text.source), word = (one) => one.value ?? "[erased]";
    return by && by.published !== null ? `[erased] erased ${shownInstant(by.recorded)} (v${by.version}) by ${word(by.event.actor)}, as claimed: ${word(by.event.reason)}` : "[erased] by an entry that is not public";
  }
  // An element that shows a text, and what is marked in it as changed since the revision before.
  marked(element, was, now, what) {
    const marks = changedText(was, now);
    this.found.value(Boolean(element && element.dataset.before !== undefined), marks, `${what}, whether a change is marked`);
    if (marks && element) this.found.value(textShown(element, "ins"), was.value, `${what}, what stood there before`);
  }
  all() {
    const { stages } = this.model;
    this.numbered(stages);
    this.times();
    this.head(stages);
    this.found.many(sections, stages, "Revisions", (section, stage) => this.revision(section, stage));
    this.statements();
    this.windows();
    this.unproven();
    this.words();
    this.shapes();
    return this.found;
  }
  // An entry that the cut leaves out may have taken a number; nothing else may.
  numbered(stages) {
    const cut = this.data.published_by;
    stages.forEach((stage, at) => {
      const last = at ? stages[at - 1] : null, from = last ? last.own[last.own.length - 1].version : 0;
      const room = cut ? stage.own[0].version - from - 1 : 0, step = stage.number - (last ? last.number : 0);
      if (!(step >= 1 && step <= 1 + room)) this.found.value(`r${stage.number}`, `r${(last ? last.number : 0) + 1}`, "The number of a revision");
      if (cut && stage.told.some((one) => one.at > cut)) this.found.value(cut, stage.told[stage.told.length - 1].at, "What had been published by the cut");
    });
  }
  // Every time of an entry names the position of the entry behind it.
  times() {
    const told = new Map(this.model.stages.flatMap((stage) => stage.entries).map((one) => [`@${one.entry.position}`, one]));
    for (const time of all("time")) {
      const { of, clock } = time.dataset, one = told.get(of);
      const said = of === "cut" ? this.data.published_by : one && clock === "published" ? one.at : one && clock === "recorded" ? one.entry.recorded : null;
      const instant = time.getAttribute("datetime");
      this.found.value(instant, said ?? "nothing", `A time (${clock}) of ${of}`);
      this.found.value(time.textContent, shownInstant(instant), `A time (${clock}) of ${of}, as it is written`);
    }
  }
  head(stages) {
    const last = stages[stages.length - 1], first = stages[0], { found } = this;
    found.element(document.querySelector("h1"), isText(last.title) ? this.text(last.title) : this.key, "The title");
    const range = stages.length === 1 ? `one revision, published ${shownInstant(last.entries[0].at)}`
      : `${stages.length} revisions, published from ${shownInstant(first.entries[0].at)} to ${shownInstant(last.entries[0].at)}`;
    const cut = this.data.published_by ? `; as the public had been told by ${shownInstant(this.data.published_by)}` : "";
    found.value(textShown(document.querySelector(".lede"), "a"), `${this.key}, ${range}${cut}.`, "The line below the title");
    found.many(all(".rail a"), stages, "The list of revisions", (link, stage, at) => {
      found.data(link, { go: at }, `r${stage.number} in the list`);
      found.value(link.getAttribute("href"), `#r${stage.number}`, `r${stage.number} in the list`);
      found.element(link, `r${stage.number} ${stage.entries[0].at.slice(0, 10)} ${stage.entries[0].at.slice(11, 16)} UTC ${this.marks(stage)} ${plainly(this.headline(stage, sections[at]))}`, `r${stage.number} in the list`);
    });
    found.value(slider.max, stages.length - 1, "The slider");
    found.many(all("#entries tbody tr"), stages.flatMap((stage) => stage.entries.map(({ entry }) => [stage, entry])), "The table of entries", (row, [stage, entry]) => {
      found.data(row, { version: entry.version }, `@${entry.position}`);
      found.value(Array.from(row.cells).slice(0, 3).map((cell) => textShown(cell, "del")).join("|"), `@${entry.position} v${entry.version}|r${stage.number}|${entry.type}`, `@${entry.position} in the table of entries`);
    });
  }
  marks(stage) {
    return marksOf(stage.entries.some((one) => one.late), stage.entries.some((one) => stage.fold.over.has(one.entry.version)));
  }
  headline(stage, section) {
    const said = stage.fresh.filter((post) => !post.changed).map((post) => post.heading).join(", ");
    return said || this.changes(stage, section)[0] || "No visible change";
  }
  changes(stage, section) {
    const found = [];
    if (!stage.before) found.push("The notice was published.");
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
    for (const state of stage.windows.filter((one) => one.first === stage.number)) {
      found.push(`Impact window ${state.window.id} ${state.window.withdrawn ? "withdrawn" : state.ghosts ? "revised" : "added"}.`);
    }
    // Downtime is compared with the cards, which say it too.
    for (const card of section ? all(".figure.moved", section) : []) {
      const was = card.querySelector(".was del");
      if (was) found.push(`Downtime of ${textShown(card.querySelector("h4 .aside bdi"))} in ${textShown(card.querySelector("h4 > bdi"))}, ${card.dataset.period}: ${was.textContent} → ${card.querySelector(".value").textContent}.`);
    }
    return found;
  }
  revision(section, stage) {
    const { found } = this, name = `r${stage.number}`, last = stage.entries[stage.entries.length - 1];
    found.value(section.dataset.windows || "", stage.windows.filter((one) => one.first === stage.number).map((one) => one.window.id).join(" "), `${name}, the windows it changed`);
    found.element(section.querySelector("h2"), `Revision ${stage.number} ${this.marks(stage)}`, `${name}, its marks`);
    found.element(section.querySelector(".clocks"), `Published ${shownInstant(stage.entries[0].at)} Recorded ${shownInstant(last.entry.recorded)}`, `${name}, its times`);
    const changes = this.changes(stage, section);
    found.many(all(".changes li", section), changes.length ? changes : ["Nothing that a reader of the notice would see."], `${name}, what changed`, (item, said) => found.element(item, said, `${name}, what changed`));
    found.many(all(".said li", section), stage.entries, `${name}, its entries`, (item, one) => this.entry(item, one, stage));
    const title = section.querySelector(".title");
    found.element(title, isText(stage.title) ? this.text(stage.title) : this.key, `${name}, the title`);
    this.marked(title.querySelector("[data-text]"), stage.before ? stage.before.title : undefined, stage.title, `${name}, the title`);
    found.many(all(".facts > div", section), stage.facts, `${name}, the fields`, (row, fact) => {
      found.value(`${textShown(row, "del")} ${all("del", row).map((was) => textShown(was)).join()}`, `${fact.name} ${fact.value} ${fact.was ?? ""}`, `${name}, ${fact.name}`);
    });
    const standing = [...new Set(this.model.posts.filter((post) => post.first < stage.number && (post.until ?? stage.number + 1) > stage.number).map((post) => post.first))].sort((one, other) => one - other);
    found.element(section.querySelector(".standing"), standing.length ? `Standing unchanged: the statements printed under ${rangesOf(standing)} that are not replaced since.` : "", `${name}, what stands unchanged`);
    this.figures(section, stage);
  }
  entry(item, { entry, at, late }, stage) {
    const texts = ENTRY_TEXTS.filter(([field]) => isText(entry.event[field])).map(([field, label]) => `${label} ${this.text(entry.event[field])}${label === "by" ? "(as claimed)" : ""}`).join(" ");
    const name = `@${entry.position} v${entry.version}`;
    this.found.data(item, { entry: entry.version, position: entry.position, type: entry.type, recorded: entry.recorded }, name);
    this.found.element(item, `${entry.type} ${name}, published ${shownInstant(at)}, recorded ${shownInstant(entry.recorded)} ${marksOf(late, stage.fold.over.has(entry.version))} ${entry.clockBehind ? "clock behind" : ""} ${texts}`, `r${stage.number}, ${name}`);
  }
  statements() {
    const { found } = this;
    found.many(posts.slice().sort((one, other) => Number(one.dataset.order) - Number(other.dataset.order)), this.model.posts, "Statements", (article, post) => {
      const name = `v${post.version} as of r${post.first}`, { one, event } = post;
      found.data(article, { order: post.order, first: post.first, until: post.until }, name);
      found.value(article.closest("section").id, `r${post.first}`, `${name}, where it stands`);
      const letters = isText(event.body) && event.body.value !== null ? Array.from(event.body.value).length : 0;
      const body = isText(event.body) ? `${this.text(event.body)} ${letters > LONG ? `${grouped(letters)} characters.` : ""} ${event.body_format === "markdown" ? "Markdown, shown as it was written." : ""}` : "";
      const corrections = post.corrections.map((made) => `${made.entry.event.kind === "editorial" ? "edited" : "corrected"} ${shownInstant(made.at)} ${marksOf(made.late, made.after)}
        (v${made.entry.version}: ${Object.keys(made.entry.event.set).sort().join(", ")})${isText(made.entry.event.reason) ? `: ${this.text(made.entry.event.reason)}` : ""}`);
      found.element(article, `${post.heading} ${post.changed ? "changed" : "new"} in r${post.first} ${marksOf(one.late, post.after)} published ${shownInstant(one.at)}, recorded ${shownInstant(one.entry.recorded)}
        ${post.status ? `, status ${post.status}` : ""} ${body} ${isText(event.reason) ? `reason ${this.text(event.reason)}` : ""} ${corrections.join(" ")}`, name);
      this.marked(article.querySelector(".body[data-text]"), post.before, event.body, name);
    });
  }
  // Downtime is the union of the windows in a month of UTC; with windows of other incidents it cannot be known here.
  figures(section, stage) {
    const { found, data } = this, cards = all(".figure", section), name = `r${stage.number}`;
    const counted = section.querySelector(".counted");
    if (data.with_others) {
      // What these come to cannot be known here, only of which places and in which words it is said.
      const until = /(?: Windows that are open count to [0-9 :-]+ UTC\.)?$/.exec(textShown(counted).trim())[0];
      found.element(counted, `With the windows of other incidents that touch the same months.${until}`, `${name}, what was counted`);
      for (const card of cards) {
        const place = [textShown(card.querySelector("h4 .aside bdi")), textShown(card.querySelector("h4 > bdi"))], seconds = Number(card.querySelector(".value").dataset.seconds);
        found.value(this.places.some((one) => one.join() === place.join()) && /^\d{4}-\d\d$/.test(card.dataset.period), true, `${name}, the places that were counted`);
        found.element(card.querySelector("h4"), `${place[1]} ${place[0]}, ${card.dataset.period}`, `${name}, the places that were counted`);
        const [, more] = /((?:, provisional)?(?:, about)?)$/.exec(textShown(card.querySelector(".big")).trim());
        found.element(card.querySelector(".big"), `${grouped(seconds)} s downtime${seconds ? `, ${duration(seconds)}` : ""}${more}`, `${name}, what was counted`);
        found.value(/^(?:before: [\d,]+ s)?$/.test(card.querySelector(":scope > .was")?.textContent ?? ""), true, `${name}, what was counted before`);
      }
      return;
    }
    const last = stage.own[stage.own.length - 1].recorded;
    const untilText = data.as_of ?? (data.published_by && data.published_by < last ? data.published_by : last);
    const now = stage.windows.map((one) => one.window), old = stage.before ? stage.before.windows.map((one) => one.window) : now;
    const until = secondsOf(untilText);
    const months = [...new Set(cards.map((card) => card.dataset.period))].sort();
    found.value(cards.map((card) => JSON.stringify([textShown(card.querySelector("h4 .aside bdi")), textShown(card.querySelector("h4 > bdi")), card.dataset.period])).join(),
      months.flatMap((month) => this.places.map((place) => JSON.stringify([...place, month]))).join(), `${name}, the places that were counted`);
    let provisional = false;
    const shown = new Set();
    for (const card of cards) {
      const region = textShown(card.querySelector("h4 > bdi")), service = textShown(card.querySelector("h4 .aside bdi")), month = card.dataset.period;
      const is = downtimeIn(now, service, region, month, until), was = downtimeIn(old, service, region, month, until);
      provisional = provisional || is.provisional;
      shown.add(JSON.stringify([service, region, month]));
      const moved = was.seconds === is.seconds ? "" : `before: ${grouped(was.seconds)} s`, what = `${name}, downtime of ${service} in ${region}, ${month}`;
      found.element(card.querySelector("h4"), `${region} ${service}, ${month}`, what);
      found.value(card.getAttribute("aria-label"), plainly(`${region}, ${month}`), what);
      found.data(card, { region: plainly(region) }, what);
      found.data(card.querySelector(".value"), { seconds: is.seconds }, what);
      found.element(card.querySelector(".big"), `${grouped(is.seconds)} s downtime${is.seconds ? `, ${duration(is.seconds)}` : ""}${is.provisional ? ", provisional" : ""}${is.approximate ? ", about" : ""}`, what);
      found.value(card.querySelector(":scope > .was")?.textContent ?? "", moved, `${what}, what it was before`);
      found.value(card.classList.contains("moved"), Boolean(moved), `${what}, whether it moved`);
    }
    for (const windows of [now, old]) for (const { service, region, month } of countedIn(windows, until)) {
      // What was said before may by now have lasted into months that no revision ever spoke of.
      if (windows === old && !this.months.has(month)) continue;
      if (!shown.has(JSON.stringify([service, region, month]))) found.value("nothing", `downtime of ${service} in ${region}, ${month}`, `${name}, what that came to`);
    }
    found.element(counted, `Of this incident alone.${provisional ? ` Windows that are open count to ${shownInstant(untilText)}.` : ""}`, `${name}, what was counted`);
  }
  windows() {
    const { found } = this, { states } = this.model;
    found.many(all("#windows tbody tr"), states, "The table of windows", (row, state) => {
      const { window } = state, what = `Window ${window.id} since r${state.first}`;
      found.data(row, { first: state.first, until: state.until, withdrawn: window.withdrawn ? "" : null }, what);
      const cells = Array.from(row.cells, (cell) => textShown(cell, "del"));
      const standing = standingWord(stateAt(state.first, state.until, numbers[index]), state.until, window.withdrawn);
      found.value(cells.join("|"), [window.id, standing, window.region, window.component, window.service, `${window.effect}${window.planned ? ", planned" : ""}`,
        `${shownInstant(instantOf(window.start))}${window.approximate ? " (about)" : ""}${window.startWithin ? ` ± ${window.startWithin} s` : ""}`,
        `${window.end === null ? "open" : shownInstant(instantOf(window.end))}${window.endWithin ? ` ± ${window.endWithin} s` : ""}`,
        window.end === null ? "" : grouped(window.end - window.start),
        `${window.least === null ? "" : `at least ${window.least} `}${window.most === null ? "" : `at most ${window.most} `}${window.of ? `of ${window.of}` : ""}${window.cohort ? ` cohort ${window.cohort}` : ""}`,
        state.until === null ? `r${state.first} and since` : state.until - 1 === state.first ? `r${state.first}` : `r${state.first} to r${state.until - 1}`,
        window.entries.map((position) => `@${position}`).join(", ")].join("|"), what);
    });
    const drawing = document.querySelector("#drawing");
    if (!drawing || !states.length) { found.value(Boolean(drawing), Boolean(states.length), "The drawing"); return; }
    const scale = scaleOf(states), expected = drawnStates(states, scale);
    found.value(drawing.querySelector("title").textContent, `Impact windows from ${shownInstant(instantOf(scale.low))} to ${shownInstant(instantOf(scale.high))}, drawn to scale; the table below says the same`, "The drawing");
    found.value(`${drawing.getAttribute("width")} ${drawing.getAttribute("height")}`, `100% ${expected.height}`, "The drawing, its height");
    found.many(all(":scope > .said-in, :scope > .said-in *", drawing), expected.parts, "The drawing, its parts", (part, [said, text]) => {
      found.value(`${partName(part)} ${textOfPart(part)}`, `${said} ${text}`, "The drawing");
    });
    found.value(Array.from(drawing.children, (one) => one.localName + (one.classList.contains("tick") ? ".tick" : one.classList.contains("said-in") ? ".said-in" : "")).join(),
      ["title", "defs", ...all(":scope > .tick", drawing).map(() => "g.tick"), ...new Set(states.map((one) => one.window.region))].map((one, at, every) => (at < 2 || one === "g.tick" ? one : "g.said-in")).join(), "The drawing, what it is made of");
    for (const tick of all(".tick", drawing)) {
      found.value(Array.from(tick.children, partName).join(), [["line", "", "x1"], ["text", "", "x"], ["text", "day", "x"]].map(([part, day, x], at) => partOf(part, at
        ? { [x]: tick.children[0]?.getAttribute("x1"), y: day ? 30 : 14, "text-anchor": "middle", class: day || null }
        : { x1: tick.children[0]?.getAttribute("x1"), x2: tick.children[0]?.getAttribute("x1"), y1: 38, y2: expected.height })).join(), "The axis");
      const at = Number(tick.dataset.at), place = percentOf(scale.place(at)), text = instantOf(at);
      const day = `${Number(text.slice(8, 10))} ${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][Number(text.slice(5, 7)) - 1]}`;
      const [clock, ...others] = all("text", tick).map((one) => one.textContent);
      found.value([clock === text.slice(0, 4) ? text.slice(11, 16) : clock, ...others, ...all("line, text", tick).map((one) => one.getAttribute("x") ?? one.getAttribute("x1"))].join(), [text.slice(11, 16), day, place, place, place].join(), "The axis");
    }
  }
  // What the page says that it does not show; how many entries are not on it cannot be known here, only that some are missing.
  unproven() {
    const { hidden, version, published_by: cut, with_others: others } = this.data, versions = this.model.entries.map((one) => one.version);
    const missing = Math.max(...versions) - versions.length, one = hidden === 1;
    const named = typeof version === "string" && /^[\w.+-]{1,40}$/.test(version) ? ` by incident-sla-ledger ${version}` : "";
    this.found.value(Number.isSafeInteger(hidden) && hidden >= missing, true, "How many entries are not on the page");
    this.found.element(byId("unproven"), `Who the actors were: their names are claims.
      What policies make of the windows: availability and credit were computed when this page was made${named}, and are not recomputed here${others ? ", and neither is downtime, as windows of other incidents count in it" : ""}. Of the words that stand on every page, such as headings, some may be missing.
      That the page's own program is the one that was meant: whoever writes a whole page anew can make it say anything. The bytes of each entry can be read above.
      ${hidden ? `${hidden} ${one ? "entry" : "entries"} of this incident ${one ? "is" : "are"} not public${cut ? " under this cut" : ""} and not on this page.` : "That nothing came after the last entry on this page."} Notes are never public, and kept back.`, "What this does not show");
  }
  // Beside what was compared there are only words of the page itself, figures under policies, and what its program writes.
  words() {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), odd = new Set();
    while (walker.nextNode()) {
      const { data, parentElement: at } = walker.currentNode;
      if (data.trim() && !WORDS.has(data.replace(/\s+/g, "")) && !at.closest(COMPARED) && !at.closest(NOT_RECOMPUTED)) odd.add(data.trim().slice(0, 80));
    }
    this.found.value([...odd].join(" | "), "", "Words that are not the page's");
  }
  // Nothing may hide, or pass for, what was compared: the elements are those of the page, where it has them.
  shapes() {
    const odd = new Set(), ids = new Set();
    const shape = (element) => [element.localName, ...(element.getAttribute("class") || "").split(/\s+/).filter((name) => name && !PROGRAM_CLASSES.includes(name) && name !== "moved").sort()].join(".");
    for (const element of all("body *")) {
      const drawing = element.closest("#drawing");
      if (drawing && drawing !== element) continue; // compared part by part
      const own = shape(element), within = shape(element.parentElement), inline = INLINE.includes(own);
      if (!inline && !(FORM[within] || "").split(" ").includes(own)) odd.add(`${own} in ${within}`);
      for (const name of element.getAttributeNames()) {
        // What is read out in place of an element is as good as what stands in it.
        const known = ATTRIBUTES.includes(name) || name.startsWith("data-") || (!inline && SPOKEN.includes(name));
        if (name === "aria-label" && !LABELS.includes(element.getAttribute(name)) && !element.classList.contains("figure")) odd.add(`${name} of ${own}`);
        if (name === "href" && !element.getAttribute(name).startsWith("#")) odd.add(`${name} of ${own}`);
        const mayHide = name === "hidden" && !["controls", "unsaid", "again", "bytes"].includes(element.id) && !element.classList.contains("revision");
        if (!known || mayHide || (inline && name === "id") || (name === "dir" && element.dir !== "auto")) odd.add(`${name} of ${own}`);
      }
      if (element.id && ids.has(element.id)) odd.add(`#${element.id}`);
      ids.add(element.id);
      // What is named in place of a letter is that letter's name, and what is struck out is compared apart.
      const letter = own === "span.ctl" ? String.fromCodePoint(parseInt(element.dataset.code, 16)) : "";
      if (letter && plainly(letter) !== `[${element.textContent}]`) odd.add(`${element.textContent} for ${element.dataset.code}`);
      if (inline && element.title && ![...MARK_TITLES, `invisible character U+${element.dataset.code}`].includes(element.title)) odd.add(`${element.title} of ${own}`);
      if ((own === "ins" || own === "del") && !element.parentElement.closest("[data-text], .facts, .was")) odd.add(`${own} in ${within}`);
      if (own === "span.sr" && bare(element.textContent) !== "ofthefee") odd.add(own);
    }
    const count = (selector) => document.querySelectorAll(selector).length;
    if (count("script") !== 2 || count("details") > 2) odd.add("script or details");
    this.found.value([...odd].join(", "), "", "What the page is made of");
  }
}
