// A word to the researcher, and an idea of one's own.

function makeControls(panel) {
  const node = h("div", {}, makeDirective(panel), makeTry(panel));
  return { node, update: () => {} };
}

function makeDirective(panel) {
  const placeholder = "such as: leave the optimizer alone, look at the data";
  const text = h("textarea", { class: "dr-input", rows: 2, placeholder });
  const message = makeMessage();
  const submit = async () => {
    const said = "Written; it is read before the next hypothesis.";
    if (!text.value.trim()) return message.refuse("Write what the researcher should know or do first.");
    const command = { kind: "directive", text: text.value };
    const written = await send(panel, command, { pressed: [sending], message, said });
    if (written && text.value === command.text) put(text, "value", "");
    return written;
  };
  const sending = h("button", { class: "dr-button", type: "submit" }, "Send");
  const hint = "Read before the next hypothesis, with the highest priority.";
  const label = field("Directive: tell the researcher", text, hint);
  return makeForm(submit, label, h("div", { class: "dr-row" }, sending), message.node);
}

// The form of the parameters is made when it is first opened, with the champion's values then.
function makeTry(panel) {
  const inside = h("div", {});
  const summary = h("summary", {}, "Try an idea of your own");
  const load = async () => {
    inside.replaceChildren(h("p", { class: "dr-hint", role: "status" }, "asking for the parameters ..."));
    try {
      inside.replaceChildren(makeTryForm(panel, await panel.ask("parameters", {}), load));
    } catch (error) {
      const again = button("Ask again", load);
      inside.replaceChildren(h("p", { class: "dr-message dr-refused", role: "status" }, error.message), again);
    }
  };
  const ontoggle = () => node.open && !inside.childElementCount && load();
  const node = h("details", { class: "dr-try", ontoggle }, summary, inside);
  return node;
}

function makeTryForm(panel, parameters, reload) {
  if (!parameters.length) {
    const text = "The notebook has no parameters cell: tag one of its cells “parameters” to try other values here.";
    return h("p", { class: "dr-empty" }, text);
  }
  const message = makeMessage();
  const claim = h("input", { class: "dr-input", type: "text", autocomplete: "off" });
  const inputs = parameters.map((one) => [one, valueInput(one.value)]);
  const submit = async () => {
    const changed = inputs.filter(([one, input]) => input.value.trim() !== typed(one.value));
    if (!changed.length) return message.refuse("Change a value first: only what differs from the champion is tried.");
    const values = Object.fromEntries(changed.map(([one, input]) => [one.name, input.value.trim()]));
    const command = { kind: "try", parameters: values, ...(claim.value.trim() && { claim: claim.value.trim() }) };
    const said = "Written: your idea runs next.";
    return send(panel, command, { pressed: [go, fresh], message, said });
  };
  const go = h("button", { class: "dr-button dr-go", type: "submit" }, "Try it");
  const fresh = button("The champion's values", reload, { title: "fill the form with the champion's values again" });
  const fields = inputs.map(([one, input]) => field(one.name, input, one.range ? `searched: ${one.range}` : null));
  const row = h("div", { class: "dr-row" }, go, fresh);
  const claimed = field("Claim (optional): what you expect of it", claim);
  return makeForm(submit, h("div", { class: "dr-fields" }, fields), claimed, row, message.node);
}
