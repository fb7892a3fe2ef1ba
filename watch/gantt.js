// The units over one token's cycles; the part that is shown may be zoomed and moved.
const chart = $("chart");
const LANE = 22, BAR = 14, MARGIN = 18, LEAST = 16; // pixels; cycles that are shown at least
const view = { from: 0, to: 1, token: null };
const labels = () => (chart.clientWidth < 500 ? 74 : 112);
const SHORT = { heads: "head quant.", quantiser: "block quant.", argmax: "argmax" };
const x = (cycle) => labels() + (cycle - view.from) / (view.to - view.from) * (chart.clientWidth - labels() - 46);

// Bars of the runs inside the view; those that are closer than a pixel are one.
function bars(runs) {
  const pixel = (view.to - view.from) / Math.max(1, chart.clientWidth - labels() - 46), found = [];
  for (const [first, end] of runs) {
    if (end <= view.from) continue;
    if (first >= view.to) break;
    const last = found[found.length - 1];
    if (last && first - last[1] < pixel) last[1] = Math.min(end, view.to);
    else found.push([Math.max(first, view.from), Math.min(end, view.to)]);
  }
  return found;
}

function drawStages(token) {
  for (const part of token.rows) {
    if (part.end <= view.from || part.first >= view.to) continue;
    const left = x(Math.max(part.first, view.from)), right = x(Math.min(part.end, view.to));
    if (right - left < 0.7) continue;
    chart.append(drawn("rect", { class: `stage ${part.stage}`, x: left.toFixed(1), y: 3, width: (right - left).toFixed(1), height: BAR + 2 }));
    if (right - left > 8 * part.stage.length + 4) chart.append(drawn("text", { class: "name", x: ((left + right) / 2).toFixed(1), y: 15, "text-anchor": "middle" }, part.stage));
  }
}

function drawGantt() {
  const { token } = view, wide = chart.clientWidth, end = wide - 46, high = LANE * (run.units.length + 1) + MARGIN;
  chart.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  chart.style.height = `${high}px`;
  chart.replaceChildren(drawn("text", { class: "name", x: 0, y: 15 }, chart.clientWidth < 500 ? "matrix" : "matrix at matvec"));
  drawStages(token);
  run.units.forEach((unit, k) => {
    const top = LANE * (k + 1), found = bars(token.runs[k]);
    const name = chart.clientWidth < 500 ? (SHORT[unit] ?? UNIT_NAMES[unit]) : UNIT_NAMES[unit];
    chart.append(drawn("text", { class: "name", x: 0, y: top + 15 }, name));
    chart.append(drawn("rect", { class: "lane", x: labels(), y: top + 4, width: Math.max(0, end - labels()), height: BAR }));
    const path = found.map(([a, b]) => `M${x(a).toFixed(2)},${top + 4}h${Math.max(0.6, x(b) - x(a)).toFixed(2)}v${BAR}H${x(a).toFixed(2)}z`).join("");
    chart.append(drawn("path", { d: path, fill: colour(unit), "data-unit": unit, "data-bars": found.length }));
    chart.append(drawn("text", { class: "tick", x: wide, y: top + 15, "text-anchor": "end" }, percent(share(token, k))));
  });
  for (const at of ticks(view.from - token.first, view.to - token.first, wide < 500 ? 4 : 9)) {
    chart.append(drawn("text", { class: "tick", x: x(at + token.first).toFixed(1), y: high - 3, "text-anchor": "middle" }, number(at)));
  }
  chart.append(drawn("line", { class: "playhead", id: "head", y1: 0, y2: high - MARGIN }));
  const [from, to] = [view.from - token.first, view.to - token.first].map(Math.round);
  chart.dataset.from = from;
  chart.dataset.to = to;
  $("gantt-window").textContent = `cycles ${number(from)} to ${number(to)} of ${number(width(token))}; on the right, the share of busy cycles`;
  chart.setAttribute("aria-label", `busy cycles of the units, cycles ${from} to ${to} of this token`);
  placeHead();
}

function placeHead() {
  const head = $("head"), inside = state.cycle >= view.from && state.cycle <= view.to;
  head.setAttribute("visibility", inside ? "visible" : "hidden");
  head.setAttribute("x1", x(state.cycle));
  head.setAttribute("x2", x(state.cycle));
}

// Another token keeps the part that is looked at, as far as it has those cycles.
function showGantt(token) {
  const before = view.token;
  const zoomed = before && (view.from > before.first || view.to < before.end);
  const [from, to] = zoomed ? [view.from - before.first, view.to - before.first] : [0, width(token)];
  Object.assign(view, { token, from: token.first + from, to: token.first + to });
  moveView(0);
}

function moveView(by) {
  const { token } = view, span = Math.min(view.to - view.from, width(token));
  view.from = Math.min(Math.max(view.from + by, token.first), token.end - span);
  view.to = view.from + span;
  drawGantt();
}

function zoom(factor, around = (view.from + view.to) / 2) {
  const span = Math.min(Math.max((view.to - view.from) * factor, LEAST), width(view.token));
  const part = (around - view.from) / (view.to - view.from);
  view.from = around - part * span;
  view.to = view.from + span;
  moveView(0);
}

const zoomAll = () => zoom(Infinity);
const pan = (part) => moveView(part * (view.to - view.from));
const cycleAt = (event) => {
  const box = chart.getBoundingClientRect();
  return view.from + (event.clientX - box.left - labels()) / (box.width - labels() - 46) * (view.to - view.from);
};

const pointers = new Map();
let moved = 0;
chart.addEventListener("pointerdown", (event) => {
  pointers.set(event.pointerId, event);
  chart.setPointerCapture(event.pointerId);
  moved = 0;
});
chart.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return;
  pointers.set(event.pointerId, event);
  moved += Math.abs(event.clientX - before.clientX);
  const scale = (view.to - view.from) / (chart.clientWidth - labels() - 46);
  if (pointers.size === 1) moveView((before.clientX - event.clientX) * scale);
  else {
    const other = [...pointers.values()].find((one) => one.pointerId !== event.pointerId);
    const gap = (one) => Math.max(20, Math.abs(one.clientX - other.clientX));
    zoom(gap(before) / gap(event), cycleAt(other));
  }
});
for (const name of ["pointerup", "pointercancel"]) chart.addEventListener(name, (event) => {
  if (pointers.delete(event.pointerId) && name === "pointerup" && moved < 4) seek(Math.min(Math.max(cycleAt(event), view.token.first), view.token.end));
});
chart.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY)) return; // the page scrolls
  event.preventDefault();
  if (event.ctrlKey) zoom(2 ** (event.deltaY / 200), cycleAt(event));
  else pan(event.deltaX / chart.clientWidth);
}, { passive: false });
