import * as React from 'react';

/** What an element takes to keep the focus that one of its controls had when it went away. */
export interface IFocusKept<T extends HTMLElement> {
  ref: React.RefObject<T>;
  tabIndex: -1;
  onFocus: () => void;
  onBlur: () => void;
}

/**
 * A pressed button that is gone (a run cancelled, a project stopped) would leave the focus to the page as a whole.
 * The element that this is given to takes it then, so that Tab goes on from there.
 */
export function useFocusKept<T extends HTMLElement>(): IFocusKept<T> {
  const ref = React.useRef<T>(null);
  const had = React.useRef(false);
  // React tells of no blur for an element that it takes away itself.
  React.useLayoutEffect(() => {
    if (had.current && document.activeElement === document.body) {
      ref.current?.focus({ preventScroll: true });
    }
  });
  return {
    ref,
    tabIndex: -1,
    onFocus: () => {
      had.current = true;
    },
    onBlur: () => {
      had.current = false;
    }
  };
}
