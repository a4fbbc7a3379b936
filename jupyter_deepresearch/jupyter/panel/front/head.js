// What is happening and why, the best value so far, and pausing, resuming, stopping.

function makeHead(panel) {
  const title = h("h2", { class: "dr-title" });
  const state = h("span", { class: "dr-state", role: "status" });
  const cycle = h("span", { class: "dr-cycle" });
  const reason = h("p", { class: "dr-reason" });
  const ranks = h("dl", { class: "dr-ranks" });
  const remarks = makeRemarks();
  const steering = makeSteering(panel);
  const name = h("div", { class: "dr-name" }, title, state, cycle);
  const said = h("div", { class: "dr-happening" }, name, reason, ranks, remarks.node);
  const node = h("header", {}, h("div", { class: "dr-header" }, said, steering.buttons), steering.below);
  const update = ({ status }) => {
    say(title, oneLine(status?.project ?? "Deep Research", 80));
    say(state, status ? plainWord(status.state) : "");
    put(state, "data-state", status?.state);
    show(state, status);
    say(cycle, status ? cycleText(status) : "");
    say(reason, status ? oneLine(status.reason, 500) : "Nothing has been heard of the project yet.");
    keyed(ranks, status ? rankItems(status) : [], (rank) => rank.label, () => makeRank(panel));
    remarks.update(status?.remarks ?? []);
    steering.update(status);
  };
  return { node, update };
}

function cycleText(status) {
  return status.cycles === null ? `cycle ${status.cycle}` : `cycle ${status.cycle} of ${status.cycles}`;
}

function rankItems(status) {
  const metric = oneLine(status.objective.metric, 40);
  const gain = status.champion && status.baseline && status.champion.experiment !== status.baseline.experiment;
  const since = gain ? `${signed(status.champion.value - status.baseline.value)} to the baseline` : "";
  return [
    { label: "best", metric, rank: status.champion, since },
    { label: "baseline", metric, rank: status.baseline, since: "" },
  ];
}

function makeRank(panel) {
  const label = h("dt", {});
  const value = h("b", { class: "dr-number" });
  const since = h("span", { class: "dr-hint" });
  const open = button("", () => panel.open(shown), { class: "dr-link" });
  const node = h("div", {}, label, h("dd", {}, value, " ", since), h("dd", {}, open));
  let shown = null;
  const update = (item) => {
    shown = item.rank?.experiment ?? null;
    say(label, `${item.label} ${item.metric}`);
    say(value, item.rank ? measured(item.rank.value, item.rank.interval, item.rank.seeds) : "none yet");
    say(since, item.since);
    say(open, item.rank ? `#${shown} ${oneLine(item.rank.claim, 120)}` : "");
    show(open, item.rank);
  };
  return { node, update };
}

function makeRemarks() {
  const summary = h("summary", {});
  const list = h("ul", {});
  const node = h("details", { class: "dr-remarks" }, summary, list);
  const update = (remarks) => {
    say(summary, counted(remarks.length, "remark"));
    keyed(list, remarks, (remark) => remark, (remark) => h("li", {}, remark));
    show(node, remarks.length);
  };
  return { node, update };
}

const STEERED = {
  running: ["pause", "stop"],
  waiting_approval: ["pause", "stop"],
  paused: ["resume", "stop"],
  stopped: ["resume"],
  failed: ["resume"],
  finished: [],
};

const STEERED_SAID = {
  pause: "Paused: nothing new is started; live runs finish.",
  resume: "Resumed.",
  stop: "Stopped: nothing new is started; live runs are cancelled.",
};

function stopWords(runs) {
  if (!runs.length) return "Stop? No run is live any more.";
  const names = runs.map((run) => `#${run.experiment} seed ${run.seed}`).join(", ");
  return `Stop and cancel ${counted(runs.length, "live run")} (${names})?`;
}

// The buttons that make sense in this state; stopping asks first where live runs would be lost.
function makeSteering(panel) {
  const message = makeMessage();
  const question = makeQuestion();
  const tell = (kind) => send(panel, { kind }, { pressed: [buttons[kind]], message, said: STEERED_SAID[kind] });
  const stop = () => {
    const runs = panel.state.status?.running ?? [];
    if (!runs.length) return tell("stop");
    return question.ask(stopWords(runs), "Stop", "Go on", () => tell("stop"));
  };
  const buttons = {
    pause: button("Pause", () => tell("pause"), { title: "start nothing new; live runs finish" }),
    resume: button("Resume", () => tell("resume")),
    stop: button("Stop", stop, { title: "start nothing new and cancel live runs" }),
  };
  const row = h("div", { class: "dr-row dr-steering" }, Object.values(buttons));
  const update = (status) => {
    const offered = STEERED[status?.state] ?? [];
    for (const [kind, one] of Object.entries(buttons)) show(one, offered.includes(kind));
    // Runs end and begin while a person thinks about it.
    if (offered.includes("stop")) question.reword(stopWords(status.running));
    else question.close();
  };
  return { buttons: row, below: [question.node, message.node], update };
}
