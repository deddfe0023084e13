// Downtime, counted again from windows: the same as projections/downtime.py, in months of UTC.
// One month of UTC, as seconds.
const months = new Map();
function monthOf(label) {
  const [year, month] = label.split("-").map(Number);
  if (!months.has(label)) months.set(label, [Date.UTC(year, month - 1, 1) / 1000, Date.UTC(year, month, 1) / 1000]);
  return months.get(label);
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
    for (const month of monthsTouched(window, end)) for (const region of regionsOf(window)) yield { service: window.service, region, month };
  }
}
const touched = new WeakMap();
function monthsTouched(window, end) {
  const known = touched.get(window);
  if (known && known.end === end) return known.months;
  const found = [];
  for (let month = instantOf(window.start).slice(0, 7); monthOf(month)[0] < end; month = instantOf(monthOf(month)[1]).slice(0, 7)) found.push(month);
  touched.set(window, { end, months: found });
  return found;
}
