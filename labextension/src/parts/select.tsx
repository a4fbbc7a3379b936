import { HTMLSelect } from '@jupyterlab/ui-components';
import * as React from 'react';

/** One of a few words, in Jupyter's own style. */
export function Select(props: {
  /** What `Field` gives its control. */
  ties: { id: string };
  value: string;
  options: readonly (readonly [value: string, word: string])[];
  onChoose: (value: string) => void;
}): JSX.Element {
  return (
    <HTMLSelect {...props.ties} value={props.value} onChange={event => props.onChoose(event.target.value)}>
      {props.options.map(([value, word]) => (
        <option key={value} value={value}>
          {word}
        </option>
      ))}
    </HTMLSelect>
  );
}
