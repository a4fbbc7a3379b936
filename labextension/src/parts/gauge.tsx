import * as React from 'react';

import { figure } from '../text/figures';

/** How much of a limit is used: a bar, and both numbers as text. `of` says of what, where the label alone does not. */
export function Gauge(props: { label: string; of?: string; value: number | null; limit: number }): JSX.Element {
  const { label, of, value, limit } = props;
  const said = `${amount(value)} / ${amount(limit)}`;
  const share = value === null ? 0 : limit > 0 ? Math.min(1, value / limit) : 1;
  return (
    <div className="jp-DeepResearch-gauge">
      <span>{label}</span>
      <span
        className="jp-DeepResearch-bar"
        role="meter"
        aria-label={of === undefined ? label : `${of}: ${label}`}
        aria-valuemin={0}
        aria-valuemax={limit}
        aria-valuenow={Math.min(value ?? 0, limit)}
        aria-valuetext={said}
        data-tone={share >= 1 ? 'bad' : share > 0.85 ? 'warn' : undefined}
      >
        <span style={{ width: `${100 * share}%` }} />
      </span>
      <span className="jp-DeepResearch-amount">{said}</span>
    </div>
  );
}

/** "1,612", "0.012": thousands are told apart, small numbers keep their digits. */
export function amount(value: number | null): string {
  return value !== null && Number.isFinite(value) && Math.abs(value) >= 1000
    ? Math.round(value).toLocaleString()
    : figure(value, 3);
}
