import * as React from 'react';

import { Answer } from '../live/answer';
import { Project } from '../live/project';
import { useSurroundings } from '../parts/surroundings';

const TYPING_MS = 300;

/** What a search came to. */
export interface IFound {
  /** Null: nothing is searched for, or the first answer is on its way. */
  experiments: ReadonlySet<number> | null;
  /** There are more than the server answers at once. */
  isMore: boolean;
  isSearching: boolean;
  error: string | null;
}

const NOTHING: IFound = { experiments: null, isMore: false, isSearching: false, error: null };

/** Search a project's log, once the typing rests, and anew when an experiment changes. */
export function useFound(project: Project, typed: string): IFound {
  const { connection } = useSurroundings();
  const text = useRested(typed.trim());
  const [found, setFound] = React.useState<IFound>(NOTHING);
  React.useEffect(() => {
    if (text === '') {
      setFound(NOTHING);
      return undefined;
    }
    // What the last words found stays in sight until there is an answer to these.
    setFound(last => ({ ...last, isSearching: true, error: null }));
    const answer = new Answer(connection, () => project.search(text));
    let version = project.history.columns.version;
    const again = (): void => {
      if (project.history.columns.version !== version) {
        version = project.history.columns.version;
        answer.expire();
      }
    };
    const take = (): void => {
      const { value, error } = answer;
      if (error !== null) {
        setFound({ ...NOTHING, error });
      } else if (value !== null) {
        setFound({ ...NOTHING, experiments: new Set(value.experiments), isMore: value.more });
      }
    };
    answer.changed.connect(take);
    project.history.changed.connect(again);
    const leave = answer.watch();
    return () => {
      project.history.changed.disconnect(again);
      leave();
      answer.dispose();
    };
  }, [project, text, connection]);
  return found;
}

/** The text as it was when the typing last rested; nothing at once where it was emptied. */
function useRested(text: string): string {
  const [rested, setRested] = React.useState(text);
  React.useEffect(() => {
    const timer = window.setTimeout(() => setRested(text), text === '' ? 0 : TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return rested;
}
