import * as React from 'react';

import { useFocusKept } from './focus';

const OVERSCAN = 8;

/**
 * A list of rows of one height, of which only those in sight are in the page. Ten thousand rows scroll as ten do.
 *
 * The arrow keys, Page Up and Down, Home and End move the focus from row to row: to what has `data-first` in a
 * row, else to its first control.
 */
export function VirtualList(props: {
  label: string;
  count: number;
  rowHeight: number;
  /** At most so high, in pixels; shorter where there are fewer rows. */
  maxHeight: number;
  keyOf: (index: number) => React.Key;
  render: (index: number) => React.ReactNode;
  /** Which rows are in sight, `end` not included. */
  onRange?: (start: number, end: number) => void;
}): JSX.Element {
  const kept = useFocusKept<HTMLDivElement>(); // a row that is scrolled out of sight leaves it to the list
  const scroller = kept.ref;
  const [top, setTop] = React.useState(0);
  const frame = React.useRef(0);
  const focus = React.useRef<number | null>(null);
  const height = Math.min(props.maxHeight, props.count * props.rowHeight);
  const start = Math.max(0, Math.floor(top / props.rowHeight) - OVERSCAN);
  const end = Math.min(props.count, Math.ceil((top + height) / props.rowHeight) + OVERSCAN);
  React.useEffect(() => props.onRange?.(start, end), [start, end, props.count, props.onRange]);
  React.useEffect(() => () => window.cancelAnimationFrame(frame.current), []);
  React.useEffect(() => {
    // Fewer rows than before: the browser has moved the scroller without a scroll event that counts.
    setTop(scroller.current?.scrollTop ?? 0);
  }, [props.count, height]);
  const anchor = React.useRef<{ index: number; key: React.Key } | null>(null);
  React.useLayoutEffect(() => {
    // What is in sight stays where it is when rows come or go above it.
    const moved = movedBy(anchor.current, props.count, props.keyOf);
    if (moved !== 0 && scroller.current !== null && scroller.current.scrollTop > 0) {
      scroller.current.scrollTop += moved * props.rowHeight;
      setTop(scroller.current.scrollTop);
    }
    const index = Math.ceil((scroller.current?.scrollTop ?? 0) / props.rowHeight);
    anchor.current = index < props.count ? { index, key: props.keyOf(index) } : null;
  });
  const bringFocus = (): void => {
    const wanted = focus.current;
    const row = wanted === null ? null : scroller.current?.querySelector<HTMLElement>(`[data-index="${wanted}"]`);
    if (row) {
      focus.current = null;
      const first = row.querySelector<HTMLElement>('[data-first]');
      (first ?? row.querySelector<HTMLElement>('button, a, [tabindex]') ?? row).focus();
    }
  };
  React.useEffect(bringFocus); // A row that was not in the page is there once it is drawn.
  const onScroll = (): void => {
    window.cancelAnimationFrame(frame.current);
    frame.current = window.requestAnimationFrame(() => setTop(scroller.current?.scrollTop ?? 0));
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const at = (event.target as HTMLElement).closest<HTMLElement>('[data-index]')?.dataset.index;
    const page = Math.max(1, Math.floor(height / props.rowHeight) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page };
    const inSight = Math.ceil((scroller.current?.scrollTop ?? 0) / props.rowHeight);
    const from = at === undefined ? inSight - 1 : Number(at);
    const to = event.key === 'Home' ? 0 : event.key === 'End' ? props.count - 1 : from + steps[event.key];
    if (Number.isNaN(to) || isTyping(event.target as HTMLElement)) {
      return;
    }
    event.preventDefault();
    focus.current = Math.max(0, Math.min(props.count - 1, to));
    reveal(scroller.current, focus.current, props.rowHeight);
    setTop(scroller.current?.scrollTop ?? 0);
    bringFocus();
  };
  const rows = Array.from({ length: end - start }, (_, i) => start + i);
  return (
    <div
      className="jp-DeepResearch-list"
      {...kept}
      role="list"
      aria-label={props.label}
      tabIndex={0}
      style={{ height }}
      onScroll={onScroll}
      onKeyDown={onKeyDown}
    >
      <div style={{ height: props.count * props.rowHeight, position: 'relative' }} role="presentation">
        {rows.map(index => (
          <div
            key={props.keyOf(index)}
            role="listitem"
            aria-posinset={index + 1}
            aria-setsize={props.count}
            data-index={index}
            className="jp-DeepResearch-row"
            style={{ top: index * props.rowHeight, height: props.rowHeight }}
          >
            {props.render(index)}
          </div>
        ))}
      </div>
    </div>
  );
}

/** By how many places a row has moved since; 0 where it is gone. */
function movedBy(
  was: { index: number; key: React.Key } | null,
  count: number,
  keyOf: (index: number) => React.Key
): number {
  if (was === null || (was.index < count && keyOf(was.index) === was.key)) {
    return 0;
  }
  for (let index = 0; index < count; index += 1) {
    if (keyOf(index) === was.key) {
      return index - was.index;
    }
  }
  return 0;
}

function isTyping(target: HTMLElement): boolean {
  return target.matches('input, textarea, select');
}

function reveal(scroller: HTMLElement | null, index: number, rowHeight: number): void {
  if (scroller === null) {
    return;
  }
  const [top, bottom] = [index * rowHeight, (index + 1) * rowHeight];
  if (top < scroller.scrollTop) {
    scroller.scrollTop = top;
  } else if (bottom > scroller.scrollTop + scroller.clientHeight) {
    scroller.scrollTop = bottom - scroller.clientHeight;
  }
}
