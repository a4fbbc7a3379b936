// Both tiers of the memory as they would be sent, how full each is, and what the last verdict did to the log.

const MEMORY_MARKS = {
  entered: ["+", "entered with the last verdict"],
  changed: ["~", "reads otherwise since the last verdict"],
  dropped: ["−", "dropped with the last verdict"],
};

function makeMemory() {
  const brief = makeTier("Brief", "yours; it is never changed");
  const log = makeTier("Log", "what was learnt, the least informative dropped first");
  const dropped = h("div", { class: "dr-text dr-gone" });
  const empty = h("p", { class: "dr-empty" }, "No memory yet: the brief is PROJECT_BRIEF.md in the project's folder.");
  const node = h("div", {}, brief.node, log.node, dropped, empty);
  const update = ({ memory }) => {
    for (const part of [brief.node, log.node]) show(part, memory);
    show(empty, !memory);
    show(dropped, memory?.dropped.length);
    if (!memory) return;
    brief.update(memory.brief, memory.brief_limit_chars, []);
    log.update(memory.log, memory.log_limit_chars, [["entered", memory.entered], ["changed", memory.changed]]);
    const gone = memory.dropped.map((line) => memoryLine(line, "dropped"));
    dropped.replaceChildren(h("b", {}, "No longer in it"), ...gone);
  };
  return { node, update };
}

function makeTier(name, hint) {
  const gauge = makeGauge(name);
  const label = `the text of the ${name.toLowerCase()}`;
  const text = h("div", { class: "dr-text", tabindex: 0, role: "group", "aria-label": label });
  const head = h("div", { class: "dr-row dr-spread" }, h("b", { title: hint }, name), gauge.node);
  const update = (whole, limit, marked) => {
    const marks = new Map(marked.flatMap(([mark, lines]) => lines.map((line) => [line.trim(), mark])));
    gauge.update(Array.from(whole).length, limit);
    const lines = whole.trim() === "" ? ["(empty)"] : whole.trimEnd().split("\n");
    text.replaceChildren(...lines.map((line) => memoryLine(line, marks.get(line.trim()))));
  };
  return { node: h("div", { class: "dr-tier" }, head, text), update };
}

function memoryLine(line, mark) {
  const [sign, title] = MEMORY_MARKS[mark] ?? [" ", null];
  const heading = line.startsWith("#") ? " dr-heading" : "";
  const signed = h("span", { class: "dr-sign", title, role: title && "img", "aria-label": title }, sign);
  return h("div", { class: `dr-line dr-${mark ?? "same"}${heading}` }, signed, h("span", {}, line));
}

// "1,612 of 3,000 characters" with a bar of it.
function makeGauge(name) {
  const filled = h("div", {});
  const label = `${name}: characters used`;
  const bar = h("div", { class: "dr-gauge", role: "meter", "aria-label": label, "aria-valuemin": 0 }, filled);
  const words = h("span", { class: "dr-hint" });
  const update = (used, limit) => {
    const text = `${grouped(used)} of ${grouped(limit)} characters`;
    put(bar, "aria-valuemax", limit);
    put(bar, "aria-valuenow", Math.min(used, limit));
    put(bar, "aria-valuetext", text);
    bar.classList.toggle("dr-full", used > 0.9 * limit);
    filled.style.width = `${Math.min(100, (100 * used) / limit)}%`;
    say(words, text);
  };
  return { node: h("div", { class: "dr-gauged" }, bar, words), update };
}
