import * as React from 'react';

import { IRun } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { useAnswer, useSurroundings } from '../parts/surroundings';

const TAIL_CHARS = 4_000;
const CLOSE_PX = 24;

/** The last lines that a run prints. It stays at the end while it is looked at there. */
export function Tail(props: { run: IRun; project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  const { run, project } = props;
  const answer = React.useMemo(
    () => project.output(run.experiment, run.run, TAIL_CHARS, () => true),
    [project, run.experiment, run.run]
  );
  React.useEffect(() => () => answer.dispose(), [answer]);
  const output = useAnswer(answer);
  const box = React.useRef<HTMLPreElement>(null);
  const isAtEnd = React.useRef(true);
  const lastTop = React.useRef(0);
  React.useLayoutEffect(() => {
    if (box.current !== null && isAtEnd.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [output?.text]);
  const onScroll = (event: React.UIEvent<HTMLPreElement>): void => {
    const { scrollHeight, scrollTop, clientHeight } = event.currentTarget;
    // Only who scrolls up leaves the end: another theme, too, moves it away from below the text.
    const isClose = scrollHeight - scrollTop - clientHeight < CLOSE_PX;
    isAtEnd.current = isClose || (isAtEnd.current && scrollTop >= lastTop.current);
    lastTop.current = scrollTop;
  };
  return (
    <>
      {answer.error !== null && <Complaint text={answer.error} />}
      <pre
        ref={box}
        className="jp-DeepResearch-tail"
        tabIndex={0}
        role="region"
        aria-label={trans.__('Output of experiment %1', run.experiment)}
        onScroll={onScroll}
      >
        {output === null ? trans.__('Reading...') : output.text || trans.__('Nothing printed yet.')}
      </pre>
    </>
  );
}
