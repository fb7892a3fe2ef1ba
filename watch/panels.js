// Logits, stalls and cache of one token.
const piece = (id) => visible(run.pieces[id] ?? "");
const inLogits = (fixed) => fixed * run.taps.logits.unit;

function showLogits(token) {
  const values = token.top.map(([, fixed]) => inLogits(fixed));
  const low = Math.min(...values), high = Math.max(...values);
  $("logits-of").textContent = token.sampled ? "what comes next" : "inside the prompt: the next token is given";
  $("logit-rows").replaceChildren(...token.top.map(([id, fixed, float], k) => {
    const bar = element("div");
    bar.style.width = `${8 + 92 * (values[k] - low) / (high - low || 1)}%`;
    const made = row([element("code", {}, piece(id)), bar, inLogits(fixed).toFixed(4), float.toFixed(4)], { "data-id": id });
    made.children[1].className = "barred";
    if (token.sampled && id === token.said) made.className = "chosen";
    return made;
  }));
}

function showStalls(token) {
  const all = token.causes.reduce((a, b) => a + b, 0);
  const whole = run.causes.map((cause) => run.counters.reduce((sum, station) => sum + station[cause], 0));
  $("stall-bar").replaceChildren(...run.causes.map((cause, k) => {
    const part = element("div", { class: `cause-${cause}`, title: `${CAUSE_NAMES[cause]}: ${number(token.causes[k])} cycles` });
    part.style.width = `${100 * token.causes[k] / all}%`;
    return part;
  }));
  $("stall-bar").setAttribute("aria-label", run.causes.map((cause, k) => `${CAUSE_NAMES[cause]} ${percent(token.causes[k] / all)}`).join(", "));
  $("stall-rows").replaceChildren(...run.causes.map((cause, k) => {
    const name = element("span");
    name.append(element("i", { class: `cause-${cause}` }), CAUSE_NAMES[cause]);
    return row([name, number(token.causes[k]), percent(token.causes[k] / all), number(whole[k])], { "data-cause": cause });
  }));
}

// One grid a story: a row for each layer, from left to right the positions that the context has.
const { n_layers: LAYERS, seq_len: CONTEXT } = run.shape;
const side = 100 / CONTEXT; // of a position
const grids = run.stories.map((story, k) => {
  const picture = drawn("svg", { viewBox: `0 0 100 ${LAYERS}`, preserveAspectRatio: "none", role: "img", "data-story": k });
  picture.style.height = `${Math.min(LAYERS * 16, 160)}px`;
  const full = Array.from({ length: LAYERS }, (_, layer) => {
    const place = { x: 0, y: layer, height: 0.85 };
    picture.append(drawn("rect", { ...place, width: 100, class: "slot" }));
    const filled = drawn("rect", { ...place, width: 0, class: "full" }), fresh = drawn("rect", { ...place, width: Math.max(side, 0.4), class: "fresh" });
    picture.append(filled, fresh);
    return { filled, fresh };
  });
  $("cache-grids").append(picture);
  return { picture, full, own: tokens.filter((token) => token.story === k) };
});

function fillCache(current, cycle) {
  let held = 0;
  for (const { picture, full, own } of grids) {
    let most = 0;
    full.forEach(({ filled, fresh }, layer) => {
      let count = 0;
      while (count < own.length && own[count].first + own[count].cached[layer] <= cycle) count++;
      filled.setAttribute("width", (count * side).toFixed(3));
      fresh.setAttribute("x", (Math.max(0, count - 1) * side).toFixed(3));
      fresh.setAttribute("opacity", count && cycle < current.end && own[count - 1] === current ? 1 : 0);
      held += count;
      most = Math.max(most, count);
    });
    picture.setAttribute("aria-label", `${most} of ${CONTEXT} positions are in the cache`);
    picture.dataset.positions = most;
  }
  const room = run.stories.length * CONTEXT * LAYERS;
  const bytes = (cells) => room * run.cache_bits < 8 * 10240 ? `${number(cells * run.cache_bits / 8)} bytes` : `${number(cells * run.cache_bits / 8192)} KB`;
  $("cache-fill").textContent = `${percent(held / room)} full: ${bytes(held)} of ${bytes(room)}; a row for each layer, left to right the ${number(CONTEXT)} positions`;
  $("cache-fill").dataset.held = held;
}
