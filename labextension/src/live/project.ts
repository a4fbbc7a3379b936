import {
  Command,
  ICost,
  ICurves,
  IDirective,
  IMemory,
  IOutput,
  IParameter,
  ISettings,
  IStatus
} from '../api/shapes';
import { Answer } from './answer';
import { Connection, IChange } from './connection';
import { History } from './history';
import { Telling } from './telling';

const LIVE_MS = 2_000;

const OF_MEMORY = ['judged', 'reflected', 'noted', 'briefed', 'reject', 'sourced'];
const OF_DIRECTIVES = ['directive', 'proposed'];
const OF_SETTINGS = ['configure', 'sourced', 'answered', 'ended', 'proposed', 'try', 'approve', 'reject', 'worked'];
const OF_PARAMETERS = ['judged', 'sourced', 'branch'];

/** Everything that can be looked at of one project. Each answer is asked for only while somebody looks at it. */
export class Project {
  constructor(
    readonly id: string,
    private readonly _connection: Connection,
    private readonly _telling: Telling
  ) {
    const client = _connection.client;
    const path = `projects/${id}`;
    const live = (): number | null => (this.isLive ? LIVE_MS : null);
    this.status = new Answer(_connection, () => client.get<IStatus>(path), live);
    this.history = new History(_connection, path);
    this.memory = new Answer(_connection, () => client.get<IMemory>(`${path}/memory`));
    this.cost = new Answer(_connection, () => client.get<ICost>(`${path}/cost`));
    this.settings = new Answer(_connection, () => client.get<ISettings>(`${path}/settings`));
    this.parameters = new Answer(_connection, () => client.get<readonly IParameter[]>(`${path}/parameters`));
    this.directives = new Answer(
      _connection,
      async () => (await client.get<{ directives: readonly IDirective[] }>(`${path}/directives`)).directives
    );
    _connection.changed.connect(this._onChange, this);
  }

  readonly status: Answer<IStatus>;
  readonly history: History;
  readonly memory: Answer<IMemory>;
  readonly cost: Answer<ICost>;
  readonly settings: Answer<ISettings>;
  readonly parameters: Answer<readonly IParameter[]>;
  readonly directives: Answer<readonly IDirective[]>;

  /** Whether a run is live, as far as is known: its numbers change without events then. */
  get isLive(): boolean {
    return (this.status.value?.running.length ?? 0) > 0;
  }

  /** @returns the seq of the command's event. @throws {Refused} */
  tell(command: Command): Promise<number> {
    return this._telling.tell(this.id, command);
  }

  /** The curves of an experiment's shown run, or of one run; asked anew as they grow, while `isLive` answers true. */
  curves(experiment: number, query: { run?: string; metric?: string }, isLive: () => boolean): Answer<ICurves> {
    const path = `projects/${this.id}/experiments/${experiment}/metrics`;
    const question = (): Promise<ICurves> => this._connection.client.get(path, { ...query, points: 200 });
    return new Answer(this._connection, question, () => (isLive() ? LIVE_MS : null));
  }

  /** The last lines that a run prints; asked anew while `isLive` answers true. */
  output(experiment: number, run: string | null, chars: number, isLive: () => boolean): Answer<IOutput> {
    const path = `projects/${this.id}/experiments/${experiment}/output`;
    const question = (): Promise<IOutput> => this._connection.client.get(path, { run, chars });
    return new Answer(this._connection, question, () => (isLive() ? LIVE_MS : null));
  }

  /** One question about an experiment, such as `runs`, `diff` or `code`. @throws {Refused | Unreachable} */
  about<T>(experiment: number, what: string, query: Readonly<Record<string, number>> = {}): Promise<T> {
    const path = `projects/${this.id}/experiments/${experiment}/${what}`;
    return this._connection.ask(client => client.get<T>(path, query));
  }

  /** Something to be made of an experiment: `take` or `fork`. @throws {Refused | Unreachable} */
  make<T>(experiment: number, what: 'take' | 'fork'): Promise<T> {
    const path = `projects/${this.id}/experiments/${experiment}/${what}`;
    return this._connection.ask(client => client.post<T>(path, {}));
  }

  /** The experiments that a text is found in, the newest first. @throws {Refused | Unreachable} */
  search(text: string): Promise<{ experiments: readonly number[]; more: boolean }> {
    const path = `projects/${this.id}/search`;
    return this._connection.ask(client => client.get(path, { text, limit: 1000 }));
  }

  dispose(): void {
    this._connection.changed.disconnect(this._onChange, this);
    const answers = [this.status, this.history, this.memory, this.cost, this.settings, this.parameters];
    [...answers, this.directives].forEach(answer => answer.dispose());
  }

  private _onChange(_: Connection, change: IChange): void {
    if (change.project !== this.id) {
      return;
    }
    this.status.expire();
    this.history.expire();
    const among: readonly [readonly string[], { expire(): void }][] = [
      [OF_MEMORY, this.memory],
      [OF_DIRECTIVES, this.directives],
      [['answered'], this.cost],
      [OF_SETTINGS, this.settings],
      [OF_PARAMETERS, this.parameters]
    ];
    among.filter(([kinds]) => kinds.includes(change.kind)).forEach(([, answer]) => answer.expire());
  }
}
