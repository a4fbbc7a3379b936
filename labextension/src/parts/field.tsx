import * as React from 'react';

let count = 0;

/** An id that no other element has, the same as long as the component lives. */
export function useId(): string {
  const id = React.useRef('');
  if (id.current === '') {
    id.current = `jp-DeepResearch-${++count}`;
  }
  return id.current;
}

/** A label, its control, and what is wrong with it, beside it. `children` gets the attributes that tie the three. */
export function Field(props: {
  label: string;
  error?: string | null;
  hint?: string;
  children: (ties: { id: string; 'aria-describedby'?: string; 'aria-invalid'?: true }) => React.ReactNode;
}): JSX.Element {
  const id = useId();
  const said = props.error ?? props.hint;
  const ties = {
    id,
    'aria-describedby': said ? `${id}-said` : undefined,
    'aria-invalid': props.error ? (true as const) : undefined
  };
  return (
    <div className="jp-DeepResearch-field">
      <label htmlFor={id}>{props.label}</label>
      {props.children(ties)}
      {said && (
        <p id={`${id}-said`} className={props.error ? 'jp-DeepResearch-error' : 'jp-DeepResearch-hint'}>
          {said}
        </p>
      )}
    </div>
  );
}
