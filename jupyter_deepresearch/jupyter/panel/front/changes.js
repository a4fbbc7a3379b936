// What an experiment changes: its diff, place by place. The sign is text, so that colour is not the only mark.

const SIGNS = { "+": "added", "-": "removed", "@": "place" };

function changesNode(found) {
  const from = found.before === null ? "your own notebook" : `experiment ${found.before}`;
  const title = `From ${from} to experiment ${found.after}`;
  if (!found.changes.length) return h("p", { class: "dr-hint" }, `${title}: no line differs.`);
  return h("div", { class: "dr-changes" }, h("p", { class: "dr-hint" }, title), found.changes.map(placeNode));
}

function placeNode(change) {
  const lines = h("div", { class: "dr-lines", tabindex: 0, role: "group", "aria-label": `changes in ${change.place}` });
  lines.append(...change.lines.map(lineNode));
  return h("div", { class: "dr-place" }, h("code", {}, change.place), lines);
}

function lineNode(line) {
  const sign = line.startsWith("@@") ? "@" : line.slice(0, 1);
  const kind = SIGNS[sign] ?? "same";
  const [shown, text] = kind === "place" ? [" ", line] : [sign, line.slice(1)];
  return h("div", { class: `dr-line dr-${kind}` }, h("span", { class: "dr-sign" }, shown), h("span", {}, text));
}

// A box that shows the diff of one experiment when it is opened, asked for then, below what `lead` says of it:
// {node, toggle(), isOpen()}.
function makeChanges(panel, experiment, opener, lead = () => []) {
  const node = h("div", { class: "dr-diff", hidden: true });
  const setOpen = (open) => {
    show(node, open);
    put(opener, "aria-expanded", open ? "true" : "false");
  };
  const lay = (found) => node.replaceChildren(...lead(), found);
  const load = async () => {
    lay(h("p", { class: "dr-hint", role: "status" }, "asking for the changes ..."));
    try {
      lay(changesNode(await panel.ask("diff", { experiment })));
    } catch (error) {
      lay(h("p", { class: "dr-message dr-refused", role: "status" }, error.message));
    }
  };
  setOpen(false);
  return {
    node,
    isOpen: () => !node.hidden,
    toggle: async () => {
      setOpen(node.hidden);
      if (!node.hidden) await load();
    },
  };
}
