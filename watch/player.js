// What is shown: a token, and a cycle inside it. Played, the playhead sweeps over one token after the other.
const SECONDS = 1.6; // of a token at speed 1
const state = { index: 0, cycle: 0, playing: false, last: 0 };
const still = window.matchMedia("(prefers-reduced-motion: reduce)");

const texts = $("texts"), pieces = [];
texts.classList.toggle("several", run.stories.length > 1);
run.stories.forEach((story, k) => {
  const line = element("p", { "data-story": k });
  line.style.setProperty("--of", PALETTE[k % PALETTE.length]);
  texts.append(line);
});
const order = tokens.map((_, index) => index).sort((a, b) => tokens[a].pos - tokens[b].pos);
for (const index of order) {
  const token = tokens[index], made = element("i", { "data-index": index }, token.text);
  made.classList.toggle("given", token.prompt);
  made.classList.toggle("bos", token.text === "" && token.pos === 0);
  made.addEventListener("click", () => go(index));
  texts.children[token.story].append(made);
  pieces[index] = made;
}
$("scrub").max = tokens.length - 1;

function show() {
  const token = tokens[state.index];
  pieces.forEach((made, index) => {
    made.classList.toggle("future", index > state.index);
    made.classList.toggle("current", index === state.index);
  });
  $("scrub").value = state.index;
  $("scrub").setAttribute("aria-valuetext", `token ${state.index + 1} of ${tokens.length}`);
  const story = run.stories.length > 1 ? `story ${token.story}, ` : "";
  $("now").textContent = `token ${state.index + 1} of ${tokens.length}: ${story}position ${token.pos}, “${visible(token.text)}”, ${number(token.cycles)} cycles` +
    (token.sampled ? `; the machine goes on with “${piece(token.said)}”` : "; of the prompt");
  showMachine(token);
  showLogits(token);
  showStalls(token);
  showTap(token);
  showGantt(token);
  markRun();
  tick();
}

function tick() {
  const token = tokens[state.index];
  lightMachine(token, state.cycle);
  fillCache(token, state.cycle);
  placeHead();
}

// To a token, at its end or at its first cycle.
function go(index, atEnd = true) {
  state.index = Math.min(Math.max(index, 0), tokens.length - 1);
  const token = tokens[state.index];
  state.cycle = atEnd ? token.end : token.first;
  show();
}

function seek(cycle) {
  play(false);
  state.cycle = cycle;
  tick();
}

function play(on) {
  if (on && state.index === tokens.length - 1 && state.cycle >= tokens[state.index].end) go(0, false);
  else if (on && state.cycle >= tokens[state.index].end) go(state.index + 1, false);
  state.playing = on;
  state.last = performance.now();
  $("play").textContent = on ? "❚❚" : "▶";
  $("play").setAttribute("aria-label", on ? "pause" : "play");
  if (on) requestAnimationFrame(frame);
}

function frame(now) {
  if (!state.playing) return;
  const token = tokens[state.index], part = Math.min(0.5, (now - state.last) / 1000) / SECONDS * Number($("speed").value);
  state.last = now;
  state.cycle = Math.min(token.end, state.cycle + part * width(token));
  if (state.cycle < token.end) {
    if (!still.matches) tick();
  } else if (state.index + 1 < tokens.length) go(state.index + 1, false);
  else {
    tick();
    play(false);
  }
  requestAnimationFrame(frame);
}

const step = (by) => {
  play(false);
  go(state.index + by);
};
const faster = (by) => {
  const speed = $("speed");
  speed.selectedIndex = Math.min(Math.max(speed.selectedIndex + by, 0), speed.options.length - 1);
};
const actions = {
  first: () => step(-tokens.length), back: () => step(-1), play: () => play(!state.playing), forward: () => step(1),
  "zoom-in": () => zoom(0.5), "zoom-out": () => zoom(2), "zoom-all": zoomAll, "pan-left": () => pan(-0.5), "pan-right": () => pan(0.5),
};
for (const [id, action] of Object.entries(actions)) $(id).addEventListener("click", action);
$("scrub").addEventListener("input", () => step(Number($("scrub").value) - state.index));
for (const id of ["tap", "layer"]) $(id).addEventListener("change", () => showTap(tokens[state.index]));

const keys = {
  " ": () => play(!state.playing), ArrowLeft: () => step(-1), ArrowRight: () => step(1),
  Home: () => step(-tokens.length), End: () => step(tokens.length), ",": () => faster(-1), ".": () => faster(1),
  "+": () => zoom(0.5), "=": () => zoom(0.5), "-": () => zoom(2), 0: zoomAll,
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("select, input") || (event.key === " " && event.target.closest("button, summary"))) return;
  const pans = event.shiftKey && { ArrowLeft: -0.25, ArrowRight: 0.25 }[event.key];
  const action = pans ? () => pan(pans) : keys[event.key];
  if (!action) return;
  event.preventDefault();
  action();
});

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const theme = (name) => { document.documentElement.dataset.theme = name; };
theme(dark.matches ? "dark" : "light");
dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
$("theme").addEventListener("click", () => theme(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
new ResizeObserver(() => {
  drawGantt();
  drawRun();
  showTap(tokens[state.index]);
}).observe(document.body);
go(0);
drawRun();
