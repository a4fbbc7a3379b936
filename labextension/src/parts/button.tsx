import * as React from 'react';

import { Refused } from '../api/client';
import { useSurroundings } from './surroundings';

/** What is being done, and what went wrong with it. */
export interface IDoing {
  isBusy: boolean;
  /** One line; null where nothing went wrong. */
  error: Refused | null;
  /** Do it, once at a time. What it throws, if the server refused it, becomes `error`. True where it was done. */
  run(what: () => Promise<unknown>): Promise<boolean>;
  clear(): void;
}

export function useDoing(): IDoing {
  const [isBusy, setBusy] = React.useState(false);
  const [error, setError] = React.useState<Refused | null>(null);
  const busy = React.useRef(false);
  const run = async (what: () => Promise<unknown>): Promise<boolean> => {
    if (busy.current) {
      return false;
    }
    busy.current = true;
    setBusy(true);
    setError(null);
    try {
      await what();
      return true;
    } catch (reason) {
      setError(reason instanceof Refused ? reason : new Refused((reason as Error).message, 0, '', null));
      return false;
    } finally {
      busy.current = false;
      setBusy(false);
    }
  };
  return { isBusy, error, run, clear: () => setError(null) };
}

/** A button in Jupyter's own style. `aria-disabled` instead of `disabled`: it keeps the focus while it is busy. */
export function Button(props: {
  children: React.ReactNode;
  onClick: () => void;
  /** The accessible name, where the text alone does not say of what. */
  label?: string;
  isBusy?: boolean;
  kind?: 'accept' | 'warn' | 'plain';
  title?: string;
  /** Whether what it folds away is open; only for a button that does. */
  isOpen?: boolean;
  /** What it does, in a word that a command presses it by. */
  does?: string;
}): JSX.Element {
  const style = { accept: 'jp-mod-accept', warn: 'jp-mod-warn', plain: 'jp-mod-reject' }[props.kind ?? 'plain'];
  return (
    <button
      type="button"
      className={`jp-DeepResearch-button jp-mod-styled ${style}`}
      aria-label={props.label}
      aria-disabled={props.isBusy || undefined}
      data-does={props.does}
      aria-expanded={props.isOpen}
      title={props.title ?? props.label}
      onClick={() => props.isBusy || props.onClick()}
    >
      {props.children}
    </button>
  );
}

/** What went wrong, in the server's words. */
export function Trouble(props: { doing: IDoing }): JSX.Element | null {
  const { error } = props.doing;
  return error && <Complaint text={error.message} />;
}

export function Complaint(props: { text: string; id?: string }): JSX.Element {
  return (
    <p className="jp-DeepResearch-error" role="alert" id={props.id}>
      {props.text}
    </p>
  );
}

/** A button that asks once, in its own place, before it does what costs money or ends work. */
export function AskingButton(props: {
  children: React.ReactNode;
  question: string;
  yes: string;
  label?: string;
  isBusy?: boolean;
  onYes: () => void;
}): JSX.Element {
  const { trans } = useSurroundings();
  const [isAsking, setAsking] = React.useState(false);
  const whole = React.useRef<HTMLSpanElement>(null);
  const wasAsked = React.useRef(false);
  React.useEffect(() => {
    if (isAsking || wasAsked.current) {
      whole.current?.querySelector('button')?.focus();
    }
    wasAsked.current = isAsking;
  }, [isAsking]);
  if (!isAsking) {
    return (
      <span ref={whole}>
        <Button label={props.label} isBusy={props.isBusy} onClick={() => setAsking(true)}>
          {props.children}
        </Button>
      </span>
    );
  }
  const yes = (): void => {
    setAsking(false);
    props.onYes();
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (event.key === 'Escape') {
      setAsking(false);
    }
  };
  return (
    <span
      className="jp-DeepResearch-question"
      role="group"
      aria-label={props.question}
      ref={whole}
      onKeyDown={onKeyDown}
    >
      <span>{props.question}</span>
      <Button kind="warn" onClick={yes}>
        {props.yes}
      </Button>
      <Button onClick={() => setAsking(false)}>{trans.__('Keep')}</Button>
    </span>
  );
}
