// The marks of the picture: each verdict has a shape as well as a colour, and one path draws all that share them.

const MANY_MARKS = 600; // of one verdict: shapes would run into each other, so dots
const OLDER = "older";

const px = (value) => Math.round(value * 10) / 10;
const ring = (x, y, r) => `M${px(x - r)},${px(y)}a${r},${r} 0 1 0 ${2 * r},0a${r},${r} 0 1 0 ${-2 * r},0`;
const diamond = (x, y, r) => `M${px(x)},${px(y - r)}l${r},${r} ${-r},${r} ${-r},${-r}z`;
const square = (x, y, r) => `M${px(x - r)},${px(y - r)}h${2 * r}v${2 * r}h${-2 * r}z`;
const down = (x, y, r) => `M${px(x - r)},${px(y - r * 0.8)}h${2 * r}l${-r},${px(r * 1.8)}z`;
const right = (x, y, r) => `M${px(x - r * 0.7)},${px(y - r)}l${px(r * 1.8)},${r} ${px(-r * 1.8)},${r}z`;
const cross = (x, y, r) => `M${px(x - r)},${px(y - r)}l${2 * r},${2 * r}m0,${-2 * r}l${-2 * r},${2 * r}`;
const barred = (x, y, r) => `${ring(x, y, r)}m${px(r * 0.3)},${px(r * 0.7)}l${px(r * 1.4)},${px(-r * 1.4)}`;
const dot = (x, y) => `M${px(x)},${px(y)}h0`;

// From the least to the most important: later ones are drawn over earlier ones. `size` is against a plain mark's.
const MARKS = {
  [OLDER]: { shape: dot, size: 1, word: "by an older measure" },
  rejected: { shape: barred, size: 0.9, word: "rejected" },
  failed: { shape: cross, size: 0.8, word: "failed" },
  worse: { shape: down, size: 0.9, word: "worse" },
  inconclusive: { shape: ring, size: 0.9, word: "inconclusive" },
  retracted: { shape: ring, size: 1, word: "retracted" },
  open: { shape: right, size: 1, word: "not judged yet" },
  promising: { shape: diamond, size: 1.25, word: "promising" },
  confirmed: { shape: diamond, size: 1.35, word: "confirmed" },
  baseline: { shape: square, size: 1, word: "baseline" },
};

// The paths of all marks, one of each kind, and how they are drawn from [x, y, x, y, ...] in px by kind.
function makeMarks() {
  const paths = new Map(Object.keys(MARKS).map((kind) => [kind, svg("path", { class: "dr-mark", "data-kind": kind })]));
  const draw = (places) => {
    const all = [...places.values()].reduce((sum, place) => sum + place.length / 2, 0);
    const size = all > 400 ? 3 : all > 120 ? 3.6 : 4.4;
    for (const [kind, path] of paths) drawMarks(path, kind, places.get(kind) ?? [], size);
  };
  return { nodes: [...paths.values()], draw };
}

function drawMarks(path, kind, place, size) {
  const asDots = kind === OLDER || place.length / 2 > MANY_MARKS;
  const { shape, size: factor } = MARKS[kind];
  const mark = asDots ? dot : shape;
  const radius = px(size * factor);
  const parts = [];
  for (let at = 0; at < place.length; at += 2) parts.push(mark(place[at], place[at + 1], radius));
  put(path, "d", parts.join(""));
  put(path, "data-dots", asDots);
}

// [{kind, count}] as a list of shapes with their words: what is not there needs no explanation.
function drawLegend(list, entries) {
  const update = (part, entry) => say(part.count, grouped(entry.count));
  keyed(list, entries, (entry) => entry.kind, makeLegendEntry, update);
}

function makeLegendEntry({ kind }) {
  const { shape, size, word } = MARKS[kind];
  const path = svg("path", { class: "dr-mark", "data-kind": kind, d: shape(7, 7, px(4.2 * size)) });
  if (kind === OLDER) put(path, "data-dots", true);
  const count = h("span", { class: "dr-legend-count" });
  const swatch = svg("svg", { class: "dr-swatch", viewBox: "0 0 14 14", "aria-hidden": "true" }, path);
  return { node: h("li", {}, swatch, `${word} `, count), count };
}
