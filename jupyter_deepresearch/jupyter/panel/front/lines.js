// The lines of the picture: the running champion, the baseline, and the 95 % intervals.

function drawLines(parts, scene, scales) {
  const { points, line, baseline, olderLines } = scene;
  const inside = (older) => older.every((n) => scales.isInside(points.value[n]));
  put(parts.best, "d", isImproved(scene) ? stepLine(line, scene, scales, scales.right) : "");
  put(parts.olderBest, "d", olderLines.filter(inside).map((older) => stepLine(older, scene, scales)).join(""));
  const from = baseline === null ? null : px(scales.x(baseline));
  const level = baseline === null ? null : px(scales.y(points.value[baseline]));
  put(parts.base, "d", baseline === null ? "" : `M${from},${level}H${px(scales.right)}`);
  put(parts.bars, "d", intervalBars(scene, scales));
  drawCrown(parts.crown, scene, scales);
}

// The baseline alone is no champion: its own line says all.
function isImproved({ best, baseline }) {
  return best !== null && best !== baseline;
}

// From champion to champion: level until the next one, then up (or down) to it; on to `end` px where it still reigns.
function stepLine(experiments, { points }, scales, end = null) {
  const steps = experiments.map((n, at) => {
    const [x, y] = [px(scales.x(n)), px(scales.y(points.value[n]))];
    return at === 0 ? `M${x},${y}` : `H${x}V${y}`;
  });
  return `${steps.join("")}${end === null ? "h12" : `H${px(end)}`}`;
}

function intervalBars({ points, measure, line }, scales) {
  const has = (n) => Number.isFinite(points.low[n]) && Number.isFinite(points.high[n]);
  const judged = (n) => points.measure[n] === measure && has(n);
  const shown = points.experiments.filter((n) => judged(n) && scales.isInside(points.value[n]));
  const drawn = shown.length > MANY_BARS ? line.filter(judged) : shown;
  const bar = (n) => {
    const [x, low, high] = [px(scales.x(n)), px(scales.y(points.low[n])), px(scales.y(points.high[n]))];
    return `M${x},${low}V${high}M${px(x - 3)},${low}h6M${px(x - 3)},${high}h6`;
  };
  return drawn.map(bar).join("");
}

// A ring around the best one so far.
function drawCrown(crown, scene, scales) {
  const { points, best } = scene;
  put(crown, "visibility", isImproved(scene) ? null : "hidden");
  if (!isImproved(scene)) return;
  put(crown, "cx", px(scales.x(best)));
  put(crown, "cy", px(scales.y(points.value[best])));
}

// What the two lines are, at their ends, where there is room.
function drawLineNames({ bestName, baseName }, scene, scales) {
  const { points, best, baseline } = scene;
  const roomy = scales.width >= SIDE_WIDTH;
  const bestY = isImproved(scene) ? scales.y(points.value[best]) : null;
  let baseY = baseline === null ? null : scales.y(points.value[baseline]);
  // Two names at one height: the baseline's moves away to the side where its line is.
  if (bestY !== null && baseY !== null && Math.abs(baseY - bestY) < 15) baseY = bestY + (baseY >= bestY ? 15 : -15);
  say(bestName, roomy && bestY !== null ? `best ${number(points.value[best])}` : "");
  say(baseName, roomy && baseline !== null ? `baseline ${number(points.value[baseline])}` : "");
  for (const [text, y] of [[bestName, bestY], [baseName, baseY]]) {
    if (y === null) continue;
    put(text, "x", px(scales.right + 6));
    put(text, "y", px(Math.min(Math.max(y, scales.top + 4), scales.bottom) + 4));
  }
}
