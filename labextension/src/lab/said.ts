import { Notification } from '@jupyterlab/apputils';

let last: string | null = null;

/**
 * Tell what came of a command. Jupyter shows three notifications and keeps the others unseen, so only the latest
 * of ours stays on the page; the earlier ones are found behind Jupyter's bell.
 */
export function say(
  text: string,
  type: 'success' | 'info' | 'error' = 'success',
  actions: Notification.IAction[] = []
): void {
  if (last !== null) {
    Notification.update({ id: last, autoClose: 1 });
  }
  const stays = type === 'error' || actions.length > 0;
  last = Notification.emit(text, type, { actions, autoClose: stays ? false : undefined });
}
