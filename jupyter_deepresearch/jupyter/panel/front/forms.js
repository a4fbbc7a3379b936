// The two forms of a waiting hypothesis: another wording, other values, other code; or a refusal with its reason.

function makeRejectForm({ panel, message, closed, decided, item }) {
  const number = item().hypothesis;
  const reason = h("input", { class: "dr-input", type: "text", autocomplete: "off" });
  const submit = async () => {
    const why = reason.value.trim();
    const command = { kind: "reject", hypothesis: number, ...(why && { reason: why }) };
    const pressed = [reject, keep];
    if (await send(panel, command, { pressed, message, said: `Rejected hypothesis ${number}.` })) decided();
  };
  const reject = h("button", { class: "dr-button dr-danger", type: "submit" }, "Reject");
  const keep = button("Keep it waiting", closed);
  const row = h("div", { class: "dr-row" }, reject, keep);
  const label = "Why? (optional; the researcher reads it)";
  return { node: makeForm(submit, field(label, reason), row), focus: () => reason.focus() };
}

// A form that is sent by its button or Enter, closed by nothing else than its own buttons.
function makeForm(submit, ...children) {
  const onsubmit = (event) => {
    event.preventDefault();
    submit();
  };
  return h("form", { class: "dr-form", onsubmit, novalidate: true }, children);
}

function makeEditForm({ panel, message, closed, decided, item }) {
  const first = item();
  const claim = h("textarea", { class: "dr-input", rows: 2, value: first.claim });
  const parameters = Object.entries(first.parameters).map(([name, value]) => [name, typed(value), valueInput(value)]);
  const replacements = first.edits.map((edit) => [edit, codeInput(edit.replace)]);
  const said = `hypothesis ${first.hypothesis}`;
  const save = async (approves) => {
    const command = editCommand(first, claim, parameters, replacements);
    const changes = Object.keys(command).length > 2;
    const pressed = [saves, approving, leave];
    if (changes && !(await send(panel, command, { pressed, message, said: `Saved ${said}.` }))) return;
    if (!approves) return closed();
    const approve = { kind: "approve", hypothesis: first.hypothesis };
    if (await send(panel, approve, { pressed, message, said: `Approved ${said}.` })) decided();
  };
  const saves = h("button", { class: "dr-button", type: "submit" }, "Save");
  const approving = button("Save and approve", () => save(true), { class: "dr-button dr-go" });
  const leave = button("Cancel", closed);
  const node = makeForm(
    () => save(false),
    field("Claim", claim),
    h("div", { class: "dr-fields" }, parameters.map(([name, , input]) => field(name, input))),
    replacements.map(([edit, area]) => replacementField(edit, area)),
    h("div", { class: "dr-row" }, saves, approving, leave),
  );
  return { node, focus: () => claim.focus() };
}

function valueInput(value) {
  const attributes = { type: "text", spellcheck: "false", autocomplete: "off", value: typed(value) };
  return h("input", { class: "dr-input dr-code", ...attributes });
}

function codeInput(text) {
  const rows = Math.min(16, Math.max(2, text.split("\n").length));
  return h("textarea", { class: "dr-input dr-code", rows, spellcheck: "false", value: text });
}

function replacementField(edit, area) {
  const before = h("details", {}, h("summary", {}, "what it replaces"), h("pre", { class: "dr-code" }, edit.search));
  return h("div", {}, field(`New text in ${editedPlace(edit)}`, area), before);
}

// Only what differs is sent; of that, values and edits whole, for each replaces all there were.
function editCommand(first, claim, parameters, replacements) {
  const command = { kind: "edit", hypothesis: first.hypothesis };
  if (claim.value !== first.claim) command.claim = claim.value;
  if (parameters.some(([, was, input]) => input.value.trim() !== was)) {
    command.parameters = Object.fromEntries(parameters.map(([name, , input]) => [name, input.value.trim()]));
  }
  if (replacements.some(([edit, area]) => area.value !== edit.replace)) {
    command.edits = replacements.map(([edit, area]) => ({ ...edit, replace: area.value }));
  }
  return command;
}
