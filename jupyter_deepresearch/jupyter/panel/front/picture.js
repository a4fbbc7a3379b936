// The research so far as a picture: the objective against the experiment's number. Its nodes are made once; drawing
// again only gives them new paths, so that nothing flickers, and 10,000 experiments are no more nodes than ten.

const LEAST_EXPERIMENTS = 12; // of room across, so that the first few do not jump about
const MANY_BARS = 500;
const SIDE_WIDTH = 480; // px from which the names of the lines have room beside them

function makePicture(panel) {
  const frame = makeFrame({ role: "img", tabindex: "0" });
  const parts = makePictureParts();
  const said = h("p", { class: "dr-pointed", "aria-live": "polite" });
  const legend = h("ul", { class: "dr-legend", "aria-label": "What the marks mean" });
  const title = h("strong", {});
  const remark = h("span", { class: "dr-chart-remark" });
  const outside = h("span", { class: "dr-chart-remark" });
  const empty = h("p", { class: "dr-empty" }, "no experiment has a value yet");
  const drawing = h("div", { class: "dr-drawing" }, frame.node, said, legend);
  const node = h("figure", { class: "dr-picture" }, h("figcaption", {}, title, remark, outside), empty, drawing);
  frame.node.append(...parts.nodes);
  const pointing = makePointing(panel, frame.node, said);
  const last = { width: 0, drawn: "" };

  const draw = () => {
    const { points, status } = panel.state;
    if (!status || !points) return;
    const { metric, direction } = status.objective;
    const wanted = [points.revision, metric, direction, last.width].join();
    say(title, `${metric} by experiment`);
    say(remark, direction === "minimize" ? "lower is better" : "higher is better");
    if (wanted !== last.drawn) {
      const scene = sceneOf(points, direction);
      show(empty, !scene);
      show(drawing, scene);
      if (scene && last.width) drawScene(frame, parts, legend, scene, last.width);
      say(outside, scene?.outside ? `${counted(scene.outside, "value")} outside, at the edge` : "");
      if (scene) put(frame.node, "aria-label", sceneInWords(scene, metric));
      pointing.follow(scene);
      if (last.width) last.drawn = wanted;
    }
    pointing.rest(status.champion);
  };

  watchWidth(node, (width) => {
    last.width = width;
    draw();
  });
  return { node, update: draw };
}

function makePictureParts() {
  const path = (name) => svg("path", { class: name });
  const text = (name, anchor) => svg("text", { class: name, "text-anchor": anchor });
  const parts = {
    floor: text("dr-floor-name", "end"),
    base: path("dr-base-line"),
    olderBest: path("dr-best-line dr-older-line"),
    best: path("dr-best-line"),
    bars: path("dr-bars"),
    outside: path("dr-outside"),
    crown: svg("circle", { class: "dr-crown", r: 10 }),
    bestName: text("dr-best-name", "start"),
    baseName: text("dr-base-name", "start"),
  };
  const marks = makeMarks();
  const { crown, bestName, baseName, ...under } = parts;
  return { ...parts, marks, nodes: [...Object.values(under), ...marks.nodes, crown, bestName, baseName] };
}

// What is to be shown of the points, in their own units; null where none has a value.
function sceneOf(points, direction) {
  const numbers = points.experiments;
  const measure = points.newestMeasure;
  if (measure === null) return null;
  const lines = points.bestLines(direction);
  const line = lines.get(measure) ?? [];
  const baseline = points.baselineOf(measure);
  const anchors = [...line, ...(baseline === null ? [] : [baseline])].map((n) => points.value[n]);
  const values = numbers.filter((n) => points.measure[n] === measure).map((n) => points.value[n]);
  const [first, end] = [numbers[0], Math.max(numbers.at(-1), numbers[0] + LEAST_EXPERIMENTS - 1)];
  const margin = Math.max(0.6, (end - first) * 0.015);
  lines.delete(measure);
  return {
    points, measure, line, baseline, best: line.at(-1) ?? null,
    olderLines: [...lines.values()],
    xs: [first - margin, end + margin],
    ticked: [first, end],
    ys: shownRange(values, anchors),
    valueless: numbers.some((n) => !hasValue(points, n)),
  };
}

function sceneInWords({ points, best, baseline }, metric) {
  const of = (word, n) => (n === null ? `no ${word} yet` : `${word} ${number(points.value[n])} of number ${n}`);
  const counts = `${metric} of ${counted(points.experiments.length, "experiment")}`;
  const keys = "Arrow keys move between experiments, Enter opens one.";
  return `${counts}; ${of("best", best)}; ${of("baseline", baseline)}. ${keys}`;
}

function drawScene(frame, parts, legend, scene, width) {
  const height = Math.round(Math.min(320, Math.max(220, width * 0.42)));
  const right = width < SIDE_WIDTH ? 10 : 104;
  const floor = scene.valueless ? 24 : 0;
  const { xs, ys, ticked } = scene;
  const scales = frame.fit({ width, height, xs, ys, ticked, right, floor, xName: "experiment", wholeX: true });
  scene.scales = scales;
  const { places, counts, outside } = placed(scene, scales);
  parts.marks.draw(places);
  drawLegend(legend, Object.keys(MARKS).reverse().filter((kind) => counts.get(kind)).map(
    (kind) => ({ kind, count: counts.get(kind) }),
  ));
  drawOutside(parts, outside, scales);
  scene.outside = outside.above.length + outside.below.length;
  drawFloor(parts, scene, scales);
  drawLines(parts, scene, scales);
  drawLineNames(parts, scene, scales);
}

// Where each experiment's mark goes: by kind for drawing, by experiment for pointing.
function placed(scene, scales) {
  const { points, measure } = scene;
  const [places, counts, outside] = [new Map(), new Map(), { above: [], below: [] }];
  scene.placeX = [];
  scene.placeY = [];
  for (const n of points.experiments) {
    const value = points.value[n];
    const older = points.measure[n] < measure;
    const kind = older ? OLDER : points.decision[n] ?? "open";
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
    const inside = scales.isInside(value);
    // An older value beyond the range has no place: it says nothing here.
    if (older && !inside) continue;
    const x = scales.x(n);
    const y = hasValue(points, n) ? scales.y(value) : scales.floor - 11;
    scene.placeX[n] = x;
    scene.placeY[n] = y;
    if (hasValue(points, n) && !inside) outside[scales.isAbove(value) ? "above" : "below"].push(x);
    else if (places.has(kind)) places.get(kind).push(x, y);
    else places.set(kind, [x, y]);
  }
  return { places, counts, outside };
}

function drawOutside(parts, { above, below }, scales) {
  const up = (x) => `M${px(x - 4)},${scales.top + 3}l4,-6 4,6z`;
  const down = (x) => `M${px(x - 4)},${scales.bottom - 3}l4,6 4,-6z`;
  put(parts.outside, "d", [...above.map(up), ...below.map(down)].join(""));
}

function drawFloor(parts, scene, scales) {
  say(parts.floor, scene.valueless ? FLOOR_NAME : "");
  put(parts.floor, "x", scales.left - 7);
  put(parts.floor, "y", scales.floor - 7);
}
