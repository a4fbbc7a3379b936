// The history, newest first, in pages: the first is live, older ones are asked for.

const PAGE_ROWS = 25;
const COLUMNS = ["#", "verdict", "claim", "value", "Δ champion", "time", "cost", "notebook, changes"];

function makeTable(panel) {
  const head = h("tr", {}, COLUMNS.map((name) => h("th", { scope: "col", class: columnClass(name) }, name)));
  const caption = h("caption", { class: "dr-unseen" }, "Experiments, newest first");
  const table = h("table", { class: "dr-table" }, caption, h("thead", {}, head));
  const region = { class: "dr-scroll", tabindex: 0, role: "region", "aria-label": "history of experiments" };
  const empty = h("p", { class: "dr-empty" }, "No experiment yet: the first is the baseline, your notebook as it is.");
  const message = makeMessage();
  const scroll = h("div", region, table);
  const pages = makePages(panel, () => draw(), message);
  let parts = new Map();
  const draw = () => {
    const { rows, status } = panel.state;
    const champion = status?.champion?.experiment;
    const shown = pages.rows() ?? rows;
    const latest = latestValues(status);
    const items = shown.map((row) => ({
      row, isChampion: row.experiment === champion, place: status?.place, latest: latest.get(row.experiment),
    }));
    parts = keyed(table, items, (item) => item.row.experiment, (item) => makeExperiment(panel, item.row.experiment));
    show(scroll, shown.length);
    show(empty, !shown.length);
    pages.update(shown);
  };
  const open = async (experiment) => {
    if (!parts.has(experiment)) await pages.turnTo(experiment);
    parts.get(experiment)?.open();
  };
  return { node: h("div", {}, scroll, empty, pages.node, message.node), update: draw, open };
}

function columnClass(name) {
  return ["verdict", "claim", "notebook, changes"].includes(name) ? null : "dr-number";
}

// What live runs report of the objective, by experiment: shown until there is a value that counts.
function latestValues(status) {
  const metric = status?.objective.metric;
  const found = (status?.running ?? []).map((run) => [run.experiment, run.latest?.values[metric]]);
  return new Map(found.filter(([, value]) => value !== null && value !== undefined));
}

// Turning pages: {node, rows(), update(shown), turnTo(experiment)}; rows() is null on the live page.
function makePages(panel, draw, message) {
  let page = null;
  let shown = [];
  const range = h("span", { class: "dr-hint", role: "status" });
  const newer = button("Newer", () => turn(beforeNewer(panel.state.points, shown)));
  const older = button("Older", () => turn(shown.at(-1).experiment));
  const turn = async (before) => {
    message.clear();
    try {
      page = before === null ? null : await panel.ask("history", { before, limit: PAGE_ROWS });
      draw();
    } catch (error) {
      message.refuse(error.message);
    }
  };
  const update = (rows) => {
    shown = rows;
    const numbers = panel.state.points.experiments;
    put(newer, "disabled", page === null);
    const isLast = numbers.length ? rows.at(-1)?.experiment <= numbers[0] : rows.length < PAGE_ROWS;
    put(older, "disabled", !rows.length || isLast);
    say(range, rangeWords(numbers, rows));
    show(node, page !== null || !older.disabled);
  };
  const node = h("nav", { class: "dr-row dr-pages", "aria-label": "pages of the history" }, newer, range, older);
  return { node, rows: () => page, update, turnTo: (experiment) => turn(experiment + 1) };
}

// What to ask for to see the page before this one: null for the live one.
function beforeNewer(points, shown) {
  const at = points.experiments.indexOf(shown[0]?.experiment) + PAGE_ROWS + 1;
  return at > PAGE_ROWS ? points.experiments[at] ?? null : null;
}

function rangeWords(numbers, rows) {
  if (!rows.length) return "";
  const first = numbers.length - numbers.indexOf(rows[0].experiment);
  const known = numbers.includes(rows[0].experiment);
  return known ? `${grouped(first)}–${grouped(first + rows.length - 1)} of ${grouped(numbers.length)}` : "";
}

