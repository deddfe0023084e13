// What the page brings is checked, what it shows is compared with that, and both are told.
// The text that an element shows: what was deleted (or, for the text before, inserted) is not part of it, and named
// characters are what they name.
function textShown(node, without) {
  if (node.nodeType === Node.TEXT_NODE) return node.data;
  if (node.nodeType !== Node.ELEMENT_NODE || node.localName === without) return "";
  if (node.dataset.code !== undefined && node.classList.contains("ctl")) return String.fromCodePoint(parseInt(node.dataset.code, 16));
  return Array.from(node.childNodes, (child) => textShown(child, without)).join("");
}

class Findings {
  constructor() { this.lines = []; this.failed = 0; this.signed = false; this.unsaid = 0; this.priced = "Availability"; }
  add(good, text) {
    this.lines.push([good, text]);
    if (good === false) this.failed += 1;
  }
  // One line for many alike: how many hold, or each that does not.
  many(problems, count, fine) {
    if (!problems.length) this.add(true, fine);
    for (const problem of problems.slice(0, 20)) this.add(false, problem);
    if (problems.length > 20) this.add(false, `and ${problems.length - 20} more of ${count}`);
  }
}

async function checkEntry(one, data, checkpoint) {
  const result = { version: one.version, position: one.position, leaf: "", tree: [], header: [], texts: [], fits: 0, values: new Map(), type: "", recorded: "", clockBehind: false, fields: {} };
  const name = `@${one.position} v${one.version}`;
  try {
    const bytes = bytesOf64(one.bytes);
    const leaf = await sha256(joined([0], bytes));
    result.leaf = hex(leaf);
    const root = await rootFromPath(leaf, one.position, checkpoint.size, one.path.map(bytesOf64));
    if (root !== checkpoint.root) result.tree.push(`${name}: its bytes and its proof lead to the root ${root}, not to that of the checkpoint.`);
    const entry = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    const header = entry.header;
    result.fields = entry.data; result.type = header.type; result.recorded = header.recorded_at; result.clockBehind = header.clock_behind === true;
    for (const [field, said, wanted] of [["ledger", header.ledger, checkpoint.origin], ["position", header.position, one.position],
      ["version", header.version, one.version], ["stream", header.stream, data.stream]]) {
      if (said !== wanted) result.header.push(`${name}: its bytes say the ${field} ${said}, the page ${wanted}.`);
    }
  } catch (error) {
    result.tree.push(`${name}: ${error.message}.`);
    return result;
  }
  const commitments = commitmentsOf(result.fields);
  for (const [path, pair] of Object.entries(one.texts)) {
    const wanted = commitments.get(path);
    commitments.delete(path);
    try {
      const found = hex(await sha256(joined(bytesOfHex(pair[0]), utf8(pair[1]))));
      if (found !== wanted) throw new Error("it does not fit the commitment in its entry");
      result.values.set(`${one.version}/${path}`, pair[1]);
      result.fits += 1;
    } catch (error) {
      result.texts.push(`${name}: the text ${path} was altered: ${error.message}.`);
    }
  }
  for (const path of [...one.kept_back, ...one.erased]) {
    if (!commitments.delete(path)) result.texts.push(`${name}: the text ${path} is said to be left out, but the entry has none.`);
  }
  for (const path of commitments.keys()) result.texts.push(`${name}: the text ${path} is missing.`);
  return result;
}

