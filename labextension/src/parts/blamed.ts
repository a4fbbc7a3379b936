import * as React from 'react';

/** A form that opens on a card takes the focus from it; one that is only drawn again, after a reload, does not. */
export function useFirstFocus(form: React.RefObject<HTMLElement>): void {
  const [isTaken] = React.useState(() => document.activeElement?.closest('.jp-DeepResearch-card') ?? null);
  React.useEffect(() => {
    if (isTaken?.contains(form.current)) {
      form.current?.querySelector('textarea')?.focus();
    }
  }, []);
}

/** A control that goes away under a press hands the focus on to what `next` finds, once it is drawn without it. */
export function useHandedOn(next: () => HTMLElement | null | undefined, drawn: string): void {
  const before = React.useRef(drawn);
  React.useEffect(() => {
    const isOther = before.current !== drawn;
    before.current = drawn;
    if (isOther && document.activeElement === document.body) {
      next()?.focus();
    }
  }, [drawn]);
}

/** The field that is to blame takes the focus when the server has refused what was sent. */
export function useBlamedFocus(form: React.RefObject<HTMLElement>, message: string | null): void {
  React.useEffect(() => {
    if (message !== null) {
      form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
    }
  }, [message]);
}
