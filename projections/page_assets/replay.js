
"use strict";
// Texts of events are only ever written with textContent, and no link is made of them.
(() => {
  const byId = (id) => document.getElementById(id);
  const all = (selector, root = document) => Array.from(root.querySelectorAll(selector));
  const sections = all("section.revision");
  const numbers = sections.map((section) => Number(section.id.slice(1)));
  const posts = all("article.post");
  const slider = byId("slider");
  let index = numbers.length - 1;

  // ---- walking the revisions --------------------------------------------------------------------------------

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

  function tabulate(number) {
    for (const row of all("#windows tbody tr")) {
      const [first, until] = rangeOf(row);
      const state = stateAt(first, until, number);
      row.dataset.state = state;
      const withdrawn = row.dataset.withdrawn !== undefined;
      row.querySelector(".standing-now").textContent =
        state === "ghost" ? `superseded in r${until}`
        : state === "future" ? "not yet said"
        : withdrawn ? (state === "new" ? "withdrawn now" : "withdrawn")
        : state === "new" ? "new" : "stands";
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

  // ---- hashes -----------------------------------------------------------------------------------------------

  const K = new Uint32Array([
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
  ]);

  // SHA-256 (FIPS 180-4), for readers that give a file no WebCrypto.
  function ownSha256(bytes) {
    const padded = new Uint8Array(((bytes.length + 8 >> 6) + 1) << 6);
    padded.set(bytes);
    padded[bytes.length] = 0x80;
    const view = new DataView(padded.buffer);
    view.setUint32(padded.length - 8, Math.floor(bytes.length / 0x20000000));
    view.setUint32(padded.length - 4, bytes.length << 3 >>> 0);
    const state = new Uint32Array([
      0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
    ]);
    const w = new Uint32Array(64);
    const turn = (value, by) => (value >>> by) | (value << (32 - by));
    for (let block = 0; block < padded.length; block += 64) {
      for (let t = 0; t < 16; t += 1) w[t] = view.getUint32(block + 4 * t);
      for (let t = 16; t < 64; t += 1) {
        const low = turn(w[t - 15], 7) ^ turn(w[t - 15], 18) ^ (w[t - 15] >>> 3);
        const high = turn(w[t - 2], 17) ^ turn(w[t - 2], 19) ^ (w[t - 2] >>> 10);
        w[t] = w[t - 16] + low + w[t - 7] + high;
      }
      let [a, b, c, d, e, f, g, h] = state;
      for (let t = 0; t < 64; t += 1) {
        const one = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t]) | 0;
        const two = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
        h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
      }
      [a, b, c, d, e, f, g, h].forEach((value, at) => { state[at] += value; });
    }
    const digest = new DataView(new ArrayBuffer(32));
    state.forEach((value, at) => digest.setUint32(4 * at, value));
    return new Uint8Array(digest.buffer);
  }

  const subtle = globalThis.crypto && crypto.subtle ? crypto.subtle : null;
  const sha256 = async (bytes) => (subtle ? new Uint8Array(await subtle.digest("SHA-256", bytes)) : ownSha256(bytes));
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const utf8 = (text) => new TextEncoder().encode(text);

  function joined(...parts) {
    const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((at, part) => { whole.set(part, at); return at + part.length; }, 0);
    return whole;
  }

  function bytesOf64(text) {
    const raw = atob(text);
    if (btoa(raw) !== text) throw new Error("it is not Base64 in its one spelling");
    return Uint8Array.from(raw, (letter) => letter.charCodeAt(0));
  }

  function bytesOfHex(text) {
    if (!/^(?:[0-9a-f]{2})*$/.test(text)) throw new Error("it is not hexadecimal");
    return Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
  }

  // ---- proofs -----------------------------------------------------------------------------------------------

  // https://c2sp.org/tlog-checkpoint: origin, size and root, with a signed note's signatures behind an empty line.
  function readCheckpoint(content) {
    const parted = content.lastIndexOf("\n\n");
    const text = parted < 0 ? content : content.slice(0, parted + 1);
    const lines = text.split("\n");
    if (lines.length < 4 || lines[lines.length - 1] !== "") throw new Error("it has no origin, size and root");
    if (!/^(?:0|[1-9][0-9]{0,15})$/.test(lines[1])) throw new Error("its size is no number");
    const root = bytesOf64(lines[2]);
    if (root.length !== 32) throw new Error("its root is not one of SHA-256");
    const signatures = parted < 0 ? [] : content.slice(parted + 2).split("\n").filter((line) => line).map((line) => {
      const found = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/.exec(line);
      if (!found) throw new Error("one of its signatures cannot be read");
      const raw = bytesOf64(found[2]);
      return { name: found[1], id: hex(raw.slice(0, 4)), signature: raw.slice(4) };
    });
    return { text, origin: lines[0], size: Number(lines[1]), root: hex(root), signatures };
  }

  // RFC 9162, section 2.1.3.2. Sizes are halved by division, as they may have more than 32 bits.
  async function rootFromPath(leaf, position, size, path) {
    if (!(position >= 1 && position <= size)) throw new Error(`it is not among the first ${size}`);
    let node = position - 1, last = size - 1, found = leaf;
    for (const sibling of path) {
      if (sibling.length !== 32) throw new Error("a hash of its proof has not 32 bytes");
      if (last === 0) throw new Error("its proof is too long");
      if (node % 2 === 1 || node === last) {
        found = await sha256(joined([1], sibling, found));
        while (node % 2 === 0 && node !== 0) { node /= 2; last = Math.floor(last / 2); }
      } else {
        found = await sha256(joined([1], found, sibling));
      }
      node = Math.floor(node / 2);
      last = Math.floor(last / 2);
    }
    if (last !== 0) throw new Error("its proof is too short");
    return hex(found);
  }

  // Commitments of an entry by path, such as "body" or "set.body".
  function commitmentsOf(fields) {
    const found = new Map();
    const take = (path, value) => {
      if (value && typeof value === "object" && Object.keys(value).length === 1 && typeof value.sha256 === "string") found.set(path, value.sha256);
    };
    for (const [name, value] of Object.entries(fields)) {
      take(name, value);
      if (name === "set") for (const [inner, part] of Object.entries(value)) take(`set.${inner}`, part);
    }
    return found;
  }

  // The text that an element shows: what was deleted is not part of it, and named characters are what they name.
  function textShown(node) {
    if (node.nodeType === Node.TEXT_NODE) return node.data;
    if (node.nodeType !== Node.ELEMENT_NODE || node.localName === "del") return "";
    if (node.dataset.code !== undefined && node.classList.contains("ctl")) return String.fromCodePoint(parseInt(node.dataset.code, 16));
    return Array.from(node.childNodes, textShown).join("");
  }

  class Findings {
    constructor() { this.lines = []; this.failed = 0; }
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
    const result = { version: one.version, position: one.position, leaf: "", tree: [], header: [], texts: [], fits: 0, values: new Map(), type: "", recorded: "", fields: {} };
    const name = `@${one.position} v${one.version}`;
    try {
      const bytes = bytesOf64(one.bytes);
      const leaf = await sha256(joined([0], bytes));
      result.leaf = hex(leaf);
      const root = await rootFromPath(leaf, one.position, checkpoint.size, one.path.map(bytesOf64));
      if (root !== checkpoint.root) result.tree.push(`${name}: its bytes and its proof lead to the root ${root}, not to that of the checkpoint`);
      const entry = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
      const header = entry.header;
      result.fields = entry.data; result.type = header.type; result.recorded = header.recorded_at;
      for (const [field, said, wanted] of [["ledger", header.ledger, checkpoint.origin], ["position", header.position, one.position],
        ["version", header.version, one.version], ["stream", header.stream, data.stream]]) {
        if (said !== wanted) result.header.push(`${name}: its bytes say the ${field} ${said}, the page ${wanted}`);
      }
    } catch (error) {
      result.tree.push(`${name}: ${error.message}`);
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
        result.texts.push(`${name}: the text ${path} was altered: ${error.message}`);
      }
    }
    for (const path of [...one.kept_back, ...one.erased]) {
      if (!commitments.delete(path)) result.texts.push(`${name}: the text ${path} is said to be left out, but the entry has none`);
    }
    for (const path of commitments.keys()) result.texts.push(`${name}: the text ${path} is missing`);
    return result;
  }

  // What the page shows of each entry against the entry itself.
  function compareShown(results, data) {
    const problems = [], byVersion = new Map(results.map((one) => [String(one.version), one]));
    const values = new Map(results.flatMap((one) => [...one.values]));
    const erased = new Set(data.entries.flatMap((one) => one.erased.map((path) => `${one.version}/${path}`)));
    let places = 0;
    for (const element of all("[data-text]")) {
      if (element.closest(".settled")) continue;
      places += 1;
      const source = element.dataset.text;
      if (!values.has(source) || values.get(source) !== textShown(element)) problems.push(`the text shown for v${source.replace("/", " ")} is not the one that was committed`);
    }
    for (const element of all("[data-erased]")) {
      if (!erased.has(element.dataset.erased)) problems.push(`v${element.dataset.erased.replace("/", " ")} is shown as erased, but is not`);
    }
    const listed = new Set();
    for (const element of all("[data-entry]")) {
      const one = byVersion.get(element.dataset.entry);
      listed.add(element.dataset.entry);
      if (!one || String(one.position) !== element.dataset.position || one.type !== element.dataset.type || one.recorded !== element.dataset.recorded) {
        problems.push(`what is shown of v${element.dataset.entry} is not what the entry says`);
      }
    }
    for (const version of byVersion.keys()) if (!listed.has(version)) problems.push(`v${version} is in the page but not shown`);
    return { problems, places };
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
      ? "Verified in this browser: every entry on this page is in the tree of the checkpoint below, and every text shown is the one that was committed."
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

  // ---- comparing with what an auditor kept --------------------------------------------------------------------

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
  window.replay = Object.freeze({ ownSha256, check });

  document.documentElement.classList.add("js");
  byId("controls").hidden = false;
  byId("again").hidden = false;
  byId("kept").disabled = false;
  prepareLong(document);
  show(named(), true);
  check();
})();
