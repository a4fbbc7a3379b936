import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';

const TIMEOUT_MS = 30_000;

/** The server understood and said no; the message is one readable line. */
export class Refused extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** A stable word for programs, such as `already_decided`. */
    readonly reason: string,
    /** The one key of the configuration that is to blame, such as `budget.cycles`. */
    readonly key: string | null
  ) {
    super(message);
    this.name = 'Refused';
  }
}

/** No answer: the server is away or starting, or a proxy cannot reach it. The same request may be sent again. */
export class Unreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'Unreachable';
  }
}

/** The REST routes of the server extension. */
export class Client {
  constructor(private readonly _settings: ServerConnection.ISettings) {}

  /**
   * @param path below `/deepresearch/api/`.
   * @throws {Refused | Unreachable}
   */
  get<T>(path: string, query: Readonly<Record<string, string | number | null | undefined>> = {}): Promise<T> {
    const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
    const asked = given.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&');
    return this._ask<T>(asked ? `${path}?${asked}` : path, {});
  }

  /** @throws {Refused | Unreachable} */
  post<T>(path: string, body: object): Promise<T> {
    return this._ask<T>(path, { method: 'POST', body: JSON.stringify(body) });
  }

  private async _ask<T>(path: string, init: RequestInit): Promise<T> {
    const url = URLExt.join(this._settings.baseUrl, 'deepresearch', 'api', path);
    const aborting = new AbortController();
    const timer = window.setTimeout(() => aborting.abort(), TIMEOUT_MS);
    try {
      const response = await ServerConnection.makeRequest(url, { ...init, signal: aborting.signal }, this._settings);
      const text = await response.text();
      if (response.ok) {
        return JSON.parse(text) as T;
      }
      throw refusal(response, text);
    } catch (error) {
      if (error instanceof Refused || error instanceof Unreachable) {
        throw error;
      }
      throw new Unreachable(aborting.signal.aborted ? 'no answer in 30 seconds' : String((error as Error).message));
    } finally {
      window.clearTimeout(timer);
    }
  }
}

/** The server's own words where it has any, else its status line. */
function refusal(response: Response, text: string): Refused | Unreachable {
  const said = parsed(text);
  const message = typeof said.message === 'string' && said.message ? said.message : null;
  const line = message ?? `${response.status} ${response.statusText}`;
  // 502 to 504 without words of ours come from a proxy before a server that is away; our own 503 has words.
  if (message === null && response.status >= 502 && response.status <= 504) {
    return new Unreachable(line);
  }
  const reason = typeof said.reason === 'string' ? said.reason : '';
  return new Refused(line, response.status, reason, typeof said.key === 'string' ? said.key : null);
}

function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {}; // A proxy's page, for instance.
  }
}
