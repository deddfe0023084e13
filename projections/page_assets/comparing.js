// How what the page shows is compared with what the entries say, and the words in which they are told. Spaces are left out
// of account; texts of events are also compared letter by letter (checking.js).
const NAMES = {
  ad: "SHY", "61c": "ALM", "200b": "ZWSP", "200e": "LRM", "200f": "RLM", 2028: "LS", 2029: "PS", "202a": "LRE", "202b": "RLE", "202c": "PDF",
  "202d": "LRO", "202e": "RLO", 2060: "WJ", 2066: "LRI", 2067: "RLI", 2068: "FSI", 2069: "PDI", feff: "BOM",
};

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

const short = (text) => {
  const line = String(text).replace(/\s+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 160)} …` : line;
};

// What was found to differ, each place once, and how many places were compared.
class Comparison {
  constructor() { this.problems = []; this.places = 0; }
  value(shown, said, what) {
    this.places += 1;
    if (bare(String(shown)) === bare(String(said))) return;
    this.problems.push(`${what}: the page shows “${short(shown)}”, its entries say “${short(said)}”.`);
  }
  element(found, said, what) { this.value(found ? textShown(found, "del") : "", said, what); }
  data(found, names, what) {
    for (const [name, said] of Object.entries(names)) this.value(found.dataset[name] ?? "none", said ?? "none", `${what} (${name})`);
  }
  many(found, said, what, each) {
    this.value(found.length, said.length, `${what}, how many`);
    if (found.length === said.length) said.forEach((one, at) => each(found[at], one, at));
  }
}
