// The model, away from the page, which stays responsive. Messages: {id, job, …}; answers: {id, result} or {id, error}.
// Pictures come and go as {pixels, width, height}, red, green, blue and alpha from 0 to 255.
const sessions = {};
const codes = new Map();     // style's key -> {mu, logSigma}
const contents = new Map();  // "preview", "full" -> {features, width, height}
let ort, note;

const jobs = {
  async start({ module, wasm, graphs, device, described }) {
    ort = await import(URL.createObjectURL(new Blob([module], { type: "text/javascript" })));
    Object.assign(ort.env.wasm, { wasmBinary: wasm, numThreads: 1 });  // threads need headers that a plain server lacks
    ort.env.logLevel = "error";
    note = described;
    for (const [name, data] of Object.entries(graphs)) {
      const options = { executionProviders: [device], logSeverityLevel: 3 };
      sessions[name] = await ort.InferenceSession.create(new Uint8Array(data), options);
    }
  },

  async style({ key, picture }) {
    const { mu, log_sigma: logSigma } = await sessions.style_encoder.run({ image: toTensor(picture) });
    codes.set(key, { mu: await mu.getData(), logSigma: await logSigma.getData() });
  },

  // z ~ N(0, I), a style without spread (STVAE.sample_style).
  async invent({ key, z }) {
    codes.set(key, { mu: z, logSigma: new Float32Array(z.length).fill(-8) });
  },

  async content({ role, picture }) {
    const { features } = await sessions.content_encoder.run({ image: toTensor(picture) });
    contents.get(role)?.features.dispose();
    contents.set(role, { features, width: picture.width, height: picture.height });
  },

  // shares: [[style's key, φ], …]; z = mu + spread·σ·noise of their mix.
  async draw({ role, shares, spread, noise, strength }) {
    const { features, width, height } = contents.get(role);
    const z = new ort.Tensor("float32", point(shares, spread, noise), [1, note.latent]);
    const weight = new ort.Tensor("float32", [strength], []);
    const { moved, modulation } = await sessions.transform.run({ features, z, strength: weight });
    const { picture } = await sessions.decoder.run({ moved, modulation, strength: weight });
    const pixels = toPixels(await picture.getData(), picture.dims, width, height);
    for (const tensor of [moved, modulation, picture]) tensor.dispose();
    return { pixels, width, height };
  },
};

// Σ φᵢ N(μᵢ, σᵢ²), means and variances both weighted by φᵢ, and a point of it (codes.py: mix_codes, StyleCode.z).
function point(shares, spread, noise) {
  const z = new Float32Array(note.latent), variance = new Float32Array(note.latent);
  for (const [key, share] of shares) {
    const { mu, logSigma } = codes.get(key);
    for (let i = 0; i < z.length; i++) {
      z[i] += share * mu[i];
      variance[i] += share * Math.exp(2 * logSigma[i]);
    }
  }
  return z.map((value, i) => value + spread * Math.sqrt(variance[i]) * noise[i]);
}

const padded = (side) => Math.max(2 * note.stride, Math.ceil(side / note.stride) * note.stride);

// Where a row or column of a picture that grows to the stride is taken from: reflected at its end, or its border repeated
// where it is too small for that (stvae.py: pad_to_stride).
function sources(side, reflected) {
  return Array.from({ length: padded(side) }, (_, i) => (i < side ? i : reflected ? 2 * (side - 1) - i : side - 1));
}

function toTensor({ pixels, width, height }) {
  const reflected = padded(width) < 2 * width && padded(height) < 2 * height;
  const columns = sources(width, reflected), rows = sources(height, reflected);
  const data = new Float32Array(3 * rows.length * columns.length);
  let place = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (const row of rows) {
      for (const column of columns) data[place++] = pixels[4 * (row * width + column) + channel] / 255;
    }
  }
  return new ort.Tensor("float32", data, [1, 3, rows.length, columns.length]);
}

function toPixels(data, [, , rows, columns], width, height) {
  const pixels = new Uint8ClampedArray(4 * width * height).fill(255);  // it rounds to nearest
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) pixels[4 * (y * width + x) + channel] = 255 * data[(channel * rows + y) * columns + x];
    }
  }
  return pixels;
}

let before = Promise.resolve();
onmessage = ({ data }) => {
  before = before.then(async () => {
    try {
      postMessage({ id: data.id, result: await jobs[data.job](data) });
    } catch (error) {
      postMessage({ id: data.id, error: String(error?.message ?? error) });
    }
  });
};
