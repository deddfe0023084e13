// Hashes and proofs: functions of bytes and texts alone, which know nothing of the page.
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
