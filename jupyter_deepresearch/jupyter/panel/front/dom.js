// Elements without a library. Text is only ever set as text: claims come from a model and may hold anything.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

// h("button", {class: "dr-button", onclick: press, "aria-label": "Stop"}, "text", node, null, [more])
function h(tag, attributes, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes, ...children) {
  return fill(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) put(node, name, value);
  node.append(...children.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return node;
}

// Set one attribute, only where it differs: functions are listeners (which, unlike a property's, may return what they
// like), null and false take it away, true leaves it bare.
function put(node, name, value) {
  if (typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (name === "value") {
    if (node.value !== String(value ?? "")) node.value = value ?? "";
  } else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else if (node.getAttribute(name) !== (value === true ? "" : String(value))) {
    node.setAttribute(name, value === true ? "" : value);
  }
}

// Say a text; a node that says it already is left alone (so that no screen reader reads it again).
function say(node, text) {
  const said = String(text ?? "");
  if (node.textContent !== said) node.textContent = said;
}

// Show or hide a node; hidden ones are not reached by Tab either.
function show(node, shown) {
  if (node.hidden === Boolean(shown)) node.hidden = !shown;
}

const keptParts = new WeakMap();

// One child of `parent` for each item, in their order. The part of a key that is still there is kept, and with it its
// focus and typed text. `make(item)` gives a node or {node, update(item)}; `update(part, item)` is called for each.
// Children that are nobody's part stay in front.
function keyed(parent, items, keyOf, make, update = (part, item) => part.update?.(item)) {
  const before = keptParts.get(parent) ?? new Map();
  const after = new Map(items.map((item) => [keyOf(item), item]));
  for (const [key, part] of before) if (!after.has(key)) nodeOf(part).remove();
  const parts = new Map();
  const mine = new Set([...before.values()].map(nodeOf));
  let next = [...parent.childNodes].find((node) => mine.has(node)) ?? null;
  for (const [key, item] of after) {
    const part = before.get(key) ?? make(item);
    parts.set(key, part);
    // A node in its place is not touched: taking it out and in again would take the focus from it.
    if (nodeOf(part) === next) next = next.nextSibling;
    else parent.insertBefore(nodeOf(part), next);
    update(part, item);
  }
  keptParts.set(parent, parts);
  return parts;
}

function nodeOf(part) {
  return part.node ?? part;
}

let lastId = 0;

// An id that no other element of the page has, for labels and descriptions.
function freshId(word) {
  lastId += 1;
  return `dr-${word}-${lastId}-${Math.random().toString(36).slice(2, 8)}`;
}
