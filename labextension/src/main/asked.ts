import * as React from 'react';

import { Answer } from '../live/answer';
import { Project } from '../live/project';
import { IPoint } from '../live/columns';
import { useAnswer, useSignal, useSurroundings, useWatch } from '../parts/surroundings';

/** What is known of an experiment from the columns; a new object whenever something was said of it. */
export function usePoint(project: Project, experiment: number): IPoint | null {
  useSignal(project.history.changed);
  useWatch(project.history);
  return project.history.columns.get(experiment);
}

/**
 * The answer to a question, asked again when `asOf` is another one, and while `everyMs` says so.
 *
 * @param key names the question: another key is another question.
 */
export function useQuestion<T>(
  key: string,
  question: () => Promise<T>,
  asOf: unknown,
  everyMs: number | null = null
): Answer<T> {
  const { connection } = useSurroundings();
  const every = React.useRef(everyMs);
  every.current = everyMs;
  const answer = React.useMemo(() => new Answer(connection, question, () => every.current), [connection, key]);
  React.useEffect(() => () => answer.dispose(), [answer]);
  const first = React.useRef(true);
  React.useEffect(() => {
    if (!first.current) {
      answer.expire();
    }
    first.current = false;
  }, [answer, asOf]);
  useAnswer(answer);
  return answer;
}
