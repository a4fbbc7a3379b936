// What both charts share: ranges, ticks, and a frame whose nodes stay while it is drawn again.

const FLOOR_NAME = "none"; // where marks without a value stand
const TICK_CHARACTER = 6.6; // px, of the charts' font
const OUTSIDE_DEVIATIONS = 8; // median absolute deviations beyond which a value would flatten all others

function medianOf(sorted) {
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

// The range that shows these values, but for those far outside of where most of them and the `anchors` are: those of
// them that must be seen. Null where there is nothing to show.
function shownRange(values, anchors = [], deviations = OUTSIDE_DEVIATIONS) {
  const sorted = values.filter(Number.isFinite).sort((one, other) => one - other);
  if (sorted.length === 0) return null;
  const middle = medianOf(sorted);
  const deviation = medianOf(sorted.map((value) => Math.abs(value - middle)).sort((one, other) => one - other));
  const fixed = anchors.filter(Number.isFinite);
  const [lowest, highest] = [Math.min(...fixed, middle), Math.max(...fixed, middle)];
  // Of few values nobody knows yet where most of them are.
  const reach = deviations * (1 + (20 / sorted.length) ** 2) * Math.max(deviation, (highest - lowest) / 4) || Infinity;
  const inside = sorted.filter((value) => value >= lowest - reach && value <= highest + reach);
  return padded(inside[0], inside.at(-1));
}

function padded(low, high) {
  const size = high - low || Math.abs(high) * 0.1 || 1;
  return [low - size * 0.07, high + size * 0.07];
}

// About `wanted` ticks at 1, 2 or 5 times a power of ten, as [{value, text}].
function ticksWithin([low, high], wanted, whole = false) {
  const least = (high - low) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(least));
  const sizes = [1, 2, 5, 10].map((factor) => factor * power);
  const size = sizes.find((one) => one >= least * 0.7 && (!whole || one >= 1)) ?? 1;
  const decimals = Math.max(0, -Math.floor(Math.log10(size) + 1e-9));
  const ticks = [];
  for (let at = Math.ceil(low / size - 1e-9); at * size <= high + size * 1e-9; at += 1) {
    ticks.push({ value: at * size, text: tickText(at * size, decimals) });
  }
  return ticks;
}

function tickText(value, decimals) {
  if (value !== 0 && (decimals > 6 || Math.abs(value) >= 1e7)) return value.toExponential(1).replace(".0e", "e");
  // Adding 0 makes a 0 of the -0 that rounding up gives.
  return (value + 0).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

// A chart's svg with its grid; what a chart draws itself goes before or after it by `frame.node.append`.
// `fit({width, height, xs, ys, right, xName, ...})` draws the axes anew and gives the scales; `right` px are left free
// beside the lines, `floor` px below them, and only `ticked` of the range `xs` gets ticks.
function makeFrame(attributes) {
  const grid = svg("g", { class: "dr-axes" });
  const name = svg("text", { class: "dr-axis-name", "text-anchor": "end" });
  const node = svg("svg", { class: "dr-chart", ...attributes }, grid, name);
  const fit = ({ width, height, xs, ys, right, xName, floor = 0, wholeX = false, ticked = xs }) => {
    const yTicks = ticksWithin(ys, Math.max(2, Math.round(height / 65)));
    const names = [...yTicks.map((tick) => tick.text), floor ? FLOOR_NAME : ""];
    const left = Math.max(28, ...names.map((name) => name.length * TICK_CHARACTER + 12));
    const area = { left, right: width - right, top: 10, bottom: height - 34 - floor, floor: height - 34 };
    const scales = { ...area, ...scalesOf(area, xs, ys), width, height };
    put(node, "viewBox", `0 0 ${width} ${height}`);
    const xTicks = ticksWithin(ticked, Math.max(3, Math.round((area.right - left) / 80)), wholeX);
    const keyOf = (tick) => `${tick.axis}${tick.text}`;
    const named = (axis) => (tick) => ({ ...tick, axis });
    const ticks = [...yTicks.map(named("y")), ...xTicks.map(named("x"))];
    keyed(grid, ticks, keyOf, makeTick, (part, tick) => drawTick(part, tick, scales));
    say(name, xName);
    put(name, "x", area.right);
    put(name, "y", height - 4);
    return scales;
  };
  return { node, fit };
}

function scalesOf(area, xs, ys) {
  const across = (area.right - area.left) / (xs[1] - xs[0]);
  const up = (area.bottom - area.top) / (ys[1] - ys[0]);
  const anyY = (value) => area.bottom - (value - ys[0]) * up;
  return {
    x: (value) => area.left + (value - xs[0]) * across,
    y: (value) => Math.min(area.bottom, Math.max(area.top, anyY(value))),
    anyY, // where it would be, were the area larger
    isInside: (value) => value >= ys[0] && value <= ys[1],
    isAbove: (value) => value > ys[1],
  };
}

function makeTick(tick) {
  const line = svg("line", { class: tick.axis === "y" ? "dr-grid-line" : "dr-tick-line" });
  const text = svg("text", { "text-anchor": tick.axis === "y" ? "end" : "middle" }, tick.text);
  return { node: svg("g", {}, line, text), line, text };
}

function drawTick({ line, text }, tick, scales) {
  const at = tick.axis === "y" ? scales.y(tick.value) : scales.x(tick.value);
  const [x1, y1, x2, y2] =
    tick.axis === "y" ? [scales.left, at, scales.right, at] : [at, scales.floor, at, scales.floor + 4];
  for (const [name, value] of Object.entries({ x1, y1, x2, y2 })) put(line, name, value.toFixed(1));
  put(text, "x", (tick.axis === "y" ? scales.left - 7 : at).toFixed(1));
  put(text, "y", (tick.axis === "y" ? at + 4 : scales.floor + 16).toFixed(1));
}

// Call `redraw(width)` with the node's width in px, whenever that changes; not while it cannot be seen.
function watchWidth(node, redraw) {
  let last = 0;
  const watcher = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry.contentRect.width);
    if (width === 0 || width === last) return;
    last = width;
    // Drawing changes the height: within the observer's own round the browser would complain of a loop.
    requestAnimationFrame(() => redraw(width));
  });
  watcher.observe(node);
}
