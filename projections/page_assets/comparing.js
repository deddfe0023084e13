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
    if (data.with_others) return;
    const last = stage.own[stage.own.length - 1].recorded;
    const until = data.as_of ?? (data.published_by && data.published_by < last ? data.published_by : last);
    const now = stage.windows.map((one) => one.window), old = stage.before ? stage.before.windows.map((one) => one.window) : now;
    const months = [...new Set(cards.map((card) => card.dataset.period))].sort();
    found.value(cards.map((card) => JSON.stringify([textShown(card.querySelector("h4 .aside bdi")), textShown(card.querySelector("h4 > bdi")), card.dataset.period])).join(),
      months.flatMap((month) => this.places.map((place) => JSON.stringify([...place, month]))).join(), `${name}, the places that were counted`);
    let provisional = false;
    const shown = new Set();
    for (const card of cards) {
      const region = textShown(card.querySelector("h4 > bdi")), service = textShown(card.querySelector("h4 .aside bdi")), month = card.dataset.period;
      const is = downtimeIn(now, service, region, month, secondsOf(until)), was = downtimeIn(old, service, region, month, secondsOf(until));
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
    for (const windows of [now, old]) for (const { service, region, month } of countedIn(windows, secondsOf(until))) {
      // What was said before may by now have lasted into months that no revision ever spoke of.
      if (windows === old && !this.months.has(month)) continue;
      if (!shown.has(JSON.stringify([service, region, month]))) found.value("nothing", `downtime of ${service} in ${region}, ${month}`, `${name}, what that came to`);
    }
    found.element(section.querySelector(".counted"), `Of this incident alone.${provisional ? ` Windows that are open count to ${shownInstant(until)}.` : ""}`, `${name}, what was counted`);
  }
  windows() {
    const { found } = this, { states } = this.model;
    found.many(all("#windows tbody tr"), states, "The table of windows", (row, state) => {
      const { window } = state, what = `Window ${window.id} since r${state.first}`;
      found.data(row, { first: state.first, until: state.until, withdrawn: window.withdrawn ? "" : null }, what);
      const cells = Array.from(row.cells, (cell) => textShown(cell, "del"));
      cells.splice(1, 1); // written by the program itself
      found.value(cells.join("|"), [window.id, window.region, window.component, window.service, `${window.effect}${window.planned ? ", planned" : ""}`,
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
    found.value(drawing.getAttribute("height"), expected.height, "The drawing, its height");
    found.many(all(":scope > .said-in, :scope > .said-in *", drawing), expected.parts, "The drawing, its parts", (part, [said, text]) => {
      found.value(`${partName(part)} ${textOfPart(part)}`, `${said} ${text}`, "The drawing");
    });
    for (const tick of all(".tick", drawing)) {
      const at = Number(tick.dataset.at), place = percentOf(scale.place(at)), text = instantOf(at);
      const day = `${Number(text.slice(8, 10))} ${["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"][Number(text.slice(5, 7)) - 1]}`;
      const [clock, ...others] = all("text", tick).map((one) => one.textContent);
      found.value([clock === text.slice(0, 4) ? text.slice(11, 16) : clock, ...others, ...all("line, text", tick).map((one) => one.getAttribute("x") ?? one.getAttribute("x1"))].join(), [text.slice(11, 16), day, place, place, place].join(), "The axis");
    }
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
        const known = ATTRIBUTES.includes(name) || name.startsWith("data-") || name.startsWith("aria-");
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

const INLINE = ["bdi", "bdi.text", "bdi.erased", "ins", "del", "span.ctl", "span.aside", "span.label", "time", "code", "span.after.mark", "span.late.mark", "span.mark", "br"];
const MARK_TITLES = [
  "It is said to have been published before it was recorded.", "It came after the notice had said that it was over.", "The clock of the ledger was behind its last entry.",
];
const ATTRIBUTES = [
  "autocomplete", "class", "colspan", "datetime", "dir", "disabled", "for", "height", "hidden", "href", "id", "max", "min", "open", "role", "rows",
  "scope", "spellcheck", "step", "tabindex", "title", "type", "value", "width",
];
// Which elements of the page may stand within which, by name and class; those that stand within a line may stand anywhere.
const FORM = {
  "a": "span.number span.what span.when",
  "article.notice": "div.posts dl.facts h4.title p.standing",
  "article.post": "div.body.erased div.body.long.text div.body.text h5 p.aside p.correction p.reason",
  "body": "a.skip div.columns div.controls header.top noscript p.sr script",
  "details": "div.scroll p.aside.raw-hint pre.raw summary",
  "div": "dd dt", "div.columns": "main nav.rail", "div.controls": "button input label p.hint", "div.drawing": "svg",
  "div.figures": "p.aside section.figure", "div.posts": "article.post", "div.scroll": "table", "dl.clocks": "div", "dl.facts": "div",
  "h5": "span.fresh.mark", "header.top": "h1 p.eyebrow p.lede", "label": "output", "li": "a p p.entry",
  "main": "section.proof section.revision section.timeline", "nav.rail": "ol", "ol": "li", "p": "code.hash.vkey", "p.big": "span.value",
  "p.compare": "label textarea", "p.hint": "kbd", "p.lede": "a.verdict", "section.figure": "h4 p.big p.was table",
  "section.proof": "button details h2 h3 p p.compare p.outcome pre.checkpoint ul ul.checks",
  "section.revision": "article.notice div.figures dl.clocks h2 h3 p.aside p.aside.counted table.totals ul.changes ul.said",
  "section.timeline": "details div.drawing h2 p p.aside", "table": "caption tbody thead", "table.totals": "caption tbody thead", "tbody": "tr",
  "td.credit.num": "span.sr span.was", "th": "button.bytes", "thead": "tr",
  "tr": "td td.availability.num td.credit.num td.fitting td.hash.leaf td.included td.num td.standing-now th th.num",
  "ul": "li", "ul.changes": "li", "ul.checks": "li", "ul.said": "li",
};

// One month of UTC, as seconds.
function monthOf(label) {
  const [year, month] = label.split("-").map(Number);
  return [Date.UTC(year, month - 1, 1) / 1000, Date.UTC(year, month, 1) / 1000];
}
const regionsOf = (window) => (window.region === "*" && window.regions.length ? window.regions : [window.region]);

// Each service and region that any revision spoke of, in order.
function placesOf(stages) {
  const found = new Map(), add = (service, region) => found.set(JSON.stringify([service, region]), [service, region]);
  for (const stage of stages) {
    for (const { window } of stage.windows) if (!window.withdrawn) {
      const regions = standsForAll(window.region) ? window.regions : [];
      for (const region of regions) add(window.service, region);
      if (window.region !== "*" || !regions.length) add(window.service, window.region);
    }
    for (const service of stage.fold.facts.services) for (const region of stage.fold.facts.regions) add(service, region);
  }
  return [...found.values()].sort((one, other) => inOrder(one[0], other[0]) || inOrder(one[1], other[1]));
}

function downtimeIn(windows, service, region, month, until) {
  const [from, to] = monthOf(month);
  const clipped = (low, high) => [Math.max(low, from), Math.min(high, to)];
  const some = ([low, high]) => low < high;
  const near = windows.filter((one) => !one.withdrawn && one.service === service && regionsOf(one).includes(region)).map((one) => ({
    one, stated: clipped(one.start, one.end ?? until), most: clipped(one.start - one.startWithin, one.end === null ? to : one.end + one.endWithin),
  })).filter(({ stated, most }) => some(stated) || some(most));
  let seconds = 0, reached = -Infinity;
  for (const [low, high] of near.map(({ stated }) => stated).filter(some).sort((one, other) => one[0] - other[0])) {
    seconds += Math.max(0, high - Math.max(low, reached));
    reached = Math.max(reached, high);
  }
  return { seconds, provisional: near.some(({ one }) => one.end === null || one.cohort !== null), approximate: near.some(({ one }) => one.approximate) };
}

// Each service, region and month in which windows come to downtime.
function* countedIn(windows, until) {
  for (const window of windows) {
    const end = window.end ?? until;
    if (window.withdrawn || window.start >= end) continue;
    for (let month = instantOf(window.start).slice(0, 7); monthOf(month)[0] < end; month = instantOf(monthOf(month)[1]).slice(0, 7)) {
      for (const region of regionsOf(window)) yield { service: window.service, region, month };
    }
  }
}

// The scale of the drawing, in whole thousandths of a percent: the same as in projections/page_timeline.py.
const whole = (value, by) => (value - (((value % by) + by) % by)) / by;
const percentOf = (thousandths) => `${whole(thousandths, 1000)}.${String(thousandths - 1000 * whole(thousandths, 1000)).padStart(3, "0")}%`;

function scaleOf(states) {
  const windows = states.map((one) => one.window);
  let low = Infinity, high = -Infinity;
  for (const one of windows) {
    low = Math.min(low, one.start - one.startWithin);
    high = Math.max(high, one.end === null ? one.start : one.end + one.endWithin);
  }
  const room = Math.max(whole(high - low, 4), 3600);
  for (const one of windows) if (one.end === null) high = Math.max(high, one.start + room);
  const margin = Math.max(whole(high - low, 40), 60), from = low - margin, to = high + margin;
  return { low: from, high: to, place: (instant) => whole((instant - from) * 100000, to - from) };
}

// Names of an element of the drawing and what stands in it; what the program changes is left out.
const PROGRAM_CLASSES = ["unsaid", "settled", "good", "bad", "printed"];
const partOf = (name, attributes) => `${name} ${Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined).map(([key, value]) => `${key}=${value}`).sort().join(" ")}`;
function partName(part) {
  const attributes = Object.fromEntries(part.getAttributeNames().filter((name) => name !== "data-state").map((name) => [name, part.getAttribute(name)]));
  if (attributes.class) attributes.class = attributes.class.split(/\s+/).filter((name) => name && !PROGRAM_CLASSES.includes(name)).join(" ");
  return partOf(part.localName, attributes);
}
const textOfPart = (part) => (["text", "tspan"].includes(part.localName) ? part.textContent.replace(/\bnew in r/, "since r") : "");

function drawnStates(states, scale) {
  const parts = [], add = (name, attributes, text = "") => parts.push([partOf(name, attributes), text]);
  let y = 44;
  for (const region of new Set(states.map((one) => one.window.region))) {
    const members = states.filter((one) => one.window.region === region), top = y, at = parts.length;
    y += 30;
    for (const id of new Set(members.map((one) => one.window.id))) {
      const own = members.filter((one) => one.window.id === id), stands = own[own.length - 1].until === null ? 1 : 0;
      add("g", { class: "said-in", "data-first": own[0].first });
      add("text", { class: "lane", x: 10, y: y + 14 }, plainly(`${id} ${own[own.length - 1].window.component}`));
      add("tspan", { class: "component" }, plainly(own[own.length - 1].window.component));
      own.forEach((state, number) => drawState(state, y + 20, y + 41 + 15 * Math.max(own.length - 1 - number - stands, 0), scale, add));
      y += 50 + 15 * (own.length - stands);
    }
    const name = region === "*" ? "all affected regions" : region === "unknown" ? "region not said" : region;
    parts.splice(at, 0, [partOf("g", { class: "said-in", "data-first": Math.min(...members.map((one) => one.first)) }), ""],
      [partOf("rect", { class: "band", x: 0, width: "100%", y: top, height: y - top, rx: 6 }), ""],
      [partOf("text", { class: "region", x: 10, y: top + 20 }), plainly(name)]);
    y += 6;
  }
  return { parts, height: y };
}

function drawState(state, y, ghost, scale, add) {
  const { window } = state, end = window.end ?? scale.high, open = window.end === null;
  const low = scale.place(window.start), high = scale.place(end), x = percentOf(low), width = percentOf(high - low);
  const tolerance = (instant, within) => {
    if (!within) return;
    const from = scale.place(instant - within), to = scale.place(instant + within);
    add("rect", { class: "tolerance full", x: percentOf(from), width: percentOf(to - from), y: y + 7, height: 4 });
  };
  add("g", { class: `bar ${window.effect}${window.withdrawn ? " withdrawn" : ""}${open ? " open" : ""}${window.planned ? " planned" : ""}`, "data-first": state.first, "data-until": state.until });
  add("rect", { class: "full", x, width, y, height: 18, rx: 3 });
  add("rect", { class: "hatched full", x, width, y, height: 18, rx: 3 });
  tolerance(window.start, window.startWithin);
  if (!open) tolerance(window.end, window.endWithin);
  if (open) add("text", { class: "arrow full", x: "99.2%", y: y + 13, "text-anchor": "end", "aria-hidden": "true" }, "▸");
  add("rect", { class: "thin", x, width, y: ghost, height: 8, rx: 2 });
  const left = scale.place(window.start - window.startWithin), right = scale.place(end + window.endWithin);
  const [side, at] = right < 82000 ? ["right", right] : left > 18000 ? ["left", left] : ["within", low];
  const tag = { x: percentOf(at), dx: side === "left" ? -6 : 6, "text-anchor": side === "left" ? "end" : null };
  const since = window.withdrawn ? `in r${state.first}` : `since r${state.first}`;
  add("text", { ...tag, class: `tag full ${side}`, y: y + 13 }, `${window.effect}${window.approximate ? ", about" : ""}${window.planned ? ", planned" : ""}${open ? ", open" : ""}${window.withdrawn ? ", withdrawn" : ""} ${since}`);
  add("tspan", { class: "since" }, since);
  const stood = state.until === null ? `since r${state.first}` : rangesOf(Array.from({ length: state.until - state.first }, (_, more) => state.first + more));
  add("text", { ...tag, class: `tag thin ${side}`, y: ghost + 8 }, stood);
}
