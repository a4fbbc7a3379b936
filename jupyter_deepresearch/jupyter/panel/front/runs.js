// The runs that are live now: how far, how long still, what they report and what they take.

function makeRuns(panel) {
  const empty = h("p", { class: "dr-empty" });
  const list = h("div", { class: "dr-runs" });
  const update = ({ status, rows }) => {
    const runs = status?.running ?? [];
    const claims = new Map(rows.map((row) => [row.experiment, row.claim]));
    for (const rank of [status?.champion, status?.baseline]) if (rank) claims.set(rank.experiment, rank.claim);
    const items = runs.map((run) => ({ run, claim: claims.get(run.experiment) ?? "" }));
    keyed(list, items, (item) => item.run.run, () => makeRun(panel));
    say(empty, idleText(status));
    show(empty, !runs.length);
  };
  return { node: h("div", {}, list, empty), update };
}

function idleText(status) {
  if (!status) return "No run yet.";
  const texts = {
    running: "No run is live at this moment: the next hypothesis is being made.",
    waiting_approval: "No run is live: a hypothesis waits for you below.",
    paused: "No run is live. Resume to go on.",
    stopped: "No run is live. Resume to go on.",
    failed: "No run is live. Mend what the sentence above names, then resume.",
    finished: "No run is live: the research has ended. Raise a budget and start again to go on.",
  };
  return texts[status.state] ?? "No run is live.";
}

function makeRun(panel) {
  const title = h("b", {});
  const claim = h("span", { class: "dr-claim" });
  const bar = h("progress", { class: "dr-progress", max: 1 });
  const figures = h("div", { class: "dr-figures" });
  const latest = h("div", { class: "dr-figures dr-latest" });
  const note = h("p", { class: "dr-hint" });
  const message = makeMessage();
  const question = makeQuestion();
  let run = null;
  const cancel = button("Cancel", () => {
    const text = `Cancel ${runTitle(run)}? What it has computed is lost.`;
    const command = { kind: "cancel", run: run.run };
    const said = `Cancelled ${runTitle(run)}.`;
    const sending = { pressed: [cancel], message, said, once: true };
    question.ask(text, "Cancel the run", "Keep it", () => send(panel, command, sending));
  });
  const head = h("div", { class: "dr-row dr-spread" }, h("div", { class: "dr-claimed" }, title, " ", claim), cancel);
  const node = h("article", { class: "dr-run" }, head, bar, figures, latest, note, question.node, message.node);
  const update = (item) => {
    run = item.run;
    say(title, runTitle(run));
    say(claim, item.claim);
    put(cancel, "aria-label", `Cancel ${runTitle(run)}`);
    put(node, "aria-label", runTitle(run));
    updateBar(bar, run);
    keyed(figures, runFigures(run), (pair) => pair[0], () => h("span", {}), (span, pair) => say(span, pair[1]));
    keyed(latest, latestFigures(run), (pair) => pair[0], makeFigure);
    show(latest, run.latest);
    say(note, oneLine(run.note, 300));
    show(note, run.note);
  };
  return { node, update };
}

function runTitle(run) {
  const purpose = run.purpose === "candidate" ? "" : ` ${plainWord(run.purpose)}`;
  return `#${run.experiment}${purpose}, seed ${run.seed}`;
}

// Without a known rest there is no bar: an endless one would say more than is known.
function updateBar(bar, run) {
  const known = run.elapsed_s !== null && run.remaining_s !== null && run.elapsed_s + run.remaining_s > 0;
  show(bar, known);
  if (!known) return;
  const share = run.elapsed_s / (run.elapsed_s + run.remaining_s);
  bar.value = share;
  put(bar, "aria-label", `progress of ${runTitle(run)}`);
  say(bar, `${Math.round(100 * share)} %`);
}

// What is known of it, in words; what is not known is not shown.
function runFigures(run) {
  const taken = run.resources ?? {};
  const figures = [
    ["elapsed", run.elapsed_s, (s) => `${duration(s)} so far`],
    ["remaining", run.remaining_s, (s) => `about ${duration(s)} left`],
    ["cpu", taken.cpu_percent, (percent) => `CPU ${Math.round(percent)} %`],
    ["memory", taken.memory_bytes, (count) => `memory ${bytes(count)}`],
    ["gpu", taken.gpu_percent, (percent) => `GPU ${Math.round(percent)} %`],
    ["gpu memory", taken.gpu_memory_bytes, (count) => `GPU memory ${bytes(count)}`],
  ];
  const known = figures.filter(([, value]) => value !== null && value !== undefined);
  return known.map(([name, value, words]) => [name, words(value)]);
}

const LATEST_SHOWN = 6;

function latestFigures(run) {
  if (!run.latest) return [];
  const step = run.latest.step === null ? [] : [["step", run.latest.step]];
  return [...step, ...Object.entries(run.latest.values).slice(0, LATEST_SHOWN)];
}

function makeFigure() {
  const name = h("span", { class: "dr-hint" });
  const value = h("b", { class: "dr-number" });
  const update = ([key, found]) => {
    say(name, oneLine(key, 40));
    say(value, number(found));
  };
  return { node: h("span", {}, name, " ", value), update };
}
