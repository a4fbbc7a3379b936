import * as React from 'react';

import { IParameter, IWaiting } from '../api/shapes';
import { Project } from '../live/project';
import { useHandedOn } from '../parts/blamed';
import { Field } from '../parts/field';
import { Select } from '../parts/select';
import { useAnswer, useSurroundings } from '../parts/surroundings';
import { IBlame } from '../text/blame';
import { written } from '../text/figures';
import { typed } from '../text/values';

/** The parameters that a hypothesis sets, a field each, and one more to be chosen. */
export function EditedParameters(props: {
  project: Project;
  waiting: IWaiting;
  isDecided: boolean;
  edited: { parameters: Readonly<Record<string, string>> };
  error: string | null;
  blame: IBlame;
  onChange: (parameters: Readonly<Record<string, string>>) => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const { waiting, onChange } = props;
  const { parameters } = props.edited;
  const known = useAnswer(props.project.parameters, !props.isDecided) ?? [];
  const others = known.filter(parameter => !(parameter.name in parameters));
  const add = (added: IParameter): void => {
    isAdded.current = true;
    onChange({ ...parameters, [added.name]: typed(added.value) });
  };
  const drop = (name: string): void =>
    onChange(Object.fromEntries(Object.entries(parameters).filter(([other]) => other !== name)));
  const whole = React.useRef<HTMLDivElement>(null);
  const isAdded = React.useRef(false);
  React.useEffect(() => {
    if (isAdded.current) {
      isAdded.current = false;
      [...(whole.current?.querySelectorAll('input') ?? [])].pop()?.focus();
    }
  });
  useHandedOn(() => whole.current?.querySelector('input, select'), Object.keys(parameters).join());
  return (
    <div ref={whole}>
      {Object.entries(parameters).map(([name, text]) => (
        <Field
          key={name}
          label={name}
          error={props.blame.parameter === name ? props.error : null}
          hint={hint(name)}
        >
          {ties => (
            <div className="jp-DeepResearch-beside">
              <input
                {...ties}
                className="jp-mod-styled"
                autoComplete="off"
                spellCheck={false}
                readOnly={props.isDecided}
                value={text}
                onChange={event => onChange({ ...parameters, [name]: event.target.value })}
              />
              {!props.isDecided && (
                <button
                  type="button"
                  className="jp-DeepResearch-plain"
                  aria-label={trans.__('Leave %1 as it was', name)}
                  title={trans.__('Leave %1 as it was', name)}
                  onClick={() => drop(name)}
                >
                  ✕
                </button>
              )}
            </div>
          )}
        </Field>
      ))}
      {!props.isDecided && others.length > 0 && (
        <More others={others} onAdd={add} />
      )}
    </div>
  );

  function hint(name: string): string | undefined {
    const was = name in waiting.before ? trans.__('was %1', written(waiting.before[name])) : '';
    const range = known.find(parameter => parameter.name === name)?.range ?? '';
    return [was, range].filter(Boolean).join('; ') || undefined;
  }
}

function More(props: { others: readonly IParameter[]; onAdd: (parameter: IParameter) => void }): JSX.Element {
  const { trans } = useSurroundings();
  const add = (name: string): void => {
    const found = props.others.find(parameter => parameter.name === name);
    if (found) {
      props.onAdd(found);
    }
  };
  const names = props.others.map(({ name }) => [name, name] as const);
  return (
    <Field label={trans.__('Set another parameter')}>
      {ties => (
        <Select ties={ties} value="" options={[['', trans.__('choose...')], ...names]} onChoose={add} />
      )}
    </Field>
  );
}
