"use strict";

const byId = (id) => document.getElementById(id);
const made = JSON.parse(byId("made").textContent);
const PLACES = ["Upper left", "Upper right", "Lower left", "Lower right"];
const MOST_PIXELS = 60e6, MOST_BYTES = 100e6, FEWEST = 16;  // more pixels than that, and a phone's memory is full
const STYLE_SIDE = 512, PREVIEW_SIDE = 160;
const REST = 250;           // milliseconds that a hand rests before the picture is drawn in full
const QUICK = 60;          // milliseconds within which a picture needs no preview
const SAME = 2;             // grey levels that a runtime may be off, on average

// corners: {key, title, image}, and z where the style was invented. picture: the newest drawn. encoded: what the worker knows.
const state = { x: made.point[0], y: made.point[1], noise: gaussians(made.latent), corners: [], photo: null, picture: null,
                photoNumber: 0, count: 0, encoded: new Set(), photoEncoded: {}, fullTime: Infinity };

class Refused extends Error {}

// Pictures ------------------------------------------------------------------------------------------------------------

// An <img> of a file or address. Its header is read first, so that a picture too large for memory is never decoded.
async function openPicture(source, name) {
  if (source.size > MOST_BYTES) throw new Refused(`${name}: is larger than ${MOST_BYTES / 1e6} MB; scale it down first`);
  const address = source instanceof Blob ? URL.createObjectURL(source) : source;
  const image = new Image();
  image.src = address;
  await new Promise((resolve, reject) => {
    image.onload = resolve;
    image.onerror = () => reject(new Refused(`${name}: is no picture that this browser reads; give a JPEG or PNG file`));
  });
  const { naturalWidth: width, naturalHeight: height } = image;
  if (width * height > MOST_PIXELS) {
    throw new Refused(`${name}: has ${Math.round(width * height / 1e6)} megapixels; scale it down to ${MOST_PIXELS / 1e6} first`);
  }
  if (Math.min(width, height) < FEWEST) throw new Refused(`${name}: is smaller than ${FEWEST} pixels on a side`);
  return image;
}

// Its pixels, the longer side at most `side` long, transparency over white.
function pixelsOf(image, side) {
  const scale = Math.min(1, side / Math.max(image.naturalWidth, image.naturalHeight));
  const [width, height] = [image.naturalWidth, image.naturalHeight].map((value) => Math.max(FEWEST, Math.round(scale * value)));
  const canvas = Object.assign(document.createElement("canvas"), { width, height });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(image, 0, 0, width, height);
  return { pixels: context.getImageData(0, 0, width, height).data, width, height };
}

function paint({ pixels, width, height }) {
  Object.assign(byId("picture"), { width, height });
  byId("picture").getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
}

// Messages ------------------------------------------------------------------------------------------------------------

function say(text) {
  byId("status").textContent = text;
}

function complain(error) {
  byId("error").textContent = error instanceof Refused ? error.message : `That went wrong: ${error.message ?? error}`;
  byId("error").hidden = false;
}

// The model -----------------------------------------------------------------------------------------------------------

let started;
function engine() {
  started ??= start().catch((error) => {
    started = undefined;
    throw error;
  });
  return started;
}

// The graphics card where there is one that draws what PyTorch draws, the processor otherwise.
async function start() {
  const failures = [];
  for (const device of (await hasCard()) ? ["webgpu", "wasm"] : ["wasm"]) {
    try {
      return await launch(device);
    } catch (error) {
      failures.push(error.message ?? error);
    }
  }
  const served = "serve its folder (python3 -m http.server) and open the address that this prints, or use another browser";
  throw new Refused(`The model does not start here (${failures.join("; ")}): ` +
                    (location.protocol === "file:" ? `a browser may forbid it to a page from a file; ${served}` : "try another browser"));
}

async function hasCard() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return Boolean(adapter) && !adapter.info?.isFallbackAdapter;
}