// What the page shows of each entry against the entry itself.
function compareShown(results, data) {
  const problems = [], byVersion = new Map(results.map((one) => [String(one.version), one]));
  const values = new Map(results.flatMap((one) => [...one.values]));
  const erased = new Set(data.entries.flatMap((one) => one.erased.map((path) => `${one.version}/${path}`)));
  let places = 0;
  for (const element of all("[data-text]")) {
    places += 1;
    const { text, before } = element.dataset;
    const fits = (source, without) => values.has(source) && values.get(source) === textShown(element, without);
    if (!fits(text, "del")) problems.push(`The text shown for v${text.replace("/", " ")} is not the one that was committed.`);
    if (before === undefined ? element.querySelector("ins, del") : !fits(before, "ins")) problems.push(`What is marked as changed in v${text.replace("/", " ")} is not what changed.`);
  }
  for (const element of all("[data-erased]")) {
    if (!erased.has(element.dataset.erased)) problems.push(`v${element.dataset.erased.replace("/", " ")} is shown as erased, but is not.`);
  }
  const listed = new Set();
  for (const element of all("[data-entry]")) {
    const one = byVersion.get(element.dataset.entry);
    listed.add(element.dataset.entry);
    if (!one || String(one.position) !== element.dataset.position || one.type !== element.dataset.type || one.recorded !== element.dataset.recorded) {
      problems.push(`What is shown of v${element.dataset.entry} is not what the entry says.`);
    }
  }
  for (const version of byVersion.keys()) if (!listed.has(version)) problems.push(`v${version} is in the page but not shown.`);
  return { problems, places };
}

// The notice is told again from the entries, and what is shown compared with that.
function tellAgain(results, data, findings) {
  let found;
  try {
    found = new Shown(results, data).compared();
  } catch (error) {
    findings.add(false, `What is shown cannot be compared with the entries: ${error.message}.`);
    return;
  }
  findings.priced = data.with_others ? "Downtime, availability" : "Availability";
  findings.many(found.problems, found.problems.length, `Times on both clocks, statuses, marks, statements, fields and windows, told again from the entries, are as shown (${found.places} places).`);
  findings.add(null, data.with_others ? "Downtime counts windows of other incidents, which are not here: it was not recomputed." : "Downtime was recomputed from the windows, second by second.");
  if (data.as_of) findings.add(null, `Windows that are open count to ${shownInstant(data.as_of)}, as was asked for when this page was made.`);
  findings.add(null, "Availability and credits were not recomputed: policies and subscriptions are not in the page.");
}

// What is not on the page cannot be checked, but it can be said: entries between the others, and texts that nobody is seen to erase.
function sayWhatIsLeftOut(results, data, findings) {
  const versions = results.map((one) => one.version), missing = [];
  for (let version = 1; version < Math.max(...versions); version += 1) if (!versions.includes(version)) missing.push(`v${version}`);
  if (missing.length) findings.add(null, `Not on this page, as not public: ${missing.join(", ")} of ${data.stream}.`);
  const said = new Set(results.filter((one) => one.type === "entry.redacted").flatMap((one) => one.fields.fields.map((path) => `${one.fields.entry}/${path}`)));
  const unsaid = data.entries.flatMap((one) => one.erased.map((path) => `${one.version}/${path}`)).filter((path) => !said.has(path));
  findings.unsaid = unsaid.length;
  if (unsaid.length) findings.add(null, `Said to be erased, but by no entry on this page: ${unsaid.map((path) => `v${path.replace("/", " ")}`).join(", ")}.`);
}

async function checkSignature(checkpoint, vkeys, findings) {
  if (!checkpoint.signatures.length) {
    findings.add(null, "The checkpoint is not signed: whose ledger this is was not checked.");
    return;
  }
  const signers = checkpoint.signatures.map((one) => `${one.name} (key ${one.id})`).join(", ");
  for (const vkey of vkeys) {
    const [, name, id, key] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/.exec(vkey) || [];
    const signed = checkpoint.signatures.find((one) => one.name === name && one.id === id);
    if (!signed) {
      findings.add(false, `The page brings the key ${vkey}, but the checkpoint is signed by ${signers}.`);
      return;
    }
    try {
      const material = bytesOf64(key);
      if (hex((await sha256(joined(utf8(`${name}\n`), material))).slice(0, 4)) !== id) throw new Error("the key does not fit its id");
      if (!subtle) throw new DOMException("there is no WebCrypto", "NotSupportedError");
      const known = await subtle.importKey("raw", material.slice(1), { name: "Ed25519" }, false, ["verify"]);
      const good = await subtle.verify({ name: "Ed25519" }, known, signed.signature, utf8(checkpoint.text));
      findings.signed = good;
      findings.add(good, good ? `The checkpoint is signed by ${name} (key ${id}), with the key named below.` : `The signature of ${name} (key ${id}) does not fit the checkpoint: it was altered.`);
    } catch (error) {
      if (error.name === "NotSupportedError") findings.add(null, `The signature by ${signers} was not checked in the page, as this browser knows no Ed25519.`);
      else findings.add(false, `The signature of ${name} (key ${id}) cannot be checked: ${error.message}.`);
    }
    return;
  }
  findings.add(null, `The checkpoint is signed by ${signers}, whose key is not on this page: the signature was not checked.`);
}

