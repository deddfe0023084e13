// Windows, as a table and as drawn, and the axis below the drawing.
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function compareWindows({ found, model: { states } }) {
  found.many(all("#windows tbody tr"), states, "The table of windows", (row, state) => {
    const what = `Window ${state.window.id} since r${state.first}`;
    found.data(row, { first: state.first, until: state.until, withdrawn: state.window.withdrawn ? "" : null }, what);
    found.value(Array.from(row.cells, (cell) => textShown(cell, "del")).join("|"), cellsOf(state).join("|"), what);
  });
  const drawing = document.querySelector("#drawing");
  found.value(Boolean(drawing), Boolean(states.length), "The drawing");
  if (drawing && states.length) compareDrawing(found, drawing, states);
}

function cellsOf({ window, first, until }) {
  const within = (seconds) => (seconds ? ` ± ${seconds} s` : "");
  const share = [[window.least, "at least"], [window.most, "at most"]].filter(([part]) => part !== null);
  return [
    window.id, standingWord(stateAt(first, until, numbers[index]), until, window.withdrawn), window.region, window.component, window.service,
    `${window.effect}${window.planned ? ", planned" : ""}`,
    `${shownInstant(instantOf(window.start))}${window.approximate ? " (about)" : ""}${within(window.startWithin)}`,
    `${window.end === null ? "open" : shownInstant(instantOf(window.end))}${within(window.endWithin)}`,
    window.end === null ? "" : grouped(window.end - window.start),
    `${share.map(([part, word]) => `${word} ${part} `).join("")}${window.of ? `of ${window.of}` : ""}${window.cohort ? ` cohort ${window.cohort}` : ""}`,
    until === null ? `r${first} and since` : until - 1 === first ? `r${first}` : `r${first} to r${until - 1}`,
    window.entries.map((position) => `@${position}`).join(", "),
  ];
}

function compareDrawing(found, drawing, states) {
  const scale = scaleOf(states), expected = drawnStates(states, scale);
  const span = `from ${shownInstant(instantOf(scale.low))} to ${shownInstant(instantOf(scale.high))}`;
  found.element(drawing.querySelector("title"), `Impact windows ${span}, drawn to scale; the table below says the same`, "The drawing");
  found.value(drawing.getAttribute("height"), expected.height, "The drawing, its height");
  found.many(all(":scope > .said-in, :scope > .said-in *", drawing), expected.parts, "The drawing, its parts", (part, [said, text]) => {
    found.value(`${partName(part)} ${textOfPart(part)}`, `${said} ${text}`, "The drawing");
  });
  const ticks = all(".tick", drawing), places = ticks.map((tick) => Number(tick.dataset.at));
  found.value(places.every((at, before) => !before || places[before - 1] < at), true, "The axis, in order");
  for (const tick of ticks) compareTick(found, tick, scale, expected.height);
}

function compareTick(found, tick, scale, height) {
  const at = Number(tick.dataset.at), x = percentOf(scale.place(at)), text = instantOf(at);
  const middle = { x, "text-anchor": "middle" };
  const parts = [["line", { x1: x, x2: x, y1: 38, y2: height }], ["text", { ...middle, y: 14 }], ["text", { ...middle, y: 30, class: "day" }]];
  found.value(Array.from(tick.children, partName).join(), parts.map(([part, attributes]) => partOf(part, attributes)).join(), "The axis");
  const [clock, day] = all("text", tick).map((one) => one.textContent);
  // Where a year begins its number stands, and else the hour.
  const hour = clock === text.slice(0, 4) ? clock : text.slice(11, 16), month = MONTHS[Number(text.slice(5, 7)) - 1];
  found.value(`${clock} ${day}`, `${hour} ${Number(text.slice(8, 10))} ${month}`, "The axis");
}
