// The panel as a whole: its sections, what each of them reads, and the life of one view.

const HERE_MS = 20_000;
const DETACHED_MS = 40_000;
const SAID_MS = 6_000; // for reading what was done, even where the next status comes at once
const WATCH_MS = 5_000;
const TRAITS = ["status", "rows", "curves", "memory", "cost", "trouble"];
const DETACHED =
  "Detached: the kernel is busy or was restarted. Research goes on; run %deepresearch panel to see it here again.";

// Name, title, how it is made, and what of the state it draws: it is drawn again only when that has changed.
const SECTIONS = [
  ["head", null, makeHead, ({ status }) => status && { ...status, running: status.running.map((run) => run.run) }],
  ["picture", "Research so far", makePicture, ({ status, rows, points }) => [points.revision, rankOf(status), rows]],
  ["now", "Now", makeNow, ({ status, curves, rows }) => [status?.running, status?.state, rankOf(status), curves, rows]],
  ["waiting", "Waiting for you", makeWaiting, ({ status }) => status?.waiting],
  ["history", "History", makeTable, ({ status, rows, points }) => [status?.running, rankOf(status), rows, points.seq]],
  ["memory", "Memory, as the researcher reads it", makeMemory, ({ memory }) => memory],
  ["controls", "Steer", makeControls, () => null],
  ["cost", "Cost", makeCost, ({ cost }) => [cost, new Date().toISOString().slice(0, 10)]],
];

function rankOf(status) {
  return status && [status.objective, status.champion, status.baseline];
}

// The live curve above the live runs.
function makeNow(panel) {
  const curves = makeCurves(panel);
  const runs = makeRuns(panel);
  const update = (state) => (curves.update(state), runs.update(state));
  return { node: h("div", {}, curves.node, runs.node), update };
}

// One section in its frame. An error in it is said in its place and stops no other section.
function makeSection([name, title, make, reads], panel) {
  const id = freshId("title");
  const heading = title && h("h3", { id }, title);
  const broken = makeMessage();
  const said = makeMessage();
  const node = h("section", { class: `dr-section dr-${name}-section` }, heading, broken.node, said.node);
  put(node, title ? "aria-labelledby" : "aria-label", title ? id : "What is happening");
  const attempt = (act) => {
    try {
      act();
      broken.clear();
    } catch (error) {
      broken.refuse(`This part cannot be shown: ${error.message}`);
    }
  };
  let made = null;
  let drawn;
  const update = (state) => attempt(() => {
    if (made === null) {
      made = make(panel);
      node.append(made.node);
    }
    const read = JSON.stringify(reads(state) ?? null);
    if (read !== drawn) made.update(state);
    drawn = read;
  });
  return { name, node, said, update, open: (experiment) => made?.open?.(experiment) };
}

// What the sections may use: {state, ask, tell, announce, open, champions}.
function makePanel(wire, state, sections, announce) {
  let known = { of: undefined, values: null };
  // The champion's values of the parameters, by name; asked for once for each champion.
  const champions = () => {
    const of = state.status?.champion?.experiment ?? null;
    if (known.of !== of) {
      const asked = wire.ask("parameters", {}).then((found) => new Map(found.map((one) => [one.name, one.value])));
      known = { of, values: asked };
      asked.catch(() => (known = { of: undefined, values: null }));
    }
    return known.values;
  };
  const open = (experiment) => sections.find((section) => section.name === "history").open(experiment);
  return { state, ask: wire.ask, tell: wire.tell, announce, open, champions };
}

function render({ model, el }) {
  const state = { points: new Points() };
  const sections = [];
  const trouble = makeMessage();
  trouble.node.classList.add("dr-trouble");
  let heard = Date.now();
  let said = null;
  const announce = (text, place) => {
    const section = sections.find((one) => one.node === place) ?? sections[0];
    said?.section.said.clear();
    said = { section, at: Date.now(), seq: state.status?.seq };
    section.said.tell(text);
  };
  const wire = makeWire(model);
  const panel = makePanel(wire, state, sections, announce);
  sections.push(...SECTIONS.map((section) => makeSection(section, panel)));
  const update = () => {
    trouble.tell(Date.now() - heard > DETACHED_MS ? DETACHED : state.trouble);
    if (said && state.status?.seq !== said.seq && Date.now() - said.at > SAID_MS) {
      said.section.said.clear();
      said = null;
    }
    for (const section of sections) section.update(state);
  };
  const hear = (alive) => {
    heard = alive ? Date.now() : 0;
    update();
  };
  const view = makeView(model, state, wire, hear, update);
  const grid = h("div", { class: "dr-grid" }, trouble.node, sections.map((section) => section.node));
  const root = h("div", { class: "dr-panel", "data-lm-suppress-shortcuts": true }, grid);
  el.append(root);
  update();
  // The static table of the cell's other output is for readers without a kernel; it hides while a view lives.
  let area = null;
  const mark = () => area?.classList.toggle("dr-has-live", area.querySelector(".dr-panel") !== null);
  const shown = requestAnimationFrame(() => (area = el.closest(".jp-OutputArea"), mark()));
  return () => {
    cancelAnimationFrame(shown);
    view.close();
    wire.close();
    root.remove();
    mark();
  };
}

// Listens to the model and keeps `state` as it says; tells the kernel that somebody looks: {close()}. `heard(alive)` is
// called whenever something came, or could not be sent.
function makeView(model, state, wire, heard, watch) {
  const send = (message) => post(model, message) || heard(false);
  const hello = () => send({ kind: "hello", seq: state.points.seq });
  const here = () => document.visibilityState === "visible" && send({ kind: "here" });
  const read = (trait) => (state[trait] = present(model.get(trait)) ?? (trait === "rows" ? [] : null));
  const hear = (message, buffers) => {
    if (message.kind === "answer") wire.hear(message);
    if (message.kind === "points" && message.after > state.points.seq) hello();
    else if (message.kind === "points") state.points.read(buffers[0], message.seq);
    heard(true);
  };
  const listeners = TRAITS.map((trait) => [`change:${trait}`, () => (read(trait), heard(true))]);
  listeners.push(["msg:custom", hear]);
  TRAITS.forEach(read);
  const packed = model.get("points");
  if (packed?.byteLength) state.points.read(packed, model.get("points_seq"));
  for (const [event, listener] of listeners) model.on(event, listener);
  document.addEventListener("visibilitychange", here);
  const timers = [setInterval(here, HERE_MS), setInterval(watch, WATCH_MS)];
  hello();
  const close = () => {
    for (const [event, listener] of listeners) model.off(event, listener);
    document.removeEventListener("visibilitychange", here);
    timers.forEach(clearInterval);
  };
  return { close };
}

// Null for what the kernel has not said yet.
function present(value) {
  const empty = value === undefined || value === null || (typeof value === "object" && !Object.keys(value).length);
  return empty ? null : value;
}

export default { render };
