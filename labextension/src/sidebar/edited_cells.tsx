import * as React from 'react';

import { IEdit, IWaiting } from '../api/shapes';
import { useHandedOn } from '../parts/blamed';
import { Button } from '../parts/button';
import { Field } from '../parts/field';
import { useSurroundings } from '../parts/surroundings';
import { IBlame } from '../text/blame';

type Replaces = readonly (string | null)[];

/** Each edit of a cell or file: what stands there, and what it becomes, to be typed over or left out. */
export function EditedCells(props: {
  waiting: IWaiting;
  isDecided: boolean;
  edited: { edits: readonly IEdit[]; replaces: Replaces };
  error: string | null;
  blame: IBlame;
  onChange: (replaces: Replaces) => void;
}): JSX.Element {
  const { edits, replaces } = props.edited;
  const put = (index: number, text: string | null): void =>
    props.onChange(replaces.map((other, i) => (i === index ? text : other)));
  const { trans } = useSurroundings();
  const isOwn = props.waiting.kind === 'by_hand' && edits.length > 0;
  return (
    <>
      {isOwn && <p>{trans.__('These changes are yours, made in the files: change them there.')}</p>}
      {edits.map((edit, index) => (
        <OneEdit
          key={index}
          number={index + 1}
          edit={edit}
          text={replaces[index]}
          isFixed={props.isDecided || isOwn}
          error={props.blame.place === where(edit) ? props.error : null}
          onChange={text => put(index, text)}
        />
      ))}
    </>
  );
}

/** The place in the server's words. */
function where(edit: IEdit): string {
  return edit.cell !== null ? `cell ${edit.cell}` : `file ${edit.file}`;
}

function OneEdit(props: {
  number: number;
  edit: IEdit;
  text: string | null;
  isFixed: boolean;
  error: string | null;
  onChange: (text: string | null) => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const { edit, text } = props;
  const whole = React.useRef<HTMLDivElement>(null);
  useHandedOn(() => whole.current?.querySelector('button'), String(text === null));
  const name = trans.__('Change %1, %2', props.number, where(edit));
  const rows = Math.min(14, Math.max(2, (text ?? '').split('\n').length));
  return (
    <div className="jp-DeepResearch-edit" ref={whole}>
      <p>{name}</p>
      <pre
        className="jp-DeepResearch-old"
        tabIndex={0}
        role="group"
        aria-label={trans.__('%1: what stands there', name)}
      >
        {edit.search}
      </pre>
      {text !== null && (
        <Field label={trans.__('Change %1 becomes', props.number)} error={props.error}>
          {ties => (
            <textarea
              {...ties}
              className="jp-mod-styled jp-DeepResearch-code"
              rows={rows}
              spellCheck={false}
              readOnly={props.isFixed}
              value={text}
              onChange={event => props.onChange(event.target.value)}
            />
          )}
        </Field>
      )}
      {!props.isFixed && text !== null && (
        <Button label={trans.__('Leave out change %1', props.number)} onClick={() => props.onChange(null)}>
          {trans.__('Leave out')}
        </Button>
      )}
      {!props.isFixed && text === null && (
        <>
          <p>{trans.__('It is left out: this stays as it is.')}</p>
          <Button
            label={trans.__('Take in again change %1', props.number)}
            onClick={() => props.onChange(edit.replace)}
          >
            {trans.__('Take in again')}
          </Button>
        </>
      )}
    </div>
  );
}
