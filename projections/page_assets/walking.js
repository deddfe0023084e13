// Walking the revisions.
// Texts of events are only ever written with textContent, and no link is made of them.
const byId = (id) => document.getElementById(id);
const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
const sections = all("section.revision");
const numbers = sections.map((section) => Number(section.id.slice(1)));
const posts = all("article.post");
const slider = byId("slider");
let index = numbers.length - 1;

const stateAt = (first, until, number) =>
  first > number ? "future" : until !== null && until <= number ? "ghost" : first === number ? "new" : "now";

const rangeOf = (element) => [Number(element.dataset.first), element.dataset.until ? Number(element.dataset.until) : null];

function draw(root, number) {
  for (const part of all(".said-in", root)) part.classList.toggle("unsaid", Number(part.dataset.first) > number);
  for (const bar of all(".bar", root)) {
    const [first, until] = rangeOf(bar);
    bar.dataset.state = stateAt(first, until, number);
    if (!bar.classList.contains("withdrawn")) bar.querySelector(".since").textContent = first === number ? `new in r${first}` : `since r${first}`;
  }
}

const standingWord = (state, until, withdrawn) =>
  state === "ghost" ? `superseded in r${until}`
  : state === "future" ? "not yet said"
  : withdrawn ? (state === "new" ? "withdrawn now" : "withdrawn")
  : state === "new" ? "new" : "stands";

function tabulate(number) {
  const unsaid = byId("unsaid");
  if (unsaid) unsaid.hidden = all("#windows tbody tr").some((row) => Number(row.dataset.first) <= number);
  for (const row of all("#windows tbody tr")) {
    const [first, until] = rangeOf(row);
    const state = stateAt(first, until, number);
    row.dataset.state = state;
    row.querySelector(".standing-now").textContent = standingWord(state, until, row.dataset.withdrawn !== undefined);
  }
}

// Each state of a statement is in the page once; where it stands unchanged, a copy without marks is shown.
function clear(section) {
  for (const copy of all(".post.settled", section)) copy.remove();
}

function compose(section, number) {
  const box = section.querySelector(".posts");
  const standing = posts.filter((post) => {
    const [first, until] = rangeOf(post);
    return first <= number && (until === null || until > number);
  });
  standing.sort((one, other) => Number(other.dataset.order) - Number(one.dataset.order));
  box.replaceChildren(...standing.map((post) => {
    if (Number(post.dataset.first) === number) return post;
    const copy = post.cloneNode(true);
    copy.classList.add("settled");
    prepareLong(copy);
    return copy;
  }));
}

// A long text scrolls in its own box, which a keyboard has to reach.
function prepareLong(root) {
  for (const box of all(".long", root)) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "Text of the statement");
  }
}

// A change in the middle of a long text is where its box opens.
function showChange(section) {
  for (const box of all(".post:not(.settled) .long", section)) {
    const change = box.querySelector("ins, del");
    if (change) box.scrollTop = change.offsetTop - box.offsetTop - box.clientHeight / 3;
  }
}

function summary(at) {
  const section = sections[at];
  const changes = all(".changes li", section).map((one) => one.textContent.trim()).join(" ");
  const figures = all(".figure", section).map((one) =>
    `${one.getAttribute("aria-label")}: ${one.querySelector(".value").textContent} downtime.`).join(" ");
  return `Revision ${numbers[at]}, ${at + 1} of ${numbers.length}. ${changes} ${figures}`;
}

function show(wanted, quiet) {
  const target = Math.min(Math.max(wanted, 0), numbers.length - 1);
  clear(sections[index]);
  index = target;
  const number = numbers[index];
  sections.forEach((section, at) => { section.hidden = at !== index; });
  compose(sections[index], number);
  showChange(sections[index]);
  draw(document, number);
  tabulate(number);
  const when = sections[index].querySelector("time").textContent;
  slider.value = String(index);
  slider.setAttribute("aria-valuetext", `Revision ${number}, ${index + 1} of ${numbers.length}, published ${when}`);
  byId("place").textContent = `r${number} of ${numbers.length}`;
  for (const link of all(".rail a")) {
    if (Number(link.dataset.go) === index) {
      link.setAttribute("aria-current", "true");
      const rail = link.closest(".rail");
      if (rail.scrollHeight > rail.clientHeight) rail.scrollTop = link.offsetTop - rail.offsetTop - rail.clientHeight / 2;
    } else link.removeAttribute("aria-current");
  }
  for (const [id, stuck] of [["first", index === 0], ["previous", index === 0],
    ["next", index === numbers.length - 1], ["last", index === numbers.length - 1]]) {
    byId(id).setAttribute("aria-disabled", String(stuck));
  }
  if (quiet) return;
  byId("live").textContent = summary(index);
  try { history.replaceState(null, "", `#r${number}`); } catch { /* some readers allow no address of a file to change */ }
}

const steps = { ArrowLeft: () => index - 1, ArrowRight: () => index + 1, Home: () => 0, End: () => numbers.length - 1 };

document.addEventListener("keydown", (event) => {
  const step = steps[event.key];
  if (!step || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
  // Where a person writes or scrolls, the keys are theirs.
  const place = event.target instanceof Element ? event.target : document.body;
  if (place.closest("textarea, .scroll, .long, pre")) return;
  event.preventDefault();
  show(step());
});
slider.addEventListener("input", () => show(Number(slider.value)));
byId("first").addEventListener("click", () => show(0));
byId("previous").addEventListener("click", () => show(index - 1));
byId("next").addEventListener("click", () => show(index + 1));
byId("last").addEventListener("click", () => show(numbers.length - 1));
for (const link of all(".rail a")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    show(Number(link.dataset.go));
  });
}

function named() {
  const at = numbers.indexOf(Number((/^#r(\d{1,9})$/.exec(location.hash) || [])[1]));
  return at < 0 ? numbers.length - 1 : at;
}
window.addEventListener("hashchange", () => { if (/^#r\d/.test(location.hash)) show(named()); });

// On paper every revision stands with what it changed, and with a drawing of its own where windows did.
window.addEventListener("beforeprint", () => {
  sections.forEach(clear);
  for (const section of sections) {
    const drawing = document.querySelector(".drawing");
    if (!drawing || section.dataset.windows === undefined) continue;
    const copy = drawing.cloneNode(true);
    copy.classList.add("printed");
    const svg = copy.querySelector("svg");
    svg.removeAttribute("id");
    svg.removeAttribute("aria-describedby");
    draw(copy, Number(section.id.slice(1)));
    section.querySelector(".figures").before(copy);
  }
  draw(document.querySelector("section.timeline") || document.createElement("div"), numbers[numbers.length - 1]);
  tabulate(numbers[numbers.length - 1]);
  for (const one of all("details:not([open])")) {
    one.open = true;
    one.dataset.printed = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const one of all("details[data-printed]")) {
    one.open = false;
    delete one.dataset.printed;
  }
  for (const copy of all(".drawing.printed")) copy.remove();
  show(index, true);
});