async function launch(device) {
  const files = ["model.js", `runtime_${device}.js`];
  say(`Loading the model (${Math.ceil(files.reduce((sum, file) => sum + made.bytes[file], 0) / 1e6)} MB), once …`);
  for (const file of files) await load(`${made.folder}/${file}`);
  const worker = new Worker(URL.createObjectURL(new Blob([byId("worker").textContent], { type: "text/javascript" })));
  try {
    const run = connect(worker);
    await prepare(run, device);
    return { run, device: device === "wasm" ? "processor" : "graphics card" };
  } catch (error) {
    worker.terminate();
    throw error;
  }
}

// Hand a worker the runtime and the model, and try them.
async function prepare(run, device) {
  const { note, check, graphs } = globalThis.stvaeModel;
  const [module, wasm] = await Promise.all([globalThis.stvaeRuntime.module, globalThis.stvaeRuntime.wasm].map(unpack));
  const names = Object.keys(graphs), contents = await Promise.all(names.map((name) => unpack(graphs[name])));
  await run("start", { module, wasm, device, described: note, graphs: Object.fromEntries(names.map((name, i) => [name, contents[i]])) });
  await examine(run, check);
}

function load(file) {
  return new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: file, onload: resolve });
    script.onerror = () => reject(new Error(`${file} is missing beside the page`));
    document.head.append(script);
  });
}

async function unpack(text) {
  const packed = await fetch(`data:application/octet-stream;base64,${text}`);
  return new Response(packed.body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

// A function that has a worker do a job, as a promise.
function connect(worker) {
  const waiting = new Map();
  let count = 0;
  worker.onmessage = ({ data }) => {
    const { resolve, reject } = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.error === undefined) resolve(data.result);
    else reject(new Error(data.error));
  };
  worker.onerror = (event) => waiting.forEach(({ reject }) => reject(new Error(event.message ?? "the worker failed")));
  return (job, values) => new Promise((resolve, reject) => {
    waiting.set(count, { resolve, reject });
    worker.postMessage({ id: count++, job, ...values });
  });
}

// Drivers differ: a small picture must come out as PyTorch drew it.
async function examine(run, check) {
  const size = { width: check.side, height: check.side };
  const [content, style, wanted] = await Promise.all(["content", "style", "wanted"].map(
    async (name) => new Uint8ClampedArray(await unpack(check[name]))));
  await run("style", { key: "check", picture: { pixels: style, ...size } });
  await run("content", { role: "preview", picture: { pixels: content, ...size } });
  const noise = new Float32Array(made.latent);
  const { pixels } = await run("draw", { role: "preview", shares: [["check", 1]], spread: 0, noise, strength: 1 });
  const off = pixels.reduce((sum, value, i) => sum + Math.abs(value - wanted[i]), 0) / pixels.length;
  if (!(off <= SAME)) throw new Error(`the check picture is ${off.toFixed(1)} grey levels off`);
}

// Drawing -------------------------------------------------------------------------------------------------------------

// At most one picture is drawn at a time, always of the newest wishes.
let wish = null, busy = false, resting;
function changed(role = state.fullTime < QUICK ? "full" : "preview") {
  show();
  if (comparing()) compare(false);
  byId("save").disabled = true;
  wish = role;
  clearTimeout(resting);
  if (role === "preview") {
    resting = setTimeout(() => {
      wish = "full";
      fulfil();
    }, REST);
  }
  fulfil();
}

async function fulfil() {
  if (busy) return;
  busy = true;
  try {
    while (wish) {
      const role = wish;
      wish = null;
      await draw(role);
    }
  } catch (error) {
    say("");
    complain(error);
  } finally {
    busy = false;
  }
}

async function draw(role) {
  const { run, device } = await engine();
  const start = performance.now();
  const parts = mix().map((share, i) => [state.corners[i], share]).filter(([, share]) => share > 0);
  for (const [corner] of parts) await encodeStyle(run, corner);
  await encodePhoto(run, role);
  const picture = await run("draw", { role, shares: parts.map(([corner, share]) => [corner.key, share]), noise: state.noise,
                                      spread: Number(byId("spread").value), strength: byId("strength").value / 100 });
  state.picture = picture;
  if (!comparing()) paint(picture);
  const milliseconds = performance.now() - start;
  Object.assign(byId("stage").dataset, { drawn: role, milliseconds: Math.round(milliseconds) });
  if (role !== "full") return;
  state.fullTime = milliseconds;
  byId("save").disabled = wish !== null;
  const all = Number(byId("size").value) > Math.max(picture.width, picture.height) ? ", all that the photograph has," : "";
  say(`${picture.width} × ${picture.height} pixels${all} in ${(milliseconds / 1000).toFixed(2)} s, on this device's ${device}`);
}

async function encodeStyle(run, corner) {
  if (state.encoded.has(corner.key)) return;
  if (corner.z) await run("invent", { key: corner.key, z: corner.z });
  else await run("style", { key: corner.key, picture: pixelsOf(corner.image, STYLE_SIDE) });
  state.encoded.add(corner.key);
}

async function encodePhoto(run, role) {
  const side = role === "preview" ? PREVIEW_SIDE : Number(byId("size").value);
  const key = `${state.photoNumber} at ${side}`;
  if (state.photoEncoded[role] === key) return;
  await run("content", { role, picture: pixelsOf(state.photo, side) });
  state.photoEncoded[role] = key;
}

// Shares of the corners at the dot (mixing.py: bilinear_mix).
function mix() {
  const { x, y } = state;
  return [(1 - y) * (1 - x), (1 - y) * x, y * (1 - x), y * x];
}

function gaussians(count) {
  return Float32Array.from({ length: count },
                           () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
}

// What the page shows of the state ------------------------------------------------------------------------------------

const corners = [...document.querySelectorAll(".corner")];

function show() {
  const percents = mix().map((share) => `${Math.round(100 * share)} %`);
  corners.forEach((button, i) => {
    button.style.backgroundImage = `url("${state.corners[i].image.src}")`;
    button.firstChild.textContent = percents[i];
    button.ariaLabel = `${PLACES[i]}: ${state.corners[i].title}, ${percents[i]}; choose another style`;
  });
  Object.assign(byId("dot").style, { left: `${100 * state.x}%`, top: `${100 * state.y}%` });
  byId("pad").ariaValueNow = Math.round(100 * state.x);
  byId("pad").ariaValueText = state.corners.map((corner, i) => `${corner.title} ${percents[i]}`).join(", ");
  byId("strength-shown").value = `${byId("strength").value} %`;
  const spread = Number(byId("spread").value);
  byId("spread-shown").value = spread ? `${spread.toFixed(1)} σ` : "none";
}

// Every corner of the square in the mean colour of its style.
function colourPad() {
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 })
    .getContext("2d", { willReadFrequently: true });
  Object.assign(context, { imageSmoothingQuality: "high", filter: "saturate(2)" });  // a mean of many colours is a dull one
  const layers = state.corners.map((corner, i) => {
    context.drawImage(corner.image, 0, 0, 1, 1);
    const colour = `rgb(${context.getImageData(0, 0, 1, 1).data.slice(0, 3).join(" ")}`;
    return `radial-gradient(circle at ${100 * (i % 2)}% ${100 * (i >> 1)}%, ${colour}), ${colour} / 0) 80%)`;
  });
  byId("pad").style.background = layers.join(",");
}

