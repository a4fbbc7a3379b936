import * as React from 'react';

import { IParameter, Values } from '../api/shapes';
import { Project } from '../live/project';
import { Button, Complaint, useDoing } from '../parts/button';
import { useForm } from '../parts/draft';
import { Field, useId } from '../parts/field';
import { useBlamedFocus } from '../parts/blamed';
import { Section } from '../parts/section';
import { useAnswer, useSurroundings } from '../parts/surroundings';
import { blamed, IBlame, isOfNone } from '../text/blame';
import { written } from '../text/figures';
import { typed, understood } from '../text/values';
import { useNotebooks } from './notebooks';

interface IIdea {
  claim: string;
  notebook: string;
  parameters: Readonly<Record<string, string>>;
}

const NOTHING: IIdea = { claim: '', notebook: '', parameters: {} };

/** A hypothesis of one's own: other values, another notebook of the folder, or both. It runs next. */
export function Trying(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="trying" title={trans.__('Try an idea')} isOpenAtFirst={false}>
      <Idea project={props.project} />
    </Section>
  );
}

function Idea(props: { project: Project }): JSX.Element {
  const { trans, projects } = useSurroundings();
  const { project } = props;
  const [form, write, forget] = useForm<IIdea>(`${project.id}:try`);
  const [said, say] = React.useState('');
  const doing = useDoing();
  const whole = React.useRef<HTMLDivElement>(null);
  const known = useAnswer(project.parameters);
  const idea = form ?? NOTHING;
  const put = (change: Partial<IIdea>): void => {
    if (!doing.isBusy) {
      say('');
      write({ ...idea, ...change });
    }
  };
  const message = doing.error?.message ?? null;
  const blame = blamed(message ?? '', idea.notebook.trim());
  useBlamedFocus(whole, message);
  const values = changed(idea, known ?? []);
  const tell = async (): Promise<void> => {
    const rest = { ...(idea.claim.trim() && { claim: idea.claim.trim() }) };
    const notebook = idea.notebook.trim() ? { notebook: idea.notebook.trim() } : {};
    if (await doing.run(() => project.tell({ kind: 'try', parameters: values, ...notebook, ...rest }))) {
      forget();
      const isAtRest = projects.get(project.id)?.state !== 'running';
      say(isAtRest ? trans.__('It runs next, once the research goes on.') : trans.__('It runs next.'));
    }
  };
  return (
    <div ref={whole} role="group" aria-label={trans.__('Try an idea')} className="jp-DeepResearch-trying">
      <p className="jp-DeepResearch-hint">{trans.__('What is left empty runs as it does now.')}</p>
      <TriedParameters {...{ known, idea, blame, message, put }} error={project.parameters.error} />
      <Field label={trans.__('Claim (optional)')} error={blame.field === 'claim' ? message : null}>
        {ties => (
          <textarea
            {...ties}
            className="jp-mod-styled"
            rows={2}
            value={idea.claim}
            onChange={event => put({ claim: event.target.value })}
          />
        )}
      </Field>
      <TriedNotebook {...{ project, idea, put }} error={blame.field === 'notebook' ? message : null} />
      {message !== null && isOfNone(blame) && <Complaint text={message} />}
      <Button kind="accept" isBusy={doing.isBusy} onClick={() => void tell()}>
        {trans.__('Try it')}
      </Button>
      <p role="status">{said}</p>
    </div>
  );
}

interface IFormProps {
  idea: IIdea;
  put: (change: Partial<IIdea>) => void;
}

function TriedParameters(
  props: IFormProps & {
    known: readonly IParameter[] | null;
    error: string | null;
    blame: IBlame;
    message: string | null;
  }
): JSX.Element {
  const { trans } = useSurroundings();
  const { known, idea } = props;
  const write = (name: string, text: string): void =>
    props.put({ parameters: { ...idea.parameters, [name]: text } });
  if (known === null || known.length === 0) {
    return props.error !== null ? (
      <Complaint text={props.error} />
    ) : (
      <p>
        {known === null
          ? trans.__('Reading...')
          : trans.__('The notebook has no parameters: choose another one.')}
      </p>
    );
  }
  return (
    <div className="jp-DeepResearch-parameters">
      {known.map(parameter => (
        <Field
          key={parameter.name}
          label={parameter.name}
          hint={parameter.range ?? undefined}
          error={props.blame.parameter === parameter.name ? props.message : null}
        >
          {ties => (
            <input
              {...ties}
              className="jp-mod-styled"
              autoComplete="off"
              spellCheck={false}
              placeholder={written(parameter.value)}
              value={idea.parameters[parameter.name] ?? ''}
              onChange={event => write(parameter.name, event.target.value)}
            />
          )}
        </Field>
      ))}
    </div>
  );
}

function TriedNotebook(props: IFormProps & { project: Project; error: string | null }): JSX.Element {
  const { trans } = useSurroundings();
  const id = useId();
  const [isLooking, look] = React.useState(false);
  const notebooks = useNotebooks(props.project, isLooking);
  return (
    <Field
      label={trans.__('Notebook (optional)')}
      error={props.error}
      hint={trans.__('One of the project\'s folder, such as a fork: forks/...')}
    >
      {ties => (
        <>
          <input
            {...ties}
            className="jp-mod-styled"
            list={id}
            autoComplete="off"
            value={props.idea.notebook}
            onFocus={() => look(true)}
            onChange={event => props.put({ notebook: event.target.value })}
          />
          <datalist id={id}>
            {notebooks.map(path => (
              <option key={path} value={path} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

/** The values that differ from those that an experiment would run with anyway. */
function changed(idea: IIdea, known: readonly IParameter[]): Values {
  const given = known.filter(({ name, value }) => {
    const text = idea.parameters[name] ?? '';
    return text.trim() !== '' && text !== typed(value);
  });
  return Object.fromEntries(given.map(({ name, value }) => [name, understood(idea.parameters[name], value)]));
}
