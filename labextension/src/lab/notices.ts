import { Notification } from '@jupyterlab/apputils';

import { Commands, PLUGIN } from '../ids';
import { IOverview, IStatus } from '../api/shapes';
import { due, onDue } from './due';
import { ILab } from './lab';

const SHOWN_CHARS = 80;

/** So many lie over the page and say the claim; more are kept in Jupyter's list of notifications. */
const TOASTS = 4;

/** What was said last of a project: the hypotheses, and the notification while it is there. */
interface ISaid {
  id: string;
  hypotheses: readonly number[];
}

/** One notification a project as long as hypotheses of it wait for the person, unless the settings say otherwise. */
export function addNotices(lab: ILab): void {
  const notices = new Notices(lab);
  onDue(lab.surroundings, () => notices.update());
  lab.settings?.load(PLUGIN).then(
    settings => {
      const read = (): void => notices.allow(settings.composite['notifications'] !== false);
      settings.changed.connect(read);
      read();
    },
    () => notices.allow(true)
  );
}

class Notices {
  constructor(private readonly _lab: ILab) {
    this._isAllowed = _lab.settings === null; // else as soon as the settings say so
  }

  allow(isAllowed: boolean): void {
    this._isAllowed = isAllowed;
    this.update();
  }

  update(): void {
    const rows = this._lab.surroundings.projects.all ?? [];
    const wanted = new Map(rows.map(row => [row.id, this._isAllowed ? due(row) : []] as const));
    [...this._said].filter(([project]) => (wanted.get(project)?.length ?? 0) === 0).forEach(([project, said]) => {
      Notification.dismiss(said.id);
      this._said.delete(project);
    });
    rows.filter(row => this._isAllowed && due(row).length > 0).forEach(row => this._say(row));
  }

  private _say(row: IOverview): void {
    const said = this._said.get(row.id);
    const hypotheses = due(row);
    if (said !== undefined && said.hypotheses.join() === hypotheses.join()) {
      return;
    }
    const message = this._message(row, hypotheses);
    const isNews = said === undefined || hypotheses.some(number => !said.hypotheses.includes(number));
    if (said !== undefined && Notification.manager.has(said.id)) {
      Notification.update({ id: said.id, message });
      this._said.set(row.id, { id: said.id, hypotheses });
    } else if (isNews) {
      // One that the person has closed comes back for another hypothesis alone.
      this._said.set(row.id, { id: Notification.info(message, this._options(row)), hypotheses });
    }
    if (hypotheses.length === 1 && this._said.size <= TOASTS) {
      void this._addClaim(row, hypotheses[0], message);
    }
  }

  private _options(row: IOverview): Notification.IOptions<string> {
    const { trans } = this._lab.surroundings;
    const { commands } = this._lab.app;
    const show = {
      label: trans.__('Show'),
      caption: trans.__('Show what waits in the sidebar'),
      displayType: 'accent' as const,
      callback: () => void commands.execute(Commands.open, { project: row.id }).then(showWaiting)
    };
    return { autoClose: this._said.size < TOASTS ? false : 0, actions: [show] };
  }

  private _message(row: IOverview, hypotheses: readonly number[]): string {
    const { trans } = this._lab.surroundings;
    return trans._n(
      '%2: hypothesis %3 is waiting for you',
      '%2: %1 hypotheses are waiting for you (%3)',
      hypotheses.length,
      row.project,
      hypotheses.map(number => `#${number}`).join(', ')
    );
  }

  /** An only hypothesis is named by its claim, which the list of projects does not have. */
  private async _addClaim(row: IOverview, hypothesis: number, message: string): Promise<void> {
    const { connection } = this._lab.surroundings;
    try {
      const status = await connection.ask(client => client.get<IStatus>(`projects/${row.id}`));
      const claim = status.waiting.find(waiting => waiting.hypothesis === hypothesis)?.claim;
      const said = this._said.get(row.id);
      if (claim !== undefined && said?.hypotheses.join() === String(hypothesis)) {
        Notification.update({ id: said.id, message: `${message}: ${shortened(claim)}` });
      }
    } catch {
      // The notice says the number; the sidebar says what is the matter with the server.
    }
  }

  private readonly _said = new Map<string, ISaid>();
  private _isAllowed: boolean;
}

/** What waits comes into sight with the focus on its heading, unfolded. */
function showWaiting(): void {
  window.requestAnimationFrame(() => {
    const heading = document.getElementById('jp-DeepResearch-section-waiting');
    if (heading?.getAttribute('aria-expanded') === 'false') {
      heading.click();
    }
    heading?.focus({ preventScroll: true });
    heading?.scrollIntoView({ block: 'start' });
  });
}

function shortened(claim: string): string {
  return claim.length > SHOWN_CHARS ? `${claim.slice(0, SHOWN_CHARS - 1)}…` : claim;
}
