// The notice told again out of the entries alone: a function of decoded entries and their texts, which knows nothing of
// the page. It says what projections/replay.py, notice.py and page_states.py say, and is written apart from them.
const OVER = ["resolved", "completed", "postmortem"];
const HEADINGS = {
  "incident.opened": "Opened", "incident.identified": "Identified", "incident.updated": "Update", "incident.fix_deployed": "Fix deployed",
  "incident.resolved": "Resolved", "incident.reopened": "Reopened", "entry.corrected": "Correction", "entry.withdrawn": "Withdrawn",
  "incident.retitled": "Title changed", "incident.affected_set": "Affected changed", "incident.impact_set": "Impact changed",
  "window.added": "Impact window added", "window.revised": "Impact window revised", "window.withdrawn": "Impact window withdrawn",
  "incident.withdrawn": "Notice withdrawn", "incident.linked": "Linked", "measurement.recorded": "Measurement",
  "entry.published": "Published", "entry.redacted": "Text erased",
};
// Without words of their own these are shown where they belong, not as statements.
const QUIET = ["window.added", "window.revised", "entry.redacted", "entry.published"];
const ABOUT = { "entry.corrected": "corrects", "entry.withdrawn": "corrects", "entry.published": "publishes", "entry.redacted": "entry" };
const WINDOW_FIELDS = [
  "service", "component", "region", "start", "effect", "end", "share_at_most", "share_at_least", "share_of", "approximate",
  "start_within_seconds", "end_within_seconds", "basis", "quote", "cohort", "planned",
];

// An instant as people read it: parts of a second are cut off, and seconds only where there are any.
const shownInstant = (text) => `${text.slice(0, 10)} ${text.slice(17, 19) === "00" ? text.slice(11, 16) : text.slice(11, 19)} UTC`;
const secondsOf = (text) => Date.parse(`${text.slice(0, 19)}Z`) / 1000;
const instantOf = (seconds) => `${new Date(seconds * 1000).toISOString().slice(0, 19)}.000000Z`;
const notTold = (value) => value === undefined || value === null;
const standsForAll = (place) => place === "*" || place === "unknown";
const before = (one, other) => (one < other ? -1 : one > other ? 1 : 0);
// Letters as Python orders them: by code points.
function inOrder(one, other) {
  const mine = Array.from(one), others = Array.from(other), at = mine.findIndex((letter, place) => letter !== others[place]);
  return at < 0 ? mine.length - others.length : others[at] === undefined ? 1 : mine[at].codePointAt(0) - others[at].codePointAt(0);
}
const toldBefore = (one, other) => before(one.at, other.at) || one.position - other.position || one.entry.version - other.entry.version;

// A text is where it was committed and what it says; null where that is not on the page.
function eventOf(one) {
  const taken = (path, value) => (value && typeof value === "object" && typeof value.sha256 === "string" && Object.keys(value).length === 1
    ? { source: `${one.version}/${path}`, value: one.values.get(`${one.version}/${path}`) ?? null } : value);
  const event = Object.fromEntries(Object.entries(one.fields).map(([name, value]) => [name, taken(name, value)]));
  if (one.type === "entry.corrected") event.set = Object.fromEntries(Object.entries(one.fields.set).map(([name, value]) => [name, taken(`set.${name}`, value)]));
  return event;
}

// Both clocks of each entry: published as given, else with the first of its change, else when it was recorded.
function entriesOf(results) {
  let last = null;
  return results.slice().sort((one, other) => one.position - other.position).map((one) => {
    const event = eventOf(one);
    const joined = last && last.version === one.version - 1 && event.change !== undefined && event.change === last.event.change;
    const published = event.internal ? null : event.published_at ?? (joined ? last.published : one.recorded);
    const late = event.published_at !== undefined && event.published_at < one.recorded;
    last = { version: one.version, position: one.position, type: one.type, recorded: one.recorded, clockBehind: one.clockBehind, event, published, late, put: new Map() };
    return last;
  });
}

// A change is one revision: entries under one label, or an entry alone; with what it published.
function changesOf(entries) {
  const changes = [];
  for (const entry of entries) {
    if (entry.event.internal) continue;
    const change = changes[changes.length - 1];
    if (change && entry.event.change !== undefined && change.label === entry.event.change) change.own.push(entry);
    else changes.push({ label: entry.event.change, own: [entry] });
  }
  const byVersion = new Map(entries.map((entry) => [entry.version, entry]));
  for (const change of changes) {
    change.told = change.own.map((entry) => ({ entry, at: entry.published, position: entry.position, late: entry.late }));
    for (const by of change.own) {
      const entry = by.type === "entry.published" ? byVersion.get(by.event.publishes) : undefined;
      if (entry && entry.event.internal) change.told.push({ entry, at: by.published, position: by.position, late: by.late });
    }
    change.told.sort(toldBefore);
  }
  return changes;
}

