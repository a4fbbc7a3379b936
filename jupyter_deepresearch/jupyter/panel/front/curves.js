// The objective while it is trained: one line for each live run, against the champion's.

const LINE_KINDS = 4; // of colour and dash, used in turn
const NAME_HEIGHT = 14; // px
const OUTSIDE_CURVE_DEVIATIONS = 20; // first steps are far off the rest, and mean something
const BOLD_CHARACTER = 7.4; // px

function makeCurves(panel) {
  const frame = makeFrame({ role: "img" });
  const [lines, names] = [svg("svg", { class: "dr-curve-area" }), svg("g", {})];
  frame.node.append(lines, names);
  const title = h("strong", {});
  const remark = h("span", { class: "dr-chart-remark" });
  const empty = h("p", { class: "dr-empty" }, "no report yet");
  const values = h("ul", { class: "dr-curve-values", "aria-label": "Where the curves are" });
  const node = h("figure", { class: "dr-curves" }, h("figcaption", {}, title, remark), empty, frame.node, values);
  let width = 0;

  const draw = () => {
    const { status, curves } = panel.state;
    if (!status) return;
    const curvesNow = drawableCurves(curves);
    const isSome = curvesNow.length > 0;
    const { metric } = status.objective;
    say(title, `${metric} by step`);
    say(remark, curvesRemark(curves, curvesNow, status.running.length));
    show(empty, !isSome);
    show(values, isSome);
    frame.node.toggleAttribute("hidden", !isSome);
    const update = (part, curve) => updateValue(part, curve, curvesNow);
    keyed(values, curvesNow, (curve) => curve.key, makeCurveValue, update);
    put(frame.node, "aria-label", `${metric} by step: ${curvesNow.map(curveInWords).join("; ")}`);
    if (isSome && width) drawCurves(frame, { lines, names }, curvesNow, width);
  };
  watchWidth(node, (now) => {
    width = now;
    draw();
  });
  return { node, update: draw };
}

// Every curve that has a finite point, as {key, kind, name, points, last}; the champion's, which all are compared with,
// comes last and so lies on top.
function drawableCurves(curves) {
  const live = (curves?.live ?? []).map((curve, at) => ({ ...curve, key: curve.run, kind: `live-${at % LINE_KINDS}` }));
  const champion = curves?.champion ? [{ ...curves.champion, key: "champion", kind: "champion" }] : [];
  const withLast = (curve) => ({ ...curve, last: curve.points.findLast(([, value]) => Number.isFinite(value)) });
  return [...live, ...champion].map(withLast).filter((curve) => curve.last !== undefined);
}

function curvesRemark(curves, drawn, runningCount) {
  const waits = (curves?.live ?? []).length - drawn.filter((curve) => curve.kind !== "champion").length;
  if (runningCount === 0 && drawn.length) return "nothing is running: the champion's curve";
  return waits > 0 && drawn.length ? `${counted(waits, "run")} without a report yet` : "";
}

function curveName({ kind, experiment, seed }) {
  if (kind === "champion") return `champion #${experiment}`;
  return seed === undefined || seed === null ? `#${experiment}` : `#${experiment} seed ${seed}`;
}

function curveInWords(curve) {
  const [step, value] = curve.last;
  return `${curveName(curve)} ${number(value)} at step ${grouped(step)}`;
}

function makeCurveValue({ kind }) {
  const line = svg("path", { class: "dr-curve", "data-kind": kind, d: "M1,7H21" });
  const text = h("span", {});
  const against = h("span", { class: "dr-against" });
  const swatch = svg("svg", { class: "dr-swatch dr-line-swatch", viewBox: "0 0 22 14", "aria-hidden": "true" }, line);
  return { node: h("li", {}, swatch, text, " ", against), line, text, against };
}

function updateValue({ line, text, against }, curve, curvesNow) {
  put(line, "data-kind", curve.kind);
  say(text, curveInWords(curve));
  const champion = curvesNow.find((other) => other.kind === "champion");
  // The champion as it was at the same step: the comparison that a person makes by eye.
  const then = champion === curve ? undefined : champion?.points.findLast(([step]) => step <= curve.last[0]);
  const isKnown = Number.isFinite(then?.[1]);
  say(against, isKnown ? `${signed(curve.last[1] - then[1])} against the champion there` : "");
}

