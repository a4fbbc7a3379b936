import { TranslationBundle } from '@jupyterlab/translation';

import { Commands, NO_ARGUMENTS } from '../ids';
import { hasPutOff, review } from '../live/later';
import { ILab } from './lab';

/** What a key does on the card that has the focus; each presses the card's own button. */
type Does = 'approve' | 'edit' | 'reject' | 'later' | 'showChange';

/** The commands behind the cards' keys, and a look at what was put off when it is edited. */
export function addCards(lab: ILab): void {
  const { trans } = lab.surroundings;
  (Object.entries(labels(trans)) as [Does, string][]).forEach(([does, label]) => {
    lab.app.commands.addCommand(Commands[does], {
      label,
      describedBy: NO_ARGUMENTS,
      isEnabled: () => button(does) !== null,
      execute: () => button(does)?.click()
    });
  });
  takeUpEdited(lab);
}

function labels(trans: TranslationBundle): Record<Does, string> {
  return {
    approve: trans.__('Approve the hypothesis'),
    edit: trans.__('Edit the hypothesis'),
    reject: trans.__('Reject the hypothesis...'),
    later: trans.__('Put the hypothesis off'),
    showChange: trans.__('Show or hide the change of the hypothesis')
  };
}

function button(does: Does): HTMLElement | null {
  const card = document.activeElement?.closest('.jp-DeepResearch-card') ?? null;
  return card?.querySelector<HTMLElement>(`button[data-does="${does}"]`) ?? null;
}

/** An edited hypothesis is no longer put off, also while its card is not drawn. */
function takeUpEdited(lab: ILab): void {
  const { connection, project } = lab.surroundings;
  connection.changed.connect((_, change) => {
    if (change.kind !== 'edit' || !hasPutOff(change.project)) {
      return;
    }
    const { status } = project(change.project);
    const stop = status.watch();
    const look = (): void => {
      status.changed.disconnect(look);
      stop();
      if (status.value !== null) {
        review(change.project, status.value.waiting);
      }
    };
    status.changed.connect(look);
  });
}