function comparing() {
  return byId("compare").ariaPressed === "true";
}

// What a reader does --------------------------------------------------------------------------------------------------

// An action that complains where it fails, and clears an earlier complaint.
function attempt(action) {
  return async (...values) => {
    byId("error").hidden = true;
    try {
      await action(...values);
    } catch (error) {
      complain(error);
    }
  };
}

const takePhoto = attempt(async (file) => {
  state.photo = await openPicture(file, file.name);
  state.photoNumber += 1;
  state.fullTime = Infinity;
  paint(pixelsOf(state.photo, Number(byId("size").value)));  // at once: the model may take seconds to load
  changed();
});

const takePainting = attempt(async (file, corner) => {
  const image = await openPicture(file, file.name);
  setCorner(corner, { key: `own ${state.count++}`, title: file.name, image });
});

const invent = attempt(async (corner) => {
  const tile = '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><rect width="96" height="96" fill="#8a7fa8"/>' +
    '<text x="48" y="48" font-size="26" font-family="serif" text-anchor="middle" fill="#fff">z ~ N</text></svg>';
  const image = await openPicture(`data:image/svg+xml,${encodeURIComponent(tile)}`, "tile");
  setCorner(corner, { key: `invented ${state.count++}`, title: "a style nobody painted", image, z: gaussians(made.latent) });
});

