import * as React from 'react';

import { IMark } from '../text/words';

/** A word with its shape, coloured by its tone. */
export function Mark(props: { mark: IMark }): JSX.Element {
  return (
    <span className="jp-DeepResearch-mark" data-tone={props.mark.tone}>
      <span aria-hidden="true">{props.mark.shape} </span>
      {props.mark.word}
    </span>
  );
}
