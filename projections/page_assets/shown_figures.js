// Downtime: the union of the windows in a month of UTC. With windows of other incidents it cannot be known here, only of which
// places and in which words it is said.
const placeOf = (card) => [textShown(card.querySelector("h4 .aside bdi")), textShown(card.querySelector("h4 > bdi"))];
const downtimeWords = (seconds) => `${grouped(seconds)} s downtime${seconds ? `, ${duration(seconds)}` : ""}`;

const withoutPolicy = (section) => section.querySelector(":scope > .aside:not(.counted)") !== null;

function compareFigures(shown, section, stage) {
  const cards = all(".figure", section);
  compareManner(shown, section, stage, cards);
  for (const card of cards) comparePlace(shown, card, stage);
  if (shown.data.with_others) compareWithOthers(shown, section, stage, cards); else compareAlone(shown, section, stage, cards);
}

// What is said where nothing counts, and where no policies are: then there is nothing under policies either.
function compareManner({ found, unpriced }, section, stage, cards) {
  const name = `r${stage.number}, what that came to`, { facts } = stage.fold;
  const named = stage.windows.length || (facts.services.length && facts.regions.length);
  const nothing = named ? "No impact window counts in any month by then." : "No service and region is named, so there is nothing to count.";
  found.element(section.querySelector(".figures > .aside"), cards.length ? "" : nothing, name);
  found.value(withoutPolicy(section), unpriced, `${name}, whether no policy was given`);
  found.value(unpriced && section.querySelector("table") !== null, false, `${name}, figures under policies where there are none`);
}

function comparePlace({ found }, card, stage) {
  const [service, region] = placeOf(card), month = card.dataset.period, what = `r${stage.number}, downtime of ${service} in ${region}, ${month}`;
  found.element(card.querySelector("h4"), `${region} ${service}, ${month}`, what);
  found.value(card.getAttribute("aria-label"), plainly(`${region}, ${month}`), what);
  found.data(card, { region: plainly(region) }, what);
}

function compareWithOthers({ found, places }, section, stage, cards) {
  const counted = section.querySelector(".counted"), name = `r${stage.number}`;
  const until = /(?: Windows that are open count to [0-9 :-]+ UTC\.)?$/.exec(textShown(counted).trim())[0];
  found.element(counted, `With the windows of other incidents that touch the same months.${until}`, `${name}, what was counted`);
  for (const card of cards) {
    const place = placeOf(card), big = card.querySelector(".big"), was = card.querySelector(":scope > .was")?.textContent ?? "";
    const known = places.some((one) => one.join() === place.join()) && /^\d{4}-\d\d$/.test(card.dataset.period);
    found.value(known, true, `${name}, the places that were counted`);
    const [, more] = /((?:, provisional)?(?:, about)?)$/.exec(textShown(big).trim());
    found.element(big, downtimeWords(Number(card.querySelector(".value").dataset.seconds)) + more, `${name}, what was counted`);
    found.value(/^(?:before: [\d,]+ s)?$/.test(was), true, `${name}, what was counted before`);
    found.value(card.classList.contains("moved"), Boolean(was), `${name}, whether it moved`);
  }
}

function compareAlone({ found, data, places, months: spokenOf }, section, stage, cards) {
  const name = `r${stage.number}`, untilText = countedTo(stage, data), until = secondsOf(untilText);
  const now = stage.windows.map((one) => one.window), old = stage.before ? stage.before.windows.map((one) => one.window) : now;
  const months = [...new Set(cards.map((card) => card.dataset.period))].sort();
  found.value(cards.map((card) => JSON.stringify([...placeOf(card), card.dataset.period])).join(),
    months.flatMap((month) => places.map((place) => JSON.stringify([...place, month]))).join(), `${name}, the places that were counted`);
  let provisional = false;
  const shown = new Set();
  for (const card of cards) {
    const [service, region] = placeOf(card), month = card.dataset.period, what = `${name}, downtime of ${service} in ${region}, ${month}`;
    const is = downtimeIn(now, service, region, month, until), was = downtimeIn(old, service, region, month, until);
    const moved = was.seconds === is.seconds ? "" : `before: ${grouped(was.seconds)} s`;
    provisional = provisional || is.provisional;
    shown.add(JSON.stringify([service, region, month]));
    found.data(card.querySelector(".value"), { seconds: is.seconds }, what);
    const manner = `${is.provisional ? ", provisional" : ""}${is.approximate ? ", about" : ""}`;
    found.element(card.querySelector(".big"), `${downtimeWords(is.seconds)}${manner}`, what);
    found.value(card.querySelector(":scope > .was")?.textContent ?? "", moved, `${what}, what it was before`);
    found.value(card.classList.contains("moved"), Boolean(moved), `${what}, whether it moved`);
  }
  for (const windows of [now, old]) for (const { service, region, month } of countedIn(windows, until)) {
    // What was said before may by now have lasted into months that no revision ever spoke of.
    if (windows === old && !spokenOf.has(month)) continue;
    const there = shown.has(JSON.stringify([service, region, month]));
    if (!there) found.value("nothing", `downtime of ${service} in ${region}, ${month}`, `${name}, what that came to`);
  }
  const stillOpen = provisional ? ` Windows that are open count to ${shownInstant(untilText)}.` : "";
  found.element(section.querySelector(".counted"), `Of this incident alone.${stillOpen}`, `${name}, what was counted`);
}

// Until when windows that are open have lasted.
function countedTo(stage, data) {
  const last = stage.own[stage.own.length - 1].recorded;
  return data.as_of ?? (data.published_by && data.published_by < last ? data.published_by : last);
}
