import * as React from 'react';

import { Complaint } from './button';
import { Surroundings } from './surroundings';

/** A part that cannot be drawn says so in its own place: the others, Stop above all, live on. */
export class Guard extends React.Component<{ children: React.ReactNode }, { error: string | null }> {
  static contextType = Surroundings;
  declare context: React.ContextType<typeof Surroundings>;

  static getDerivedStateFromError(error: unknown): { error: string } {
    return { error: String(error) };
  }

  state: { error: string | null } = { error: null };

  render(): React.ReactNode {
    if (this.state.error === null) {
      return this.props.children;
    }
    const { error } = this.state;
    const said = this.context?.trans.__(
      'This part cannot be shown (%1). Fold it and open it to try again.',
      error
    );
    return <Complaint text={said ?? error} />;
  }
}