let current = null;

async function check() {
  const findings = new Findings();
  let results = [];
  current = { checkpoint: null, findings };
  try {
    results = await checkAll(findings);
  } catch (error) {
    findings.add(false, `What the page brings cannot be read: ${error.message}.`);
  }
  findings.add(null, subtle ? "Hashed with WebCrypto." : "This browser gives a file no WebCrypto: hashed with the SHA-256 that the page brings.");
  report(results, findings);
}

async function checkAll(findings) {
  const data = JSON.parse(byId("data").textContent);
  const checkpoint = readCheckpoint(data.checkpoint);
  current.checkpoint = checkpoint;
  if (document.querySelector(".checkpoint").textContent !== data.checkpoint) findings.add(false, "The checkpoint shown is not the one that was checked.");
  if (all(".vkey").map((found) => found.textContent).join() !== data.vkeys.join()) findings.add(false, "The signing key shown is not the one that was used.");
  const results = await Promise.all(data.entries.map((one) => checkEntry(one, data, checkpoint)));
  const count = results.length, one = count === 1;
  findings.many(results.flatMap((each) => each.tree), count, `${one ? "The entry" : `All ${count} entries`} on this page, hashed again, ${one ? "is" : "are"} among the first ${checkpoint.size} of the ledger ${checkpoint.origin} (RFC 6962), root ${checkpoint.root}.`);
  findings.many(results.flatMap((each) => each.header), count, "Each says the ledger, stream, version and position under which it is shown.");
  const total = (name) => data.entries.reduce((sum, each) => sum + each[name].length, 0);
  const fits = results.reduce((sum, each) => sum + each.fits, 0);
  const left = [[total("erased"), "erased"], [total("kept_back"), "kept back"]].filter(([some]) => some);
  findings.many(results.flatMap((each) => each.texts), count, `All ${fits} texts that are here fit what their entries committed to${left.map(([some, word]) => `; ${some} ${word}`).join("")}.`);
  const shown = compareShown(results, data);
  findings.many(shown.problems, shown.places, `The ${shown.places} places that show a text show exactly these.`);
  if (hex(await sha256(utf8(looks))) !== LOOKS) findings.add(false, "What the page looks like is not what its program knows: its style was altered.");
  tellAgain(results, data, findings);
  sayWhatIsLeftOut(results, data, findings);
  await checkSignature(checkpoint, data.vkeys, findings);
  return results;
}

