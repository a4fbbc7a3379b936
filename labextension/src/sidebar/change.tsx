import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { IChanges, IHunk, IWaiting } from '../api/shapes';
import { signature } from '../live/later';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Hunks } from '../parts/hunks';
import { useSignal, useSurroundings } from '../parts/surroundings';

const FEW_LINES = 12;

/** The changed lines of cells and files: asked for at once where the code changes, else when they are wanted. */
export function Change(props: { project: Project; waiting: IWaiting }): JSX.Element {
  const { trans } = useSurroundings();
  const { waiting } = props;
  const hasCode = waiting.edits.length > 0;
  const [wanted, want] = React.useState<boolean | null>(null);
  const { changes, error } = useChanges(props.project, waiting, hasCode || wanted === true);
  const count = (changes ?? []).reduce((sum, change) => sum + change.lines.filter(isChanged).length, 0);
  const isOpen = wanted ?? (hasCode && count <= FEW_LINES);
  const n = waiting.hypothesis;
  const hide = trans.__('Hide the change of hypothesis %1', n);
  const show = trans.__('Show the change of hypothesis %1', n);
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <div className="jp-DeepResearch-change">
      <button
        type="button"
        className="jp-DeepResearch-plain"
        aria-label={isOpen ? hide : show}
        aria-expanded={isOpen}
        title={trans.__('The changed lines (key D on the card)')}
        data-does="showChange"
        onClick={() => want(!isOpen)}
      >
        <Caret.react tag="span" className="jp-DeepResearch-caret" />
        {isOpen ? trans.__('Hide the change') : trans.__('Show the change')}
      </button>
      {changes !== null && hasCode && (
        <span className="jp-DeepResearch-hint"> {trans._n('%1 line', '%1 lines', count)}</span>
      )}
      {isOpen && error !== null && <Complaint text={error} />}
      {isOpen && error === null && changes === null && <p>{trans.__('Reading the change...')}</p>}
      {isOpen && changes?.length === 0 && <p>{trans.__('Its cells and files are those of its parent.')}</p>}
      {isOpen && changes !== null && <Hunks changes={changes} label={trans.__('Hypothesis %1', n)} />}
    </div>
  );
}

function isChanged(line: string): boolean {
  return line.startsWith('+') || line.startsWith('-');
}

/** Asked for again when the hypothesis reads otherwise, and once a lost server is back. */
function useChanges(
  project: Project,
  waiting: IWaiting,
  isWanted: boolean
): { changes: readonly IHunk[] | null; error: string | null } {
  const { connection } = useSurroundings();
  useSignal(connection.troubled);
  const [changes, take] = React.useState<readonly IHunk[] | null>(null);
  const [error, complain] = React.useState<string | null>(null);
  const isThere = connection.trouble === null;
  React.useEffect(() => {
    let isOver = !isWanted || !isThere;
    if (!isOver) {
      project.about<IChanges>(waiting.hypothesis, 'diff').then(
        found => isOver || (take(found.changes), complain(null)),
        reason => isOver || complain((reason as Error).message)
      );
    }
    return () => {
      isOver = true;
    };
  }, [project, signature(waiting), isWanted, isThere]);
  return { changes, error };
}