// One experiment: its row, and below it what it changed, once that was asked for.
function makeExperiment(panel, experiment) {
  const numbers = ["value", "delta", "time", "cost"].map((name) => [name, h("td", { class: "dr-number" })]);
  const cells = { ...Object.fromEntries(numbers), number: h("td", { class: "dr-number" }) };
  cells.verdict = h("td", { class: "dr-verdict" });
  cells.claim = h("div", { class: "dr-clamped" });
  cells.link = h("span", {});
  const label = { class: "dr-link", "aria-label": `changes of experiment ${experiment}` };
  const diff = button("diff", () => changes.toggle(), label);
  let shown = null;
  const changes = makeChanges(panel, experiment, diff, () => leadNodes(shown));
  const claim = h("th", { scope: "row" }, cells.claim);
  const links = h("td", { class: "dr-links" }, cells.link, " ", diff);
  const row = h("tr", {}, cells.number, cells.verdict, claim, numbers.map((pair) => pair[1]), links);
  const below = h("tr", { class: "dr-below" }, h("td", { colspan: COLUMNS.length }, changes.node));
  const node = h("tbody", {}, row, below);
  const update = (item) => {
    shown = item.row;
    updateExperiment(item, cells);
  };
  const open = () => {
    if (!changes.isOpen()) changes.toggle();
    node.scrollIntoView({ block: "nearest" });
    diff.focus({ preventScroll: true });
  };
  return { node, update, open };
}

// What a row has no room for: the whole claim, the verdict's reason, the values.
function leadNodes(row) {
  const values = Object.entries(row.parameters).map(([name, value]) => `${name} = ${typed(value)}`);
  const texts = [row.claim, row.reason, values.join(", ")].filter(Boolean);
  return texts.map((text) => h("p", { class: "dr-claimed" }, text));
}

function updateExperiment({ row, isChampion, place, latest }, cells) {
  const mark = decisionMark(row.decision, row.state);
  say(cells.number, row.experiment);
  const shape = h("span", { class: "dr-shape", "aria-hidden": "true", style: `color: ${mark.colour}` }, mark.shape);
  const best = isChampion && h("span", { class: "dr-best", title: "the best so far" }, "★ best");
  cells.verdict.replaceChildren(shape, h("span", {}, " ", mark.word), ...[best].filter(Boolean));
  put(cells.verdict, "title", row.reason);
  say(cells.claim, oneLine(row.claim, 400));
  put(cells.claim, "title", row.claim);
  const spread = measured(row.value, row.interval, row.seeds).slice(number(row.value).length);
  const now = latest === undefined ? "-" : h("small", { title: "as last reported" }, `now ${number(latest)}`);
  cells.value.replaceChildren(...(row.value === null ? [now] : [number(row.value), h("small", {}, spread)]));
  say(cells.delta, signed(row.delta));
  say(cells.time, duration(row.elapsed_s));
  say(cells.cost, row.usd === null ? "unknown" : dollars(row.usd));
  // A link that is the same as before keeps its node, and with it the focus.
  const links = row.notebook ? [notebookLink(place, row)] : [];
  keyed(cells.link, links, (link) => link.outerHTML, (link) => link, () => {});
}

// A link that Lab opens in its main area (by its command linker); the address is for other windows and Notebook 7.
function notebookLink(place, row) {
  const page = pageConfig();
  if (!page || place === null || place === undefined) {
    return h("code", { class: "dr-path", title: row.notebook }, row.notebook.split("/").at(-1));
  }
  const path = [place, row.notebook].filter((part) => part && part !== ".").join("/");
  const href = (page.baseUrl ?? "/") + (page.notebookPage ? "notebooks/" : "lab/tree/");
  const attributes = { "data-commandlinker-command": "docmanager:open", target: "_blank", rel: "noopener" };
  attributes["data-commandlinker-args"] = JSON.stringify({ path });
  attributes["aria-label"] = `open the notebook of experiment ${row.experiment}`;
  return h("a", { href: href + path.split("/").map(encodeURIComponent).join("/"), ...attributes }, "open");
}

function pageConfig() {
  const node = document.getElementById("jupyter-config-data");
  return node ? JSON.parse(node.textContent) : null;
}