function report(results, findings) {
  const good = findings.failed === 0;
  const list = byId("checks");
  list.replaceChildren(...findings.lines.map(([kind, text]) => {
    const item = document.createElement("li");
    item.textContent = text;
    if (kind !== null) item.className = kind ? "good" : "bad";
    return item;
  }));
  const outcome = byId("outcome");
  outcome.className = `outcome ${good ? "good" : "bad"}`;
  outcome.textContent = good
    ? `Verified in this browser: every entry on this page is in the tree of the checkpoint below, every text shown is the one that was committed, and times, statuses, marks and windows are what the entries say. ${findings.priced} and credits were not recomputed.`
      + (findings.unsaid ? ` But ${findings.unsaid === 1 ? "one text is" : `${findings.unsaid} texts are`} left out without an entry here that says so.` : "")
      + (findings.signed ? "" : " Whose ledger this is was not checked: no signature was.")
    : `It fails: ${findings.failed} ${findings.failed === 1 ? "check does" : "checks do"} not hold. Do not rely on this page.`;
  const verdict = byId("verdict");
  verdict.className = `verdict ${good ? "good" : "bad"}`;
  verdict.textContent = good ? "✓ Verified in this browser" : "✗ Verification fails";
  for (const row of all("#entries tbody tr")) {
    const one = results.find((found) => String(found.version) === row.dataset.version);
    const cell = (name, fine, text) => {
      const found = row.querySelector(name);
      found.textContent = text;
      found.classList.toggle("bad", !fine);
    };
    if (!one) { cell(".included", false, "not in the page"); continue; }
    row.querySelector(".leaf").textContent = one.leaf;
    const fine = !one.tree.length && !one.header.length;
    cell(".included", fine, fine ? "yes" : "no");
    cell(".fitting", !one.texts.length && fine, one.texts.length ? "altered" : fine ? `${one.fits} fit` : "not checked");
  }
  compare();
}

// The bytes as they were hashed; what cannot be seen is named, as everywhere on the page.
function showBytes(button) {
  const box = byId("bytes"), row = button.closest("tr");
  let text = "";
  try {
    const one = JSON.parse(byId("data").textContent).entries.find((found) => String(found.version) === row.dataset.version);
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytesOf64(one.bytes));
  } catch (error) {
    text = `It cannot be read: ${error.message}`;
  }
  box.replaceChildren(...text.split(/([\p{Cf}\u2028\u2029])/u).map((part, at) => {
    if (at % 2 === 0) return document.createTextNode(part);
    const named = document.createElement("span");
    named.className = "ctl";
    named.textContent = `U+${part.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    return named;
  }));
  box.hidden = false;
  for (const other of all("button.bytes")) other.setAttribute("aria-expanded", String(other === button));
}

function compare() {
  const text = byId("kept").value.trim(), said = byId("compared");
  said.className = "outcome";
  said.textContent = "";
  if (!text || !current || !current.checkpoint) return;
  const own = current.checkpoint;
  let root = null, size = null, origin = null;
  try {
    if (/^[0-9a-fA-F]{64}$/.test(text)) root = text.toLowerCase();
    else if (/^[A-Za-z0-9+/]{43}=$/.test(text)) root = hex(bytesOf64(text));
    else ({ root, size, origin } = readCheckpoint(`${text.split("\n").map((line) => line.trimEnd()).join("\n")}\n`));
  } catch (error) {
    said.textContent = `This is neither a root nor a checkpoint: ${error.message}.`;
    return;
  }
  const other = origin !== null && origin !== own.origin;
  if (!other && size !== null && size !== own.size) {
    said.textContent = `That checkpoint is of ${size} entries, this page of ${own.size}. Ask for a proof that one continues the other (ledger prove --from).`;
    return;
  }
  const good = !other && root === own.root && current.findings.failed === 0;
  said.className = `outcome ${good ? "good" : "bad"}`;
  said.textContent = good ? "It is the root of this page: what you kept and what you see are one history."
    : other ? `That is a checkpoint of another ledger, ${origin}; this page is of ${own.origin}.`
    : root === own.root ? "The roots are the same, but this page fails its own checks."
    : "It is not the root of this page. If it is of the same size, this is another history; a root of another size cannot be compared here.";
}

byId("kept").addEventListener("input", compare);
byId("again").addEventListener("click", check);
for (const button of all("button.bytes")) {
  button.disabled = false;
  button.addEventListener("click", () => showBytes(button));
}
// For an auditor's console, and for tests against published vectors.
window.replay = Object.freeze({ ownSha256, check, outOfForm });

document.documentElement.classList.add("js");
byId("controls").hidden = false;
byId("again").hidden = false;
byId("kept").disabled = false;
prepareLong(document);
show(named(), true);
check();
