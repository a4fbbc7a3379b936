/** What the server answers, as JSON. On the Python side each shape is a dataclass of `service/views.py` or near it. */

export type ProjectState = 'failed' | 'finished' | 'stopped' | 'paused' | 'running' | 'waiting_approval';

export type RunState =
  | 'pending'
  | 'running'
  | 'succeeded'
  | 'crashed'
  | 'diverged'
  | 'stalled'
  | 'timed_out'
  | 'out_of_memory'
  | 'pruned'
  | 'cancelled'
  | 'lost'
  | 'invalid';

export type Decision =
  | 'baseline'
  | 'promising'
  | 'confirmed'
  | 'retracted'
  | 'worse'
  | 'inconclusive'
  | 'failed'
  | 'rejected';

export type Direction = 'maximize' | 'minimize';
export type Kind = 'baseline' | 'parameters' | 'code' | 'sweep' | 'by_hand';
export type Purpose = 'baseline' | 'candidate' | 'confirm' | 'reproduce' | 'dry_run';
export type Value = boolean | number | string | null;
export type Values = Readonly<Record<string, Value>>;
export type Interval = readonly [low: number, high: number];

/** A measured result: a champion or a baseline. `interval` is the 95 % one, null below two seeds. */
export interface IRank {
  experiment: number;
  value: number;
  interval: Interval | null;
  seeds: number;
  /** The executed notebook, relative to the project's folder. */
  notebook: string | null;
  claim: string;
}

/** One project in the list of all. `usd_today` is null where calls had no known price. */
export interface IOverview {
  id: string;
  project: string;
  path: string;
  /** The folder relative to the server's root. */
  place: string | null;
  seq: number;
  state: ProjectState;
  /** One sentence: what is happening and why. */
  reason: string;
  cycle: number;
  cycles: number | null;
  metric: string;
  direction: Direction;
  baseline: IRank | null;
  champion: IRank | null;
  waiting: readonly number[];
  running: readonly number[];
  usd_today: number | null;
  calls_today: number;
  /** The values of the latest experiments, oldest first; null where one has none. */
  spark: readonly (number | null)[];
}

export interface IObjective {
  metric: string;
  direction: Direction;
  min_delta: number;
  target: number | null;
  value: string;
  constraints: readonly string[];
}

export interface IResources {
  /** Of one core. */
  cpu_percent: number | null;
  memory_bytes: number | null;
  gpu_percent: number | null;
  gpu_memory_bytes: number | null;
}

/** A live run. */
export interface IRun {
  run: string;
  experiment: number;
  purpose: Purpose;
  seed: number;
  pid: number | null;
  kernel_pid: number | null;
  elapsed_s: number | null;
  latest: { step: number | null; values: Readonly<Record<string, number | null>> } | null;
  note: string;
  remaining_s: number | null;
  resources: IResources | null;
}

/** One search-and-replace in a cell (by its id) or a file (by its path). */
export interface IEdit {
  search: string;
  replace: string;
  cell: string | null;
  file: string | null;
}

export interface INearest {
  experiment: number;
  claim: string;
  decision: Decision;
  value: number | null;
}

/** A hypothesis that waits for a person. */
export interface IWaiting {
  hypothesis: number;
  claim: string;
  rationale: string;
  expected: string;
  kind: Kind;
  parent: number | null;
  parameters: Values;
  /** What the parent runs with, for the names in `parameters`. */
  before: Values;
  edits: readonly IEdit[];
  estimate: { minutes: number | null; usd: number | null; basis: string };
  nearest: INearest | null;
  sweep: { trials: number; space: readonly string[] } | null;
  /** Since when it waits, and when it is approved by itself (null: never); seconds since 1970. */
  at: number;
  approved_at: number | null;
}

export interface IUsage {
  calls: number;
  tokens_in: number;
  tokens_out: number;
  usd: number | null;
}

export interface IStatus {
  id: string;
  project: string;
  path: string;
  place: string | null;
  seq: number;
  state: ProjectState;
  reason: string;
  stop_reason: string | null;
  cycle: number;
  cycles: number | null;
  objective: IObjective;
  baseline: IRank | null;
  champion: IRank | null;
  /** The experiment that hypotheses grow from by a person's wish; null: from the champion. */
  branch: number | null;
  running: readonly IRun[];
  waiting: readonly IWaiting[];
  usage: IUsage & { by_phase: Readonly<Record<string, IUsage>> };
  memory: { brief_chars: number; log_chars: number; limit_chars: number };
  space: readonly string[];
  remarks: readonly string[];
}

/** Experiments as columns of equal length: all that changed after some seq, up to `seq`. */
export interface IPoints {
  seq: number;
  experiment: readonly number[];
  value: readonly (number | null)[];
  low: readonly (number | null)[];
  high: readonly (number | null)[];
  decision: readonly (Decision | null)[];
  state: readonly RunState[];
  measure: readonly number[];
  parent: readonly (number | null)[];
}