function corrected(entry, by) {
  if (!by.length) return entry.event;
  const name = by.map((one) => one.entry.version).join();
  if (!entry.put.has(name)) {
    const event = { ...entry.event };
    for (const one of by) for (const [field, value] of Object.entries(one.entry.event.set)) {
      if (value === null) delete event[field]; else event[field] = value;
    }
    entry.put.set(name, event);
  }
  return entry.put.get(name);
}

// What a revision makes of the fields of a window: made once, so that the same fields are the same object at every revision.
const revisions = new WeakMap();
function revisedFields(fields, event) {
  const made = revisions.get(fields) || new Map();
  revisions.set(fields, made);
  if (!made.has(event)) made.set(event, { ...fields, ...Object.fromEntries(WINDOW_FIELDS.filter((name) => event[name] !== undefined).map((name) => [name, event[name]])) });
  return made.get(event);
}

// What each event means; the same as `Facts.apply` in ledger/domain/incident.py.
function apply(facts, type, event, by) {
  const place = () => Object.assign(facts, { services: event.services || [], components: event.components || [], regions: event.regions || [] });
  const known = facts.windows.get(event.window), incident = facts.kind === "incident";
  if (type === "incident.opened") {
    facts.kind = event.kind || "incident";
    Object.assign(facts, { title: event.title, status: event.status, began: event.began_at, from: event.scheduled_start, to: event.scheduled_end, impact: event.impact });
    place();
  } else if (type === "incident.identified") {
    if (facts.status === "investigating") facts.status = "identified";
  } else if (type === "incident.updated") facts.status = event.status || facts.status;
  else if (type === "incident.fix_deployed") {
    facts.fixed = event.at;
    if (incident) facts.status = "monitoring";
  } else if (type === "incident.resolved") Object.assign(facts, { status: incident ? "resolved" : "completed", resolved: event.at });
  else if (type === "incident.reopened") Object.assign(facts, { status: incident ? "investigating" : "in-progress", resolved: undefined });
  else if (type === "incident.retitled") facts.title = event.title;
  else if (type === "incident.affected_set") place();
  else if (type === "incident.impact_set") facts.impact = event.impact;
  else if (type === "incident.withdrawn") Object.assign(facts, { withdrawn: true, status: "withdrawn" });
  else if (type === "window.added") facts.windows.set(event.window, { fields: event, by, withdrawn: false });
  else if (type === "window.revised") {
    if (known) facts.windows.set(event.window, { fields: revisedFields(known.fields, event), by: [...known.by, ...by], withdrawn: known.withdrawn });
  } else if (type === "window.withdrawn") {
    if (known) facts.windows.set(event.window, { fields: known.fields, by: [...known.by, ...by], withdrawn: true });
  } else if (!Object.hasOwn(HEADINGS, type)) throw new Error(`an entry has the type ${type}, which this page does not know`);
}

// What entries add up to in the order told: withdrawn ones left out, corrections put in.
function folded(told) {
  const corrections = new Map(), withdrawn = new Set(), over = new Set(), said = [];
  for (const one of told) {
    if (one.entry.type === "entry.withdrawn") withdrawn.add(one.entry.event.corrects);
    if (one.entry.type === "entry.corrected") corrections.set(one.entry.event.corrects, [...(corrections.get(one.entry.event.corrects) || []), one]);
  }
  const facts = { kind: "incident", services: [], components: [], regions: [], windows: new Map(), withdrawn: false };
  for (const one of told) {
    if (OVER.includes(facts.status)) over.add(one.entry.version);
    if (withdrawn.has(one.entry.version)) continue;
    const by = (corrections.get(one.entry.version) || []).filter((made) => !withdrawn.has(made.entry.version));
    const event = corrected(one.entry, by);
    apply(facts, one.entry.type, event, [one, ...by]);
    said.push({ one, event, by, status: facts.status });
  }
  return { facts, over, said };
}

function headingOf(type, event) {
  if (type === "entry.corrected" && event.kind === "editorial") return "Editorial change";
  if (type === "incident.fix_deployed") return `${HEADINGS[type]} ${shownInstant(event.at)}`;
  return type.startsWith("window.") ? `${HEADINGS[type]}: ${event.window}` : HEADINGS[type];
}

function windowOf(id, { fields, by, withdrawn }, facts) {
  return {
    id, service: fields.service, component: fields.component, region: fields.region, start: secondsOf(fields.start),
    end: notTold(fields.end) ? null : secondsOf(fields.end), effect: fields.effect, least: fields.share_at_least ?? null, most: fields.share_at_most ?? null,
    of: fields.share_of ?? null, approximate: Boolean(fields.approximate), startWithin: fields.start_within_seconds || 0,
    endWithin: fields.end_within_seconds || 0, basis: fields.basis ?? null, cohort: fields.cohort ?? null,
    planned: fields.planned ? [fields.planned.announced_at, fields.planned.scheduled_start, fields.planned.scheduled_end] : null,
    withdrawn: withdrawn || facts.withdrawn, regions: facts.regions, components: facts.components, entries: by.map((one) => one.entry.position),
  };
}

