// The experiments as columns. They come packed (see picture.py): all of them once, then those that changed.

// As their numbers in a packed point mean, in the order of the kernel's enums.
const DECISIONS = [
  null, "baseline", "promising", "confirmed", "retracted", "worse", "inconclusive", "failed", "rejected",
];
const STATES = [
  "pending", "running", "succeeded", "crashed", "diverged", "stalled", "timed_out", "out_of_memory", "pruned",
  "cancelled", "lost", "invalid",
];
const POINT_BYTES = 20;

// All columns but `experiments`, the numbers in their order, are indexed by the experiment's number.
class Points {
  constructor() {
    this.seq = 0;
    this.revision = 0; // grows whenever something differs from before
    this.experiments = [];
    this.value = [];
    this.low = [];
    this.high = [];
    this.measure = [];
    this.decision = [];
    this.state = [];
  }

  // Merge packed points; what is there already is replaced. Nothing is merged of what is not whole.
  read(view, seq = this.seq) {
    for (const row of unpackedRows(view)) this.merge(row);
    this.seq = Math.max(this.seq, seq);
  }

  merge({ experiment, ...row }) {
    const known = this.measure[experiment] !== undefined;
    if (known && Object.entries(row).every(([name, value]) => Object.is(this[name][experiment], value))) return;
    for (const [name, value] of Object.entries(row)) this[name][experiment] = value;
    if (!known) insertSorted(this.experiments, experiment);
    this.revision += 1;
  }

  // The newest measure that has given a value, null where none has. Values of another are not compared with its own.
  get newestMeasure() {
    const measures = this.experiments.filter((n) => hasValue(this, n)).map((n) => this.measure[n]);
    return measures.reduce((newest, measure) => Math.max(newest, measure), 0) || null;
  }

  // The experiment that all others of a measure are compared with in the first place, null where there is none.
  baselineOf(measure) {
    const is = (experiment) => this.measure[experiment] === measure && this.decision[experiment] === "baseline";
    return this.experiments.findLast((experiment) => is(experiment) && hasValue(this, experiment)) ?? null;
  }

  // The running champions: one list of experiments for each measure, oldest first. Each begins at a baseline, and each
  // further one was confirmed and is better than the one before it; what was retracted counts no longer.
  bestLines(direction) {
    const sign = direction === "minimize" ? -1 : 1;
    const lines = new Map();
    for (const experiment of this.experiments) {
      const isBaseline = this.decision[experiment] === "baseline";
      if (!hasValue(this, experiment) || !(isBaseline || this.decision[experiment] === "confirmed")) continue;
      const line = lines.get(this.measure[experiment]) ?? [];
      const best = line.at(-1);
      if (best !== undefined && sign * (this.value[experiment] - this.value[best]) <= 0) continue;
      line.push(experiment);
      lines.set(this.measure[experiment], line);
    }
    return new Map([...lines].sort(([one], [other]) => one - other));
  }
}

function hasValue(points, experiment) {
  return Number.isFinite(points.value[experiment]);
}

function insertSorted(numbers, number) {
  if (numbers.length === 0 || number > numbers.at(-1)) {
    numbers.push(number);
    return;
  }
  numbers.splice(numbers.findLastIndex((other) => other < number) + 1, 0, number);
}

// The rows of a packed message. A column must begin at a multiple of its width, and the view may begin anywhere.
function unpackedRows(view) {
  const buffer = view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength);
  const count = buffer.byteLength < 4 ? 0 : new Uint32Array(buffer, 0, 1)[0];
  if (buffer.byteLength !== 4 + POINT_BYTES * count) {
    throw new Error(`points: ${count} experiments take ${4 + POINT_BYTES * count} bytes, found ${buffer.byteLength}`);
  }
  let offset = 4;
  const column = (Kind) => {
    const found = new Kind(buffer, offset, count);
    offset += found.byteLength;
    return found;
  };
  const experiments = column(Uint32Array);
  const [value, low, high] = [column(Float32Array), column(Float32Array), column(Float32Array)];
  const [measure, decision, state] = [column(Uint16Array), column(Uint8Array), column(Uint8Array)];
  return Array.from(experiments, (experiment, at) => ({
    experiment,
    value: value[at],
    low: low[at],
    high: high[at],
    measure: measure[at],
    decision: DECISIONS[decision[at]] ?? null,
    state: STATES[state[at]] ?? null,
  }));
}
