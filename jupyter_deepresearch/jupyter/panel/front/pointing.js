// Pointing at an experiment of the picture, by mouse or keyboard: a ring around it, and a line that says what it is.

const REST_MS = 140; // how long a pointer stays before the claim is asked for
const KEPT_CLAIMS = 50;

// `chart` is the svg, `said` the line below it. `follow(scene)` after each drawing, `rest(champion)` for what the line
// says while nothing is pointed at.
function makePointing(panel, chart, said) {
  const cursor = svg("circle", { class: "dr-cursor", r: 8, visibility: "hidden" });
  const [what, claim, change] = ["what", "claim", "change"].map((part) => h("span", { class: `dr-pointed-${part}` }));
  const claims = makeClaims(panel);
  const now = { scene: null, chosen: null, champion: null, timer: 0 };
  chart.append(cursor);
  said.append(what, " ", claim, " ", change);

  const tell = () => {
    if (now.scene === null) return;
    const sentence = now.chosen === null ? championInWords(now.champion) : inWords(now, claims.known(now));
    say(what, sentence.what);
    say(claim, sentence.claim);
    say(change, sentence.change);
  };
  const choose = (experiment) => {
    if (experiment === now.chosen) return;
    now.chosen = experiment;
    moveCursor(cursor, now);
    tell();
    clearTimeout(now.timer);
    if (experiment !== null) now.timer = setTimeout(() => claims.ask(now, tell), REST_MS);
  };
  listenToPointer(panel, chart, now, choose);
  listenToKeys(panel, chart, now, choose);
  return {
    follow(scene) {
      now.scene = scene;
      moveCursor(cursor, now);
      if (now.chosen !== null) claims.ask(now, tell);
      tell();
    },
    rest(champion) {
      now.champion = champion;
      tell();
    },
  };
}

function moveCursor(cursor, { scene, chosen }) {
  const x = chosen === null ? undefined : scene?.placeX?.[chosen];
  put(cursor, "visibility", x === undefined ? "hidden" : null);
  if (x === undefined) return;
  put(cursor, "cx", px(x));
  put(cursor, "cy", px(scene.placeY[chosen]));
}

function listenToPointer(panel, chart, now, choose) {
  const point = (event) => {
    const box = chart.getBoundingClientRect();
    if (!now.scene?.scales || box.width === 0) return;
    const scale = now.scene.scales.width / box.width;
    choose(nearest(now.scene, (event.clientX - box.left) * scale, (event.clientY - box.top) * scale));
  };
  chart.addEventListener("pointermove", point);
  chart.addEventListener("pointerdown", point);
  chart.addEventListener("pointerleave", () => choose(null));
  chart.addEventListener("click", () => now.chosen !== null && panel.open?.(now.chosen));
}

function nearest({ points, placeX, placeY }, x, y) {
  let [found, least] = [null, Infinity];
  for (const n of points.experiments) {
    const distance = (placeX[n] - x) ** 2 + (placeY[n] - y) ** 2;
    if (distance < least) [found, least] = [n, distance];
  }
  return found;
}

function listenToKeys(panel, chart, now, choose) {
  chart.addEventListener("keydown", (event) => {
    const target = keyTarget(event.key, now);
    if (target === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Enter") panel.open?.(target);
    else choose(target);
  });
  chart.addEventListener("blur", () => choose(null));
}

// Which experiment a key leads to; undefined where the key is not for us.
function keyTarget(key, { scene, chosen }) {
  const numbers = scene?.points.experiments ?? [];
  const at = chosen === null ? numbers.indexOf(scene?.best ?? numbers.at(-1)) : numbers.indexOf(chosen);
  const moves = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: numbers.length - 1, Enter: at };
  if (key === "Escape" && chosen !== null) return null;
  if (!(key in moves) || numbers.length === 0 || (key === "Enter" && chosen === null)) return undefined;
  // The first arrow shows where one is.
  if (chosen === null && key.startsWith("Arrow")) return numbers[at];
  return numbers[Math.min(numbers.length - 1, Math.max(0, moves[key]))];
}

function championInWords(champion) {
  const hint = "Point at a mark, or use the arrow keys, to read its hypothesis.";
  if (!champion) return { what: "", claim: hint, change: "" };
  const { experiment, value, interval, seeds, claim } = champion;
  return { what: `best #${experiment} ${measured(value, interval, seeds)}`, claim: oneLine(claim), change: "" };
}

// The point as it is drawn; the rest as soon as it was answered.
function inWords({ scene, chosen }, answer) {
  const { points } = scene;
  const mark = decisionMark(points.decision[chosen], points.state[chosen]);
  const interval = Number.isFinite(points.low[chosen]) ? [points.low[chosen], points.high[chosen]] : null;
  const drawn = hasValue(points, chosen) ? measured(points.value[chosen], interval, null) : "";
  const isValued = answer?.value !== undefined && answer.value !== null;
  const value = isValued ? measured(answer.value, answer.interval, answer.seeds) : drawn;
  const what = [`#${chosen}`, mark.word, value].filter(Boolean).join(" ");
  return { what, claim: oneLine(answer?.claim), change: answer ? changeInWords(answer, isValued) : "" };
}

// What it changes of its parent and how far that took it from the champion then; of one without a value, why.
function changeInWords({ parameters, edits, delta, reason }, isValued) {
  const values = Object.entries(parameters ?? {}).map(([name, value]) => `${name} = ${typed(value)}`);
  const places = (edits ?? []).map((edit) => `edits ${editedPlace(edit)}`);
  const far = Number.isFinite(delta) ? `${signed(delta)} to the champion then` : "";
  return [oneLine([...values, ...places].join(", ")), isValued ? far : oneLine(reason)].filter(Boolean).join("; ");
}

// What is known of experiments: the newest page of the history, and the last answers, each of which is asked for again
// once its point has changed.
function makeClaims(panel) {
  const kept = new Map();
  const stampOf = ({ points }, n) => [points.decision[n], points.state[n], points.value[n]].join();
  const rowOf = (experiment) => panel.state.rows?.find((row) => row.experiment === experiment);
  const known = ({ chosen }) => rowOf(chosen) ?? kept.get(chosen)?.answer ?? null;
  const ask = async (now, tell) => {
    const { scene, chosen } = now;
    if (!scene || rowOf(chosen) || kept.get(chosen)?.stamp === stampOf(scene, chosen)) return;
    const entry = { stamp: stampOf(scene, chosen), answer: kept.get(chosen)?.answer };
    kept.delete(chosen);
    kept.set(chosen, entry);
    if (kept.size > KEPT_CLAIMS) kept.delete(kept.keys().next().value);
    try {
      entry.answer = await panel.ask("experiment", { experiment: chosen });
    } catch (error) {
      entry.stamp = null;
      entry.answer = { claim: `(its claim could not be asked for: ${error.message ?? error})` };
    }
    if (now.chosen === chosen) tell();
  };
  return { known, ask };
}
