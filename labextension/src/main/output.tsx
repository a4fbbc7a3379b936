import * as React from 'react';

import { IOutput } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { useSurroundings } from '../parts/surroundings';
import { useQuestion } from './asked';

const CHARS = 8_000;

/** The last that the experiment's shown run printed and raised. */
export function Output(props: {
  project: Project;
  experiment: number;
  asOf: unknown;
  everyMs: number | null;
}): JSX.Element {
  const { trans, connection } = useSurroundings();
  const path = `projects/${props.project.id}/experiments/${props.experiment}/output`;
  const ask = (): Promise<IOutput> => connection.client.get<IOutput>(path, { chars: CHARS });
  const output = useQuestion(path, ask, props.asOf, props.everyMs);
  return (
    <section data-part="output" aria-label={trans.__('Output')}>
      <h3>{trans.__('The last of its output')}</h3>
      {output.error !== null && <Complaint text={output.error} />}
      {output.value !== null && output.value.text === '' && <p>{trans.__('It printed nothing.')}</p>}
      {output.value !== null && output.value.text !== '' && (
        <pre tabIndex={0} role="group" aria-label={trans.__('Output of run %1', output.value.run ?? '')}>
          {output.value.text}
        </pre>
      )}
    </section>
  );
}