/** One row of the history. */
export interface IExperiment {
  experiment: number;
  cycle: number | null;
  parent: number | null;
  claim: string;
  kind: Kind;
  parameters: Values;
  edits: readonly IEdit[];
  state: RunState;
  decision: Decision | null;
  value: number | null;
  interval: Interval | null;
  seeds: number;
  elapsed_s: number | null;
  usd: number | null;
  notebook: string | null;
  reason: string | null;
  measure: number;
  /** Its value minus that of the champion it was judged against. */
  delta: number | null;
}

/** One run of an experiment. Moments are seconds since 1970. */
export interface IRunFacts {
  run: string;
  purpose: Purpose;
  seed: number;
  attempt: number;
  state: RunState;
  value: number | null;
  elapsed_s: number | null;
  gpu_s: number | null;
  peak_memory_bytes: number | null;
  error: string | null;
  rule: string | null;
  notebook: string | null;
  notes: readonly string[];
  environment: Readonly<Record<string, string>>;
  started_at: number | null;
  ended_at: number | null;
}

export interface ICurves {
  run: string;
  series: Readonly<Record<string, readonly (readonly [step: number, value: number | null])[]>>;
}

/** The changed lines of one cell or file as a unified diff without its header. */
export interface IHunk {
  place: string;
  lines: readonly string[];
}

/** What makes experiment `after` of `before`; `before` is null for the person's own notebook. */
export interface IChanges {
  before: number | null;
  after: number;
  changes: readonly IHunk[];
}

/** The same with whole texts; null where a side has no such place. */
export interface ICode {
  before: number | null;
  after: number;
  places: readonly { place: string; kind: 'cell' | 'file'; before: string | null; after: string | null }[];
  unchanged: number;
}

export interface IOutput {
  run: string | null;
  text: string;
}

export interface IMemory {
  brief: string;
  log: string;
  notes: string;
  brief_limit_chars: number;
  log_limit_chars: number;
  entered: readonly string[];
  changed: readonly string[];
  dropped: readonly string[];
}

export interface IDirective {
  seq: number;
  at: number;
  text: string;
  unread: boolean;
}

export interface IBudget {
  key: string;
  limit: number | null;
  spent: number | null;
}

export interface ISettings {
  approval: { mode: 'auto' | 'ask'; auto_after_minutes: number | null };
  budgets: readonly IBudget[];
  researcher: { kind: string; sentence: string };
  max_parallel: number;
  seeds: number;
}

export interface ISpent extends IUsage {
  tokens_cached: number;
  unpriced_calls: number;
  latency_s: number | null;
}

export interface ICost extends ISpent {
  by_phase: Readonly<Record<string, ISpent>>;
  by_day: Readonly<Record<string, ISpent>>;
  by_model: Readonly<Record<string, ISpent>>;
  calls_while_training: number;
  calls_about_live_runs: number;
  budgets: readonly { key: string; limit: number; spent: number | null; left: number | null }[];
}

/** A line of the parameters cell; `own` is its value in the person's notebook, `range` what is searched, in words. */
export interface IParameter {
  name: string;
  value: Value;
  own: Value;
  range: string | null;
}

/** What the start form begins with. */
export interface IGuess {
  place: string;
  notebook: string;
  project: string | null;
  metrics: readonly { name: string; direction: Direction }[];
  metric: string | null;
  direction: Direction | null;
  approval: 'auto' | 'ask' | null;
  cycles: number | null;
  hours: number | null;
  usd: number | null;
  brief: string;
  researcher: { kind: string | null; sentence: string };
  kernel: string | null;
  space: readonly string[];
  remarks: readonly string[];
}

export interface ITaken {
  experiment: number;
  folder: string;
  notebook: string;
  files: readonly string[];
  patch: string | null;
  notes: readonly string[];
  /** The folder relative to the server's root. */
  place: string | null;
}

export interface IFork {
  experiment: number;
  notebook: string;
  /** The notebook relative to the server's root. */
  place: string | null;
  notes: readonly string[];
}

export interface IGpu {
  index: number;
  name: string;
  uuid: string;
  memory_total_bytes: number;
  memory_used_bytes: number;
  utilisation_percent: number | null;
  is_ours: boolean;
  is_free: boolean;
  holders: readonly string[];
  leased_by: string | null;
}

/** Everything that may be told to a project. A hypothesis has the number of the experiment that it becomes. */
export type Command =
  | { kind: 'approve'; hypothesis: number }
  | { kind: 'reject'; hypothesis: number; reason?: string }
  | { kind: 'edit'; hypothesis: number; claim?: string; parameters?: Values; edits?: readonly IEdit[] }
  | { kind: 'try'; parameters?: Values; notebook?: string; claim?: string }
  | { kind: 'directive'; text: string }
  | { kind: 'cancel'; run: string }
  | { kind: 'reproduce'; experiment: number; seeds: number }
  | { kind: 'branch'; experiment: number | null }
  | { kind: 'configure'; approval?: object; budget?: object }
  | { kind: 'pause' }
  | { kind: 'resume' }
  | { kind: 'stop' };
