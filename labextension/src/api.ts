import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

/** A measured result of a project: its champion or its baseline. */
export interface IResult {
  experiment: number;
  value: number;
  /** The 95 % interval, low and high; null below two seeds. */
  interval: [number, number] | null;
  seeds: number;
}

export type ProjectState = 'failed' | 'finished' | 'stopped' | 'paused' | 'running' | 'waiting_approval';

/** A project's status, as far as the sidebar shows it. */
export interface IProject {
  id: string;
  project: string;
  path: string;
  state: ProjectState;
  /** One sentence: what is happening and why. */
  reason: string;
  cycle: number;
  champion: IResult | null;
  baseline: IResult | null;
}

/** The event that says that a project has changed; its body is {project, seq, kind}. */
export const CHANGED = 'https://jupyter_deepresearch.dev/events/changed/v1';

/**
 * The projects that the server knows.
 *
 * @throws {Error} with one readable line, when the server is away or refuses.
 */
export async function fetchProjects(settings: ServerConnection.ISettings): Promise<IProject[]> {
  const url = URLExt.join(settings.baseUrl, 'deepresearch', 'api', 'projects');
  const response = await ServerConnection.makeRequest(url, {}, settings);
  if (!response.ok) {
    throw new Error(await explain(response));
  }
  return (await response.json()) as IProject[];
}

/** The server's own words where it has any, else its status line. */
async function explain(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    if (typeof body.message === 'string' && body.message) {
      return body.message;
    }
  } catch {
    // Not ours: a proxy's page, for instance. The status line says enough.
  }
  return `${response.status} ${response.statusText}`;
}
