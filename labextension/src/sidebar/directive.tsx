import * as React from 'react';

import { IDirective } from '../api/shapes';
import { Project } from '../live/project';
import { Button, Complaint, useDoing } from '../parts/button';
import { Field } from '../parts/field';
import { Section } from '../parts/section';
import { useAnswer, useDraft, useSurroundings } from '../parts/surroundings';

const LIMIT_CHARS = 2_000;

/** Tell the researcher something, and see what of it was read already. */
export function Directives(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="directive" title={trans.__('Directive')}>
      <Box project={props.project} />
      <Queue project={props.project} />
    </Section>
  );
}

function Box(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { project } = props;
  const [text, write, forget] = useDraft(`directive:${project.id}`);
  const [problem, setProblem] = React.useState<string | null>(null);
  const [isSent, setSent] = React.useState(false);
  const box = React.useRef<HTMLTextAreaElement | null>(null);
  const doing = useDoing();
  const type = (typed: string): void => {
    write(typed);
    setProblem(null);
    setSent(false);
    doing.clear();
  };
  const send = async (): Promise<void> => {
    const wrong = problemOf(text, trans);
    setProblem(wrong);
    box.current?.focus();
    if (wrong === null && (await doing.run(() => project.tell({ kind: 'directive', text })))) {
      forget();
      setSent(true);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      void send();
    }
  };
  return (
    <div className="jp-DeepResearch-directive">
      <Field label={trans.__('Tell the researcher')} error={problem ?? doing.error?.message}>
        {ties => (
          <textarea
            {...ties}
            ref={box}
            className="jp-mod-styled"
            rows={2}
            placeholder={trans.__('Try smaller learning rates, or: lr: 0.001..0.1')}
            readOnly={doing.isBusy}
            value={text}
            onChange={event => type(event.target.value)}
            onKeyDown={onKeyDown}
          />
        )}
      </Field>
      <div className="jp-DeepResearch-buttons">
        <Button
          kind="accept"
          isBusy={doing.isBusy}
          label={trans.__('Send the directive')}
          title={trans.__('Send the directive (Ctrl Enter)')}
          onClick={() => void send()}
        >
          {doing.isBusy ? trans.__('Sending...') : trans.__('Send')}
        </Button>
        <span role="status">{isSent && trans.__('Sent: it is read before the next hypothesis.')}</span>
      </div>
    </div>
  );
}

function problemOf(text: string, trans: ReturnType<typeof useSurroundings>['trans']): string | null {
  if (text.trim() === '') {
    return trans.__('Write what the researcher shall do.');
  }
  return text.length > LIMIT_CHARS
    ? trans.__('%1 characters; at most %2.', text.length.toLocaleString(), LIMIT_CHARS.toLocaleString())
    : null;
}

function Queue(props: { project: Project }): JSX.Element | null {
  const { trans } = useSurroundings();
  const directives = useAnswer(props.project.directives);
  const { error } = props.project.directives;
  if (directives === null || directives.length === 0) {
    return error === null ? null : <Complaint text={error} />;
  }
  return (
    <ul className="jp-DeepResearch-directives" aria-label={trans.__('Directives in force')}>
      {[...directives].reverse().map(directive => (
        <Told key={directive.seq} directive={directive} />
      ))}
    </ul>
  );
}

function Told(props: { directive: IDirective }): JSX.Element {
  const { trans } = useSurroundings();
  const { text, unread, at } = props.directive;
  const state = unread ? trans.__('not read yet') : trans.__('read, in force');
  return (
    <li data-unread={unread || undefined} title={new Date(at * 1000).toLocaleString()}>
      <span className="jp-DeepResearch-hint">
        <span aria-hidden="true">{unread ? '● ' : '✓ '}</span>
        {state}
      </span>
      <span>{text}</span>
    </li>
  );
}
