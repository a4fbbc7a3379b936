import * as React from 'react';

import { Command, IEdit, IWaiting, Values } from '../api/shapes';
import { signature } from '../live/later';
import { Project } from '../live/project';
import { Button, Complaint, IDoing } from '../parts/button';
import { Field } from '../parts/field';
import { useBlamedFocus, useFirstFocus } from '../parts/blamed';
import { useSurroundings } from '../parts/surroundings';
import { blamed, isOfNone } from '../text/blame';
import { typed, understood } from '../text/values';
import { EditedCells } from './edited_cells';
import { EditedParameters } from './edited_parameters';

/** What a person has made of a hypothesis so far, not sent yet. */
export interface IEdited {
  /** How it read when the edit began. */
  on: string;
  claim: string;
  /** As text, by name. */
  parameters: Readonly<Record<string, string>>;
  /** The edits of cells and files as they were when the edit began. */
  edits: readonly IEdit[];
  /** What each of these puts in; null where it is left out. */
  replaces: readonly (string | null)[];
}

/** The form as it opens. */
export function opened(waiting: IWaiting): IEdited {
  const texts = Object.entries(waiting.parameters).map(([name, value]) => [name, typed(value)]);
  return {
    on: signature(waiting),
    claim: waiting.claim,
    parameters: Object.fromEntries(texts),
    edits: waiting.edits,
    replaces: waiting.edits.map(edit => edit.replace)
  };
}

/** The claim, the parameters and the edits of a hypothesis as fields. */
export function Editing(props: {
  project: Project;
  waiting: IWaiting;
  isDecided: boolean;
  edited: IEdited;
  doing: IDoing;
  write: (edited: IEdited) => void;
  onCancel: () => void;
  /** Null where nothing differs from what waits. */
  onTell: (command: Command | null, isApproved: boolean) => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const { waiting, edited, doing, isDecided } = props;
  const form = React.useRef<HTMLDivElement>(null);
  const message = doing.error?.message ?? null;
  const blame = blamed(message ?? '');
  const write = (change: Partial<IEdited>): void => {
    if (!doing.isBusy) {
      props.write({ ...edited, ...change }); // it would be forgotten with what is sent
    }
  };
  useFirstFocus(form);
  useBlamedFocus(form, message);
  const tell = (isApproved: boolean): void => props.onTell(edit(waiting, edited), isApproved);
  return (
    <div ref={form} role="group" aria-label={trans.__('Edit hypothesis %1', waiting.hypothesis)}>
      {edited.on !== signature(waiting) && !isDecided && (
        <p className="jp-DeepResearch-hint">{trans.__('It was changed meanwhile; your fields are of before.')}</p>
      )}
      <Field label={trans.__('Claim')} error={blame.field === 'claim' ? message : null}>
        {ties => (
          <textarea
            {...ties}
            className="jp-mod-styled"
            rows={3}
            readOnly={isDecided}
            value={edited.claim}
            onChange={event => write({ claim: event.target.value })}
          />
        )}
      </Field>
      <EditedParameters {...props} error={message} blame={blame} onChange={parameters => write({ parameters })} />
      <EditedCells {...props} error={message} blame={blame} onChange={replaces => write({ replaces })} />
      {message !== null && !isDecided && isOfNone(blame) && <Complaint text={message} />}
      {!isDecided && <Buttons {...props} onSend={tell} />}
    </div>
  );
}

function Buttons(props: {
  waiting: IWaiting;
  doing: IDoing;
  onCancel: () => void;
  onSend: (isApproved: boolean) => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const n = props.waiting.hypothesis;
  const { isBusy } = props.doing;
  return (
    <div className="jp-DeepResearch-buttons">
      <Button
        kind="accept"
        label={trans.__('Approve as edited: hypothesis %1', n)}
        isBusy={isBusy}
        onClick={() => props.onSend(true)}
      >
        {trans.__('Approve as edited')}
      </Button>
      <Button
        label={trans.__('Save hypothesis %1 and let it wait', n)}
        isBusy={isBusy}
        onClick={() => props.onSend(false)}
      >
        {trans.__('Save')}
      </Button>
      <Button label={trans.__('Cancel the edit of hypothesis %1', n)} onClick={props.onCancel}>
        {trans.__('Cancel')}
      </Button>
    </div>
  );
}

/** The command that says what differs; null where nothing does. */
function edit(waiting: IWaiting, edited: IEdited): Command | null {
  const parameters = values(waiting, edited.parameters);
  const edits = replaced(edited.edits, edited.replaces);
  const changes = {
    ...(edited.claim !== waiting.claim && { claim: edited.claim }),
    ...(JSON.stringify(parameters) !== JSON.stringify(waiting.parameters) && { parameters }),
    ...(JSON.stringify(edits) !== JSON.stringify(waiting.edits) && { edits })
  };
  return Object.keys(changes).length === 0 ? null : { kind: 'edit', hypothesis: waiting.hypothesis, ...changes };
}

function values(waiting: IWaiting, texts: Readonly<Record<string, string>>): Values {
  const { parameters, before } = waiting;
  const value = (name: string, text: string): Values[string] =>
    name in parameters && text === typed(parameters[name])
      ? parameters[name]
      : understood(text, before[name] ?? parameters[name]);
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, value(name, text)]));
}

function replaced(edits: readonly IEdit[], replaces: readonly (string | null)[]): readonly IEdit[] {
  return edits.flatMap((edit, index) => {
    const replace = replaces[index];
    return replace === null ? [] : [{ ...edit, replace }];
  });
}
