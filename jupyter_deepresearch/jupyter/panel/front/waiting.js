// Hypotheses that wait for the person: what is claimed, what would change, what it takes, what was tried like it.

const NOTHING_WAITS =
  "Nothing waits for you. With mode = \"ask\" under [approval] each new hypothesis is shown here before it runs.";

function makeWaiting(panel) {
  const list = h("div", { class: "dr-cards", tabindex: -1 });
  const empty = h("p", { class: "dr-empty" }, NOTHING_WAITS);
  const cards = new Map();
  // A card that somebody is writing in stays where it is, even when its hypothesis was decided elsewhere meanwhile.
  const update = ({ status }) => {
    const waiting = status?.waiting ?? [];
    const there = new Set(waiting.map((one) => one.hypothesis));
    const written = [...cards.values()].filter((card) => card.isOpen() && !there.has(card.item().hypothesis));
    const items = [...written.map((card) => ({ ...card.item(), decided: true })), ...waiting];
    const focused = list.contains(document.activeElement);
    const parts = keyed(list, items, (one) => one.hypothesis, (one) => makeCard(panel, one, () => update(panel.state)));
    // The card that was decided is gone, and the focus with it: whoever works by keyboard goes on with the next one.
    if (focused && !list.contains(document.activeElement)) (list.querySelector("button") ?? list).focus();
    cards.clear();
    for (const [key, part] of parts) cards.set(key, part);
    show(empty, !items.length);
  };
  return { node: h("div", {}, list, empty), update };
}

function makeCard(panel, first, refresh) {
  let item = first;
  const message = makeMessage();
  const reading = makeReading(panel, first.hypothesis);
  const forms = h("div", {});
  const row = h("div", { class: "dr-row" });
  const closed = () => (forms.replaceChildren(), show(row, true), refresh());
  const open = (form) => (forms.replaceChildren(form.node), show(row, false), form.focus());
  const name = `hypothesis ${first.hypothesis}`;
  const approve = button("Approve", () => tell({ kind: "approve" }, `Approved ${name}.`), { class: "dr-button dr-go" });
  const tell = (command, said) =>
    send(panel, { ...command, hypothesis: first.hypothesis }, { pressed: buttons, message, said, once: true });
  const decided = () => (buttons.forEach((one) => put(one, "disabled", true)), closed());
  const context = { panel, message, closed, decided, item: () => item };
  const edit = button("Edit", () => (message.clear(), open(makeEditForm(context))));
  const reject = button("Reject ...", () => (message.clear(), open(makeRejectForm(context))));
  const diff = button("Diff", () => changes.toggle());
  const changes = makeChanges(panel, first.hypothesis, diff);
  const buttons = [approve, edit, reject];
  for (const one of [...buttons, diff]) put(one, "aria-label", `${one.textContent.replace(" ...", "")} ${name}`);
  row.append(...buttons, diff);
  const node = h("article", { class: "dr-waits", "aria-label": name }, reading.node, row, forms, message.node);
  node.append(changes.node);
  const update = (next) => {
    if (next.decided && !item.decided) message.refuse(`${name} was already decided elsewhere; what you wrote is kept.`);
    // What was approved and then changed by a repair waits anew.
    if (JSON.stringify(next) !== JSON.stringify(item)) for (const one of buttons) put(one, "disabled", false);
    item = next;
    reading.update(next);
    for (const one of buttons) show(one, !next.decided);
  };
  return { node, update, item: () => item, isOpen: () => forms.childElementCount > 0 };
}

// The part of a card that is only read.
function makeReading(panel, number) {
  const claim = h("p", { class: "dr-claimed" });
  const facts = h("dl", { class: "dr-facts" });
  const update = (item) => {
    claim.replaceChildren(h("b", {}, `#${number}`), " ", item.claim);
    draw(item);
    // Without an answer the new values alone are shown: the old ones are a comfort.
    if (Object.keys(item.parameters).length) panel.champions().then((found) => (known = found, draw(item)), () => {});
  };
  let known = new Map();
  const draw = (item) => keyed(facts, waitingFacts(item, known), (fact) => fact[0], makeFact);
  return { node: h("div", {}, claim, facts), update };
}

function makeFact() {
  const name = h("dt", {});
  const text = h("dd", {});
  const update = (fact) => (say(name, fact[0]), say(text, fact[1]));
  return { node: h("div", {}, name, text), update };
}

function waitingFacts(item, known) {
  const facts = [["why", item.rationale]];
  if (item.sweep) {
    const space = item.sweep.space.join(", ");
    facts.push(["sweep", `${counted(item.sweep.trials, "trial")} over ${space}; all are approved with the first`]);
  }
  facts.push(["change", changeWords(item, known)]);
  facts.push(["takes", estimateWords(item.estimate)]);
  if (item.nearest) facts.push(["nearest", nearestWords(item.nearest)]);
  return facts.filter((fact) => fact[1]);
}

function changeWords(item, known) {
  const values = Object.entries(item.parameters).map(([name, value]) =>
    known.has(name) ? `${name}: ${typed(known.get(name))} → ${typed(value)}` : `${name} = ${typed(value)}`,
  );
  const places = item.edits.map((edit) => `edits ${editedPlace(edit)}`);
  return [...values, ...new Set(places)].join("; ") || "see its diff";
}

function editedPlace(edit) {
  return edit.file ? `file ${edit.file}` : `cell ${edit.cell}`;
}

function estimateWords(estimate) {
  const time = estimate.minutes === null ? "unknown time" : `about ${duration(60 * estimate.minutes)}`;
  return `${time}, ${dollars(estimate.usd)}${estimate.basis ? ` (${estimate.basis})` : ""}`;
}

function nearestWords(nearest) {
  const value = nearest.value === null ? "" : ` (${number(nearest.value)})`;
  return `#${nearest.experiment} ${nearest.claim}: ${plainWord(nearest.decision).toUpperCase()}${value}`;
}