function setCorner(corner, style) {
  state.corners[corner] = style;
  colourPad();
  changed();
}

function move(x, y) {
  [state.x, state.y] = [x, y].map((value) => Math.min(1, Math.max(0, value)));
  changed();
}

function follow(event) {
  const box = byId("pad").getBoundingClientRect();
  move((event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
}

function step(event) {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  if (!steps[event.key]) return;
  event.preventDefault();
  const [across, down] = steps[event.key], size = event.shiftKey ? 0.25 : 0.05;
  move(state.x + size * across, state.y + size * down);
}

function compare(on) {
  byId("compare").ariaPressed = String(on);
  paint(on ? pixelsOf(state.photo, Number(byId("size").value)) : state.picture);
}

function save() {
  compare(false);
  byId("picture").toBlob((blob) => {
    const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: "st-vae.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  });
}

function acceptDrops(target, take) {
  const mark = (on) => (event) => {
    event.preventDefault();
    target.classList.toggle("dropping", on);
  };
  target.addEventListener("dragover", mark(true));
  target.addEventListener("dragleave", mark(false));
  target.addEventListener("drop", (event) => {
    mark(false)(event);
    event.stopPropagation();
    if (event.dataTransfer.files.length) take(event.dataTransfer.files[0]);
  });
}

function offerFiles(button, input, take) {
  byId(button).addEventListener("click", () => byId(input).click());
  byId(input).addEventListener("change", () => {
    if (byId(input).files.length) take(byId(input).files[0]);
    byId(input).value = "";  // so that the same file can be chosen again
  });
}

// The dialogue that gives a corner another style.
function preparePicker(styles) {
  let corner = 0;
  const picker = byId("picker");
  const chosen = (action) => (...values) => {
    picker.close();
    return action(...values, corner);
  };
  corners.forEach((button, i) => button.addEventListener("click", () => {
    corner = i;
    picker.showModal();
  }));
  for (const style of styles.values()) {
    const button = Object.assign(document.createElement("button"), { type: "button" });
    button.append(Object.assign(new Image(), { src: style.image.src, alt: "" }),
                  Object.assign(document.createElement("span"), { textContent: style.title }));
    button.addEventListener("click", chosen(() => setCorner(corner, style)));
    byId("choices").append(button);
  }
  byId("invent").addEventListener("click", chosen(() => invent(corner)));
  byId("close").addEventListener("click", () => picker.close());
  offerFiles("own-style", "painting", chosen(takePainting));
}

function listen() {
  const pad = byId("pad");
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    follow(event);
  });
  pad.addEventListener("pointermove", (event) => event.buttons && follow(event));
  pad.addEventListener("keydown", step);
  for (const id of ["strength", "spread"]) byId(id).addEventListener("input", () => changed());
  byId("size").addEventListener("change", () => changed("full"));
  byId("again").addEventListener("click", () => {
    state.noise = gaussians(made.latent);
    if (byId("spread").value === "0") byId("spread").value = 1;
    changed();
  });
  byId("compare").addEventListener("click", () => compare(!comparing()));
  byId("save").addEventListener("click", save);
  offerFiles("own", "photo", takePhoto);
  acceptDrops(document.body, takePhoto);
  corners.forEach((button, i) => acceptDrops(button, (file) => takePainting(file, i)));
}

async function begin() {
  corners.forEach((button) => button.append(document.createElement("span")));
  const styles = new Map();
  for (const { name, title, picture } of made.styles) styles.set(name, { key: name, title, image: await openPicture(picture, title) });
  state.corners = made.corners.map((name) => styles.get(name));
  state.photo = await openPicture(made.photo, "photograph");
  state.picture = pixelsOf(await openPicture(made.first, "picture"), STYLE_SIDE);
  paint(state.picture);
  colourPad();
  show();
  preparePicker(styles);
  listen();
  say("Drawn when this page was made; the model starts at your first touch.");
  byId("stage").dataset.drawn = "ready";
}

begin();
