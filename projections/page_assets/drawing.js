// The drawing of the windows, made again: its parts in the order of the document, each by name, attributes and words.
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
const partOf = (name, attributes) => `${name} ${Object.entries(attributes).filter(([, value]) => value !== null && value !== undefined).map(([key, value]) => `${key}=${value}`).sort().join(" ")}`;
function partName(part) {
  const attributes = Object.fromEntries(part.getAttributeNames().filter((name) => name !== "data-state").map((name) => [name, part.getAttribute(name)]));
  if (part.classList.contains("said-in")) attributes.class = attributes.class.replace(" unsaid", "");
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
