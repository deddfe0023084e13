// What the page is made of: where words are compared, which elements stand where, and what the program itself changes.
const PROGRAM_CLASSES = ["unsaid", "settled", "good", "bad", "printed"];
const COMPARED = "h1, .lede, .rail, #windows tbody, .revision > h2, .clocks, .changes, .said, .counted, .notice > .title, .facts, .standing, .figure > h4, .figure > .big, .figure > .was, .post, #entries tbody, #drawing, #unproven, .checkpoint, .vkey";
const NOT_RECOMPUTED = ".figure > table, .totals, #checks, #outcome, #compared, #live, #bytes, #place, #kept, script, noscript";
const INLINE = ["bdi", "bdi.text", "bdi.erased", "ins", "del", "span.ctl", "span.aside", "span.label", "time", "code", "span.after.mark", "span.late.mark", "span.mark", "br"];
const MARK_TITLES = [
  "It is said to have been published before it was recorded.", "It came after the notice had said that it was over.", "The clock of the ledger was behind its last entry.",
];
const SPOKEN = [
  "role", "aria-label", "aria-labelledby", "aria-describedby", "aria-live", "aria-disabled", "aria-current", "aria-valuetext", "aria-expanded", "aria-controls",
];
const LABELS = [
  "Walk through the revisions", "First revision", "Earlier revision", "Later revision", "Last revision", "Revisions", "Text of the statement",
  "Bytes of an entry", "Checkpoint",
];
const ATTRIBUTES = [
  "autocomplete", "class", "colspan", "datetime", "dir", "disabled", "for", "height", "hidden", "href", "id", "max", "min", "open", "rows",
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
