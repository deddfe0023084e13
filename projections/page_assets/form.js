// What the page is made of, as it arrived, against its form: FORM is read off the template when the page is written
// (projections/page_form.py), and says which elements, attributes and words stand where. The programs of the page run as one.
const WITHOUT_END = ["br", "input", "line", "meta", "rect"], NOT_READ = ["script", "style", "noscript"];
const NAMED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => text.replace(/[&<>"]/g, (letter) => NAMED[letter]);

// A page written down in one way: words without spaces, and attributes without a value by name alone.
function writtenDown(node, into = []) {
  if (node.nodeType === Node.TEXT_NODE) into.push(escaped(node.data.replace(/\s+/g, "")));
  if (node.nodeType !== Node.ELEMENT_NODE) return into;
  const attributes = node.getAttributeNames().map((name) => [name, node.getAttribute(name)]);
  into.push(`<${node.localName}`, ...attributes.map(([name, value]) => (value ? ` ${name}="${escaped(value)}"` : ` ${name}`)), ">");
  if (node.shadowRoot) into.push("<shadow>");
  if (!NOT_READ.includes(node.localName)) for (const child of node.childNodes) writtenDown(child, into);
  if (!WITHOUT_END.includes(node.localName)) into.push(`</${node.localName}>`);
  return into;
}

const patterns = new Map();
function patternOf(source) {
  if (!patterns.has(source)) patterns.set(source, new RegExp(source, "uy"));
  return patterns.get(source);
}

// A page, and how far it was followed.
class Following {
  constructor(text) { this.text = text; this.reached = 0; }
  // Where a form that begins at a place ends, or -1 where it is not what stands there.
  end(form, from) {
    if (typeof form === "string") return this.endOfPattern(form, from);
    if (Array.isArray(form)) return form.reduce((at, part) => (at < 0 ? at : this.end(part, at)), from);
    if (form.rule) return this.end(FORM.rules[form.rule], from);
    if (form.any) {
      for (const one of form.any) { const at = this.end(one, from); if (at >= 0) return at; }
      return -1;
    }
    let at = from, next = from;
    do { at = next; next = this.end(form.many || form.some, at); } while (next > at);
    return form.some && at === from ? -1 : at;
  }
  endOfPattern(source, from) {
    const pattern = patternOf(source);
    pattern.lastIndex = from;
    const at = pattern.test(this.text) ? pattern.lastIndex : -1;
    this.reached = Math.max(this.reached, from, at);
    return at;
  }
}

// Nothing where a page, written down, has its form to the end, or else what stands where it leaves it.
function outOfForm(root) {
  const text = writtenDown(root).join(""), following = new Following(text);
  return following.end(FORM.page, 0) === text.length ? "" : text.slice(following.reached, following.reached + 120) || "its end";
}

// A closed shadow, which nobody can look into, would show something else in place of what is compared: a copy has none.
function withoutShadows(node) {
  if (node.nodeType !== Node.ELEMENT_NODE || node.localName === "script") return node;
  const copy = document.createElementNS(node.namespaceURI, node.localName);
  for (const name of node.getAttributeNames()) {
    // The policy refuses what has no place here, and was found to have none.
    try { copy.setAttribute(name, node.getAttribute(name)); } catch { continue; }
  }
  copy.append(...Array.from(node.childNodes, withoutShadows));
  return copy;
}

const arrivedOutOfForm = outOfForm(document.documentElement), looks = document.querySelector("style")?.textContent ?? "";
document.body.replaceWith(withoutShadows(document.body));
