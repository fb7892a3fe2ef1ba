// The whole run: each token's stay in each station; colours are stories, or positions of the only one.
const lanes = $("run");
const stays = tokens.flatMap((token, index) => {
  const found = new Map();
  for (const { station, first, end } of token.rows) {
    const stay = found.get(station) ?? { station, index, first, end };
    stay.end = Math.max(stay.end, end);
    found.set(station, stay);
  }
  return [...found.values()];
});

function drawRun() {
  const wide = lanes.clientWidth, left = run.stations.length > 9 ? 70 : 62, high = 26 * run.stations.length + 18;
  const at = (cycle) => left + cycle / run.cycles * (wide - left - 4);
  lanes.setAttribute("viewBox", `0 0 ${wide} ${high}`);
  lanes.style.height = `${high}px`;
  lanes.replaceChildren();
  run.stations.forEach((name, k) => lanes.append(
    drawn("text", { class: "name", x: 0, y: 26 * k + 16 }, name),
    drawn("rect", { class: "lane", x: left, y: 26 * k + 2, width: Math.max(0, wide - left - 4), height: 20 })));
  for (const stay of stays) {
    const token = tokens[stay.index], x1 = at(stay.first), w = Math.max(1, at(stay.end) - x1);
    const shade = PALETTE[(run.stories.length > 1 ? token.story : token.pos) % PALETTE.length];
    const bar = drawn("rect", { class: "token", x: x1.toFixed(1), y: 26 * stay.station + 2, width: w.toFixed(1), height: 20, fill: shade, "data-index": stay.index, "data-station": stay.station });
    bar.append(drawn("title", {}, `${run.stories.length > 1 ? `story ${token.story}, ` : ""}position ${token.pos}: ${visible(token.text)}`));
    bar.addEventListener("click", () => go(stay.index));
    lanes.append(bar);
    if (w > 9 + 6 * String(token.pos).length) lanes.append(drawn("text", { class: "number", x: (x1 + w / 2).toFixed(1), y: 26 * stay.station + 16 }, token.pos));
  }
  for (const tick of ticks(0, run.cycles, wide < 500 ? 3 : 8)) lanes.append(drawn("text", { class: "tick", x: at(tick), y: high - 3, "text-anchor": tick ? "middle" : "start" }, number(tick)));
  lanes.setAttribute("aria-label", `${tokens.length} tokens in ${run.stations.length} stations over ${number(run.cycles)} cycles`);
  markRun();
}

function markRun() {
  for (const bar of lanes.querySelectorAll(".token")) bar.classList.toggle("current", Number(bar.dataset.index) === state.index);
}
