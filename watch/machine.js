// The block diagram: a unit glows by how busy it is around the playhead, or over the whole token at its end.
const WINDOW = 40; // parts of a token that the glow is taken over
const boxes = [...document.querySelectorAll("#diagram .unit")].map((group) => {
  const unit = run.units.indexOf(group.dataset.unit);
  const [x, y, w, h] = group.dataset.box.split(" ").map(Number);
  const tall = h > 100;
  group.style.setProperty("--of", colour(group.dataset.unit));
  const place = { x, y, width: w, height: h, rx: 6 };
  const glow = drawn("rect", { ...place, class: "glow" });
  const meter = drawn("rect", { x: x + 6, y: y + h - 7, height: 3, rx: 1.5, class: "meter" });
  const name = UNIT_NAMES[group.dataset.unit];
  const label = drawn("text", { x: tall ? x + w / 2 : x + 8, y: y + (tall ? h / 2 - 8 : 17), "text-anchor": tall ? "middle" : "start" }, name);
  const number = drawn("text", { class: "share", x: tall ? x + w / 2 + 18 : x + w - 8, y: y + (tall ? h / 2 + 12 : w < 130 ? 30 : 17) });
  group.append(drawn("rect", { ...place, class: "box" }), glow, meter, label, number);
  return { unit, group, glow, meter, number, room: w - 12 };
});

function showMachine(token) {
  for (const box of boxes) {
    const part = share(token, box.unit);
    box.number.textContent = percent(part);
    box.group.dataset.share = part.toFixed(4);
    box.meter.setAttribute("width", (box.room * Math.min(1, part)).toFixed(1));
  }
  const said = boxes.map((box) => `${UNIT_NAMES[run.units[box.unit]]} ${percent(share(token, box.unit))}`);
  $("diagram").setAttribute("aria-label", `block diagram; busy in this token: ${said.join(", ")}`);
  $("unit-rows").replaceChildren(...run.units.map((name, k) =>
    row([document.createTextNode(UNIT_NAMES[name]), number(token.busy[k]), percent(share(token, k))], { "data-unit": name })));
}

function lightMachine(token, cycle) {
  const whole = cycle >= token.end;
  const half = Math.max(8, width(token) / WINDOW) / 2;
  for (const box of boxes) {
    const part = whole ? share(token, box.unit) : busyIn(token, box.unit, cycle - half, cycle + half);
    box.glow.setAttribute("opacity", (0.75 * Math.min(1, part)).toFixed(2));
    box.group.classList.toggle("lit", part > 0.02);
  }
  const at = whole ? null : rowAt(token, cycle);
  $("station").textContent = at ? `${run.stations[at.station]}, layer ${at.layer}` : run.engines > 1 ? `${run.engines} engines` : run.stations[0];
  $("doing").textContent = whole ? "over the whole token" : at ? `layer ${at.layer}, ${at.stage === "wait" ? "waits" : at.stage}` : "between stations";
}
