import * as React from 'react';

import { IHunk } from '../api/shapes';
import { useSurroundings } from './surroundings';

const KINDS: Readonly<Record<string, string>> = { '+': 'new', '-': 'old', '@': 'gap' };

/** Changed lines, place by place. The sign stands in a column of its own, so that colour is not the only mark. */
export function Hunks(props: { changes: readonly IHunk[]; label: string }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <>
      {props.changes.map(change => (
        <figure className="jp-DeepResearch-hunks" key={change.place}>
          <figcaption>{change.place}</figcaption>
          <div role="group" tabIndex={0} aria-label={trans.__('%1: changed lines of %2', props.label, change.place)}>
            <div className="jp-DeepResearch-hunkLines">
              {change.lines.map((line, index) => (
                <Line line={line} isFirst={index === 0} key={index} />
              ))}
            </div>
          </div>
        </figure>
      ))}
    </>
  );
}

function Line(props: { line: string; isFirst: boolean }): JSX.Element | null {
  const sign = props.line.charAt(0);
  if (sign === '@') {
    return props.isFirst ? null : <div data-kind="gap">⋯</div>;
  }
  return (
    <div data-kind={KINDS[sign] ?? 'same'}>
      <span className="jp-DeepResearch-sign">{sign === '-' ? '−' : sign}</span>
      {props.line.slice(1)}
    </div>
  );
}
