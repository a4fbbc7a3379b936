import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { remember, remembered } from '../live/drafts';
import { Guard } from './guard';

/** A part of the sidebar under a heading that folds it away, which this browser remembers. Folded, it asks nothing. */
export function Section(props: {
  name: string;
  title: string;
  /** What the heading says beside the title, folded or not. */
  summary?: React.ReactNode;
  isOpenAtFirst?: boolean;
  children: React.ReactNode;
}): JSX.Element {
  const key = `section:${props.name}`;
  const [isOpen, setOpen] = React.useState((remembered(key) ?? String(props.isOpenAtFirst ?? true)) === 'true');
  const id = `jp-DeepResearch-section-${props.name}`;
  const toggle = (): void => {
    remember(key, String(!isOpen));
    setOpen(!isOpen);
  };
  const Caret = isOpen ? caretDownIcon : caretRightIcon;
  return (
    <section className="jp-DeepResearch-section" aria-labelledby={id}>
      <h3>
        <button id={id} aria-expanded={isOpen} onClick={toggle}>
          <Caret.react tag="span" className="jp-DeepResearch-caret" />
          <span>{props.title}</span>
        </button>
        {props.summary !== undefined && <span className="jp-DeepResearch-summary">{props.summary}</span>}
      </h3>
      {isOpen && (
        <div className="jp-DeepResearch-inside">
          <Guard>{props.children}</Guard>
        </div>
      )}
    </section>
  );
}
