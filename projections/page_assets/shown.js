// All that the page shows, against what the entries say: the notice told again (retelling.js), and each part of the page
// compared with it. The form of the page leaves no place for anything else (form.js).
class Shown {
  constructor(results, data) {
    this.data = data;
    this.model = retold(results, numbers);
    this.key = data.stream.slice(data.stream.indexOf("/") + 1);
    this.places = placesOf(this.model.stages);
    this.months = new Set(all(".figure").map((card) => card.dataset.period));
    this.unpriced = withoutPolicy(sections[0]);
    this.found = new Comparison();
  }
  compared() {
    const { stages } = this.model;
    this.found.value(arrivedOutOfForm, "", "What the page is made of");
    compareNumbers(this);
    compareTimes(this);
    compareHead(this);
    this.found.many(sections, stages, "Revisions", (section, stage) => {
      compareRevision(this, section, stage);
      compareFigures(this, section, stage);
    });
    compareStatements(this);
    compareWindows(this);
    compareEntries(this);
    compareUnproven(this);
    compareLetters(this);
    return this.found;
  }
  // A text, or in its place by whom it was erased.
  text(text) {
    if (!isText(text)) return "";
    if (text.value !== null) return text.value;
    const by = this.model.erasures.get(text.source), word = (one) => one.value ?? "[erased]";
    if (!by || by.published === null) return "[erased] by an entry that is not public";
    return `[erased] erased ${shownInstant(by.recorded)} (v${by.version}) by ${word(by.event.actor)}, as claimed: ${word(by.event.reason)}`;
  }
  // An element that shows a text, and what is marked in it as changed since the revision before.
  marked(element, was, now, what) {
    const marks = changedText(was, now);
    this.found.value(Boolean(element && element.dataset.before !== undefined), marks, `${what}, whether a change is marked`);
    if (marks && element) this.found.value(textShown(element, "ins"), was.value, `${what}, what stood there before`);
  }
}

// An entry that the cut leaves out may have taken a number; nothing else may.
function compareNumbers({ found, data, model }) {
  const cut = data.published_by;
  model.stages.forEach((stage, at) => {
    const last = at ? model.stages[at - 1] : null, from = last ? last.own[last.own.length - 1].version : 0;
    const room = cut ? stage.own[0].version - from - 1 : 0, step = stage.number - (last ? last.number : 0);
    if (!(step >= 1 && step <= 1 + room)) found.value(`r${stage.number}`, `r${(last ? last.number : 0) + 1}`, "The number of a revision");
    if (cut && stage.told.some((one) => one.at > cut)) found.value(cut, stage.told[stage.told.length - 1].at, "What had been published by the cut");
  });
}

// Every time of an entry names the position of the entry behind it.
function compareTimes({ found, data, model }) {
  const told = new Map(model.stages.flatMap((stage) => stage.entries).map((one) => [`@${one.entry.position}`, one]));
  for (const time of all("time")) {
    const { of, clock } = time.dataset, one = told.get(of);
    const said = of === "cut" ? data.published_by : one && clock === "published" ? one.at : one && clock === "recorded" ? one.entry.recorded : null;
    const instant = time.getAttribute("datetime");
    found.value(instant, said ?? "nothing", `A time (${clock}) of ${of}`);
    found.value(time.textContent, shownInstant(instant), `A time (${clock}) of ${of}, as it is written`);
  }
}

// What is named in place of a letter is that letter's name.
function compareLetters({ found }) {
  for (const named of all("span.ctl:not(#bytes *)")) {
    const { code } = named.dataset, letter = /^[0-9A-F]{2,6}$/.test(code) ? String.fromCodePoint(parseInt(code, 16)) : "";
    found.value(`[${named.textContent}] ${named.title}`, letter && `${plainly(letter)} invisible character U+${code}`, "The name of a character");
  }
}
