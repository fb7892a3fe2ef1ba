// The recording, and what the parts of the page ask it for. Cycles count from the start of the run.
const run = JSON.parse(document.getElementById("recording").textContent);
const tokens = run.tokens;
const UNIT_NAMES = {
  matvec: "matvec", rope: "RoPE", heads: "head quantisers", attention: "attention", residual: "residual",
  norm: "RMSNorm", swiglu: "SwiGLU", quantiser: "block quantiser", argmax: "argmax, sampler",
};
const CAUSE_NAMES = {
  weights: "pass", headers: "exponents, gains", activation: "wait: activations", attention: "wait: attention",
  tape: "wait: tape", downstream: "wait: downstream", idle: "idle",
};
const PALETTE = ["#93c5fd", "#fdba74", "#86efac", "#f0abfc", "#fde047", "#67e8f9", "#fca5a5", "#c4b5fd"];

const $ = (id) => document.getElementById(id);
const number = (value) => Math.round(value).toLocaleString("en-US");
const percent = (part) => `${(100 * part).toFixed(1)}%`;
const colour = (name) => `var(--${name})`;

// Busy runs of a token by unit, [first, end] in cycles of the run.
for (const token of tokens) {
  token.runs = token.spans.map((flat) => {
    const runs = [];
    let at = token.first;
    for (let k = 0; k < flat.length; k += 2) {
      runs.push([at + flat[k], at + flat[k] + flat[k + 1]]);
      at += flat[k] + flat[k + 1];
    }
    return runs;
  });
  token.rows = [];
  for (let k = 0; k < token.stages.length; k += 5) {
    const [station, layer, stage, first, cycles] = token.stages.slice(k, k + 5);
    token.rows.push({ station, layer, stage: run.stage_names[stage], first: token.first + first, end: token.first + first + cycles });
  }
}

const width = (token) => token.end - token.first;
const share = (token, unit) => token.busy[unit] / width(token);

// The part of the cycles from..to in which a unit is busy.
function busyIn(token, unit, from, to) {
  let sum = 0;
  for (const [first, end] of token.runs[unit]) {
    if (first >= to) break;
    sum += Math.max(0, Math.min(end, to) - Math.max(first, from));
  }
  return sum / Math.max(1, to - from);
}

const rowAt = (token, cycle) => token.rows.filter((row) => row.first <= cycle && cycle < row.end).pop();

function element(name, attributes = {}, text = "") {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function drawn(name, attributes = {}, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

// A piece of text with what cannot be seen made visible.
const visible = (text) => text.replace(/\n/g, "↵").replace(/ /g, "␣").replace(/[\x00-\x1f\x7f]/g, "·") || "∅";

function row(cells, attributes = {}) {
  const made = element("tr", attributes);
  for (const cell of cells) {
    const data = element("td", typeof cell === "object" ? {} : { class: "n" });
    data.append(cell);
    made.append(data);
  }
  return made;
}

// Steps of 1, 2, 5, 10, .. for about `count` ticks on an axis.
function ticks(from, to, count) {
  const rough = (to - from) / count;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = Math.max(1, power * [1, 2, 5, 10].find((factor) => factor * power >= rough || factor === 10));
  const found = [];
  for (let at = Math.ceil(from / step) * step; at <= to; at += step) found.push(at);
  return found;
}
