import * as React from 'react';

import { IExperiment } from '../api/shapes';
import { Project } from '../live/project';
import { Button } from '../parts/button';
import { useSurroundings } from '../parts/surroundings';
import { experimentMark } from '../text/words';

/** Somebody else was first: what was decided, and a way to put the card away. */
export function Decided(props: { project: Project; hypothesis: number; onDismiss: () => void }): JSX.Element {
  const { trans, connection } = useSurroundings();
  const { project, hypothesis } = props;
  const [found, find] = React.useState<IExperiment | null>(null);
  React.useEffect(() => {
    let isOver = false;
    const path = `projects/${project.id}/experiments/${hypothesis}`;
    void connection.ask(client => client.get<IExperiment>(path)).then(
      row => isOver || find(row),
      () => undefined // That it is decided is said all the same.
    );
    return () => {
      isOver = true;
    };
  }, [project, hypothesis]);
  return (
    <div className="jp-DeepResearch-decided">
      <p role="status">{sentence()}</p>
      <Button label={trans.__('Dismiss hypothesis %1', hypothesis)} onClick={props.onDismiss}>
        {trans.__('Dismiss')}
      </Button>
    </div>
  );

  function sentence(): string {
    if (found === null) {
      return trans.__('Already decided.');
    }
    if (found.decision === 'rejected') {
      return trans.__('Already decided: it was rejected. %1', found.reason ?? '');
    }
    const { word } = experimentMark(found.decision, found.state, trans);
    return trans.__('Already decided: it was approved, and is %1 now.', word);
  }
}