// What is drawn of a window: the sets of its incident only where it stands for them.
const drawnAs = ({ entries, ...window }) => JSON.stringify({
  ...window, regions: standsForAll(window.region) ? window.regions : [], components: standsForAll(window.component) ? window.components : [],
});

function values(facts) {
  const instant = (value) => (value ? shownInstant(value) : "");
  return [
    ["Status", facts.status || "unknown"], ["Scheduled from", instant(facts.from)], ["Scheduled to", instant(facts.to)], ["Began", instant(facts.began)],
    ["Fixed", instant(facts.fixed)], ["Resolved", instant(facts.resolved)], ["Impact", facts.impact || ""], ["Services", facts.services.join(", ")],
    ["Components", facts.components.join(", ")], ["Regions", facts.regions.join(", ")],
  ];
}

// The statements of a revision, each with what it was before; what changed in nothing stays the one it was.
function statementsAt(stage, standing, made) {
  const visible = new Set(stage.told.map((one) => one.entry.version)), present = new Set();
  const fresh = [];
  for (const { one, event, by, status } of stage.fold.said) {
    const version = one.entry.version, about = one.entry.event[ABOUT[one.entry.type]];
    if (event.body === undefined && QUIET.includes(one.entry.type)) continue;
    present.add(version);
    const over = stage.fold.over;
    const state = `${status} ${over.has(version)} ${about === undefined || visible.has(Number(about))} ${by.map((each) => `${each.entry.version}${over.has(each.entry.version)}`).join()}`;
    const known = standing.get(version);
    if (known && known.state === state) continue;
    const post = {
      version, one, event, status, state, first: stage.number, until: null, heading: headingOf(one.entry.type, event), after: over.has(version),
      before: known ? known.event.body : undefined, changed: Boolean(known),
      corrections: by.map((each) => ({ ...each, after: over.has(each.entry.version) })),
    };
    if (known) known.until = stage.number;
    standing.set(version, post);
    fresh.push(post);
  }
  for (const [version, post] of standing) if (!present.has(version)) { post.until = stage.number; standing.delete(version); }
  made.push(...fresh);
  return fresh.reverse();
}

function windowsAt(stage, drawn, states) {
  const now = new Map(), { facts } = stage.fold;
  for (const [id, known] of facts.windows) {
    const was = drawn.get(id), last = was && was.window;
    if (was && was.fields === known.fields && last.withdrawn === (known.withdrawn || facts.withdrawn)
      && !standsForAll(last.region) && !standsForAll(last.component)) { now.set(id, was); continue; }
    const window = windowOf(id, known, facts), as = drawnAs(window);
    if (was && was.as === as) { was.fields = known.fields; now.set(id, was); continue; }
    const state = { window, fields: known.fields, as, first: stage.number, until: null, ghosts: was ? was.ghosts + 1 : 0 };
    now.set(id, state);
    states.push(state);
  }
  for (const [id, was] of drawn) if (now.get(id) !== was) was.until = stage.number;
  return now;
}

// numbers: those of the revisions on the page, as what is not on it may have taken some; each change is one of them.
function retold(results, numbers) {
  const entries = entriesOf(results), changes = changesOf(entries), erasures = new Map();
  const posts = [], states = [], standing = new Map();
  let told = [], drawn = new Map(), last = null;
  const stages = changes.map((change, at) => {
    told = [...told, ...change.told].sort(toldBefore);
    const stage = { ...change, entries: change.told, told, number: numbers[at] ?? at + 1, fold: folded(told), before: last };
    for (const { entry } of change.told) if (entry.type === "entry.redacted") for (const path of entry.event.fields) {
      if (!erasures.has(`${entry.event.entry}/${path}`)) erasures.set(`${entry.event.entry}/${path}`, entry);
    }
    stage.gone = last ? [...standing.keys()] : [];
    stage.fresh = statementsAt(stage, standing, posts);
    stage.gone = stage.gone.filter((version) => !standing.has(version)).sort((one, other) => one - other);
    drawn = windowsAt(stage, drawn, states);
    stage.windows = [...drawn.values()].sort((one, other) => one.window.start - other.window.start || inOrder(one.window.id, other.window.id));
    stage.title = stage.fold.said.reduce((title, { event }) => event.title ?? title, undefined);
    const was = last ? new Map(values(last.fold.facts)) : null;
    stage.facts = values(stage.fold.facts).map(([name, value]) => ({ name, value, was: was ? was.get(name) : value })).filter(({ value, was: old }) => value || old)
      .map(({ name, value, was: old }) => ({ name, value: value || "none", was: old === value ? null : old || "none" }));
    last = stage;
    return stage;
  });
  posts.sort((one, other) => toldBefore(one.one, other.one) || one.first - other.first).forEach((post, order) => { post.order = order; });
  states.sort((one, other) => inOrder(one.window.region, other.window.region) || one.window.start - other.window.start || inOrder(one.window.id, other.window.id) || one.first - other.first);
  return { entries, stages, posts, states, erasures };
}