function drawCurves(frame, { lines, names }, curvesNow, width) {
  const points = curvesNow.flatMap((curve) => curve.points).filter(([, value]) => Number.isFinite(value));
  const steps = points.map(([step]) => step);
  const [first, end] = extremes(steps);
  const champion = curvesNow.find((curve) => curve.kind === "champion");
  const xs = end > first ? [first, end] : [first - 0.5, first + 0.5];
  const ys = shownRange(points.map(([, value]) => value), champion ? [champion.last[1]] : [], OUTSIDE_CURVE_DEVIATIONS);
  const height = Math.round(Math.min(320, Math.max(220, width * 0.42)));
  const right = width < SIDE_WIDTH || !champion ? 14 : curveLabel(champion, curvesNow).length * BOLD_CHARACTER + 16;
  const isWhole = steps.every(Number.isInteger);
  const scales = frame.fit({ width, height, xs, ys, right, xName: "step", wholeX: isWhole });
  const drawable = curvesNow.map((curve) => ({ ...curve, ...namePlace(curve, champion, scales) }));
  const live = drawable.filter((curve) => curve !== drawable.at(-1) || !champion);
  const heights = spreadHeights(live.map((curve) => curve.nameY), scales.top + 6, scales.bottom - 4);
  heights.forEach((y, at) => (live[at].nameY = y));
  clip(lines, scales);
  keyed(lines, drawable, (curve) => curve.key, makeCurvePath, (path, curve) => drawCurve(path, curve, scales));
  const update = (part, curve) => drawCurveEnd(part, curve, scales, curveLabel(curve, curvesNow));
  keyed(names, drawable, (curve) => curve.key, makeCurveEnd, update);
}

// The champion's name stands at its end, outside; a live run's beside its own end, on the side away from the champion.
function namePlace(curve, champion, scales) {
  const [step, value] = curve.last;
  const [x, y] = [scales.x(step), scales.y(value)];
  if (curve.kind === "champion") return { nameX: scales.right + 8, nameY: y + 4 };
  const then = champion?.points.findLast(([other]) => other <= step)?.[1];
  const isNearEdge = x > scales.right - 60;
  const isBelow = Number.isFinite(then) && value < then;
  return { nameX: isNearEdge ? x - 4 : x + 4, nameY: isBelow ? y + 16 : y - 8, isNearEdge };
}

function curveLabel(curve, curvesNow) {
  if (curve.kind === "champion") return `best #${curve.experiment}`;
  const isAlone = curvesNow.filter((other) => other.experiment === curve.experiment).length === 1;
  return isAlone ? `#${curve.experiment}` : curveName(curve);
}

// Not by Math.min(...steps): so many arguments a call does not take.
function extremes(values) {
  const widened = ([least, most], value) => [Math.min(least, value), Math.max(most, value)];
  return values.reduce(widened, [Infinity, -Infinity]);
}

// A line that goes far off leaves the area at its edge; held at the edge it would show values that never were.
function clip(area, { left, right, top, bottom }) {
  const box = { x: left - 3, y: top - 3, width: right - left + 6, height: bottom - top + 6 };
  for (const [name, value] of Object.entries(box)) put(area, name, px(value));
  put(area, "viewBox", [box.x, box.y, box.width, box.height].map(px).join(" "));
}

function makeCurvePath({ kind }) {
  return svg("path", { class: "dr-curve", "data-kind": kind });
}

function makeCurveEnd() {
  const end = svg("circle", { class: "dr-curve-end", r: 3.5 });
  const name = svg("text", { class: "dr-curve-name" });
  return { node: svg("g", {}, end, name), end, name };
}

function drawCurve(path, curve, scales) {
  put(path, "data-kind", curve.kind);
  put(path, "d", curvePath(curve.points, scales));
}

function drawCurveEnd({ end, name }, curve, scales, label) {
  for (const node of [end, name]) put(node, "data-kind", curve.kind);
  const [step, value] = curve.last;
  put(end, "cx", px(scales.x(step)));
  put(end, "cy", px(scales.y(value)));
  say(name, curve.kind !== "champion" || scales.width >= SIDE_WIDTH ? label : "");
  put(name, "text-anchor", curve.isNearEdge ? "end" : "start");
  put(name, "x", px(curve.nameX));
  put(name, "y", px(curve.nameY));
}

// A gap where there is no finite value.
function curvePath(points, scales) {
  const parts = [];
  let isOpen = false;
  for (const [step, value] of points) {
    const isThere = Number.isFinite(value);
    const place = `${px(scales.x(step))},${px(scales.anyY(value))}`;
    if (isThere) parts.push(isOpen ? `L${place}` : `M${place}h0`);
    isOpen = isThere;
  }
  return parts.join("");
}

// Heights for names: near to where their lines end, but not over each other.
function spreadHeights(heights, top, bottom) {
  const order = heights.map((_, at) => at).sort((one, other) => heights[one] - heights[other]);
  const spread = [...heights];
  let least = top;
  for (const at of order) {
    spread[at] = Math.max(spread[at], least);
    least = spread[at] + NAME_HEIGHT;
  }
  let most = bottom;
  for (const at of order.reverse()) {
    spread[at] = Math.min(spread[at], most);
    most = spread[at] - NAME_HEIGHT;
  }
  return spread;
}
