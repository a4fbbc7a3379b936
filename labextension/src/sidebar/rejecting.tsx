import * as React from 'react';

import { IWaiting } from '../api/shapes';
import { Button, IDoing, Trouble } from '../parts/button';
import { Field } from '../parts/field';
import { useFirstFocus } from '../parts/blamed';
import { useSurroundings } from '../parts/surroundings';

/** Why not: the next THINK reads it. */
export function Rejecting(props: {
  waiting: IWaiting;
  isDecided: boolean;
  doing: IDoing;
  reason: string;
  write: (reason: string) => void;
  onCancel: () => void;
  onReject: () => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const form = React.useRef<HTMLDivElement>(null);
  const { hypothesis } = props.waiting;
  useFirstFocus(form);
  return (
    <div ref={form} role="group" aria-label={trans.__('Reject hypothesis %1', hypothesis)}>
      <Field label={trans.__('Why not? The next hypothesis is made with this in mind.')}>
        {ties => (
          <textarea
            {...ties}
            className="jp-mod-styled"
            rows={2}
            readOnly={props.isDecided}
            value={props.reason}
            onChange={event => props.doing.isBusy || props.write(event.target.value)}
          />
        )}
      </Field>
      {!props.isDecided && (
        <>
          <Trouble doing={props.doing} />
          <div className="jp-DeepResearch-buttons">
            <Button
              kind="warn"
              label={trans.__('Reject hypothesis %1', hypothesis)}
              isBusy={props.doing.isBusy}
              onClick={props.onReject}
            >
              {trans.__('Reject')}
            </Button>
            <Button label={trans.__('Keep hypothesis %1', hypothesis)} onClick={props.onCancel}>
              {trans.__('Keep')}
            </Button>
          </div>
        </>
      )}
    </div>
  );
}
