// What calls to language models have cost. An unknown price is said and never shown as zero.

function makeCost() {
  const sums = h("dl", { class: "dr-facts" });
  const phases = makePhases();
  const budgets = h("ul", { class: "dr-plain" });
  const empty = h("p", { class: "dr-empty" }, "No call to a language model is known yet.");
  const node = h("div", {}, sums, phases.node, budgets, empty);
  const update = ({ cost }) => {
    show(empty, !cost);
    for (const part of [sums, budgets]) show(part, cost);
    phases.update(cost ? Object.entries(cost.by_phase) : []);
    if (!cost) return;
    keyed(sums, costFacts(cost), (fact) => fact[0], makeFact);
    keyed(budgets, cost.budgets, (one) => one.key, () => h("li", {}), (item, one) => say(item, budgetWords(one)));
  };
  return { node, update };
}

function costFacts(cost) {
  const today = cost.by_day[new Date().toISOString().slice(0, 10)];
  const facts = [
    ["today (UTC)", today ? spentWords(today) : "$0.00, no call"],
    ["in all", spentWords(cost)],
    ["LLM calls while training", grouped(cost.calls_while_training)],
  ];
  if (cost.calls_about_live_runs) facts.push(["LLM calls about live runs", grouped(cost.calls_about_live_runs)]);
  if (cost.unpriced_calls) facts.push(["of unknown price, not in the sums", counted(cost.unpriced_calls, "call")]);
  return facts;
}

function spentWords(spent) {
  return `${dollars(spent.usd)}, ${counted(spent.calls, "call")}`;
}

function budgetWords(budget) {
  const words = (amount) => {
    if (amount === null) return "unknown";
    return budget.key.startsWith("usd") ? dollars(amount) : grouped(amount);
  };
  const name = plainWord(budget.key).replace("usd", "USD");
  return `${words(budget.left)} of ${words(budget.limit)} left (budget ${name})`;
}

const PHASE_COLUMNS = ["phase", "calls", "tokens in", "tokens out", "USD"];

function makePhases() {
  const body = h("tbody", {});
  const head = h("tr", {}, PHASE_COLUMNS.map((name, i) => h("th", { scope: "col", class: i && "dr-number" }, name)));
  const caption = h("caption", { class: "dr-unseen" }, "Cost by phase");
  const node = h("table", { class: "dr-table dr-small" }, caption, h("thead", {}, head), body);
  const make = () => {
    const cells = [h("th", { scope: "row" }), ...PHASE_COLUMNS.slice(1).map(() => h("td", { class: "dr-number" }))];
    const update = ([name, spent]) => {
      const counts = [spent.calls, spent.tokens_in, spent.tokens_out].map(grouped);
      [oneLine(plainWord(name), 40), ...counts, dollars(spent.usd)].forEach((text, i) => say(cells[i], text));
    };
    return { node: h("tr", {}, cells), update };
  };
  const update = (entries) => {
    keyed(body, entries, (entry) => entry[0], make);
    show(node, entries.length);
  };
  return { node, update };
}
