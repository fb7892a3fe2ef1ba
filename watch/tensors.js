// A tap's elements: fixed as bars, float as rings.
const TAP_NAMES = {
  x_att: "x behind attention", q: "queries (after RoPE)", k: "keys (after RoPE)", v: "values", attention: "attention output",
  swiglu: "SwiGLU output", x_layer: "x behind the layer", logits: "logits",
};
for (const name of Object.keys(run.taps)) $("tap").append(element("option", { value: name }, TAP_NAMES[name]));
run.tap_layers.forEach((layer, k) => $("layer").append(element("option", { value: k }, layer)));
$("tap").value = "attention";

function showTap(token) {
  const name = $("tap").value, one = name === "logits";
  $("layer").disabled = one;
  const { unit, elements, size } = run.taps[name];
  const found = token.taps[name][one ? 0 : Number($("layer").value)];
  const fixed = found.fixed.map((value) => value * unit), float = found.float;
  const chart = $("tap-chart"), wide = chart.clientWidth || 600, high = 190, middle = 8;
  const top = Math.max(...fixed, ...float, 0), bottom = Math.min(...fixed, ...float, 0), spread = top - bottom || 1;
  const y = (value) => middle + (high - 2 * middle) * (top - value) / spread;
  const step = (wide - 44) / elements.length, x = (k) => 40 + step * (k + 0.5);
  chart.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  chart.style.height = `${high}px`;
  chart.replaceChildren(drawn("line", { x1: 40, x2: wide, y1: y(0), y2: y(0) }));
  for (const value of [top, bottom]) chart.append(drawn("text", { x: 34, y: y(value) + 4, "text-anchor": "end", class: "tick" }, value.toPrecision(2)));
  const bar = Math.max(1, step * 0.6), radius = Math.max(1.5, Math.min(4, step * 0.42));
  fixed.forEach((value, k) => {
    chart.append(drawn("rect", { class: "fixed", x: (x(k) - bar / 2).toFixed(1), width: bar.toFixed(1), y: Math.min(y(value), y(0)).toFixed(1), height: Math.max(0.5, Math.abs(y(value) - y(0))).toFixed(1) }));
    chart.append(drawn("circle", { class: "float", cx: x(k).toFixed(1), cy: y(float[k]).toFixed(1), r: radius }));
  });
  chart.setAttribute("aria-label", `${TAP_NAMES[name]}: ${elements.length} elements, fixed as bars and float as rings`);
  const part = elements.length < size ? `${elements.length} of ${number(size)} elements are shown` : `all ${size} elements`;
  $("tap-error").textContent = `${part}; largest difference of all ${number(size)}: ${found.error.toPrecision(3)}, where the largest float is ${found.size.toPrecision(3)}${found.size ? ` (${percent(found.error / found.size)})` : ""}`;
  $("tap-rows").replaceChildren(...elements.map((at, k) => row([String(at), fixed[k].toFixed(5), float[k].toFixed(5), (fixed[k] - float[k]).toExponential(1)])));
}
