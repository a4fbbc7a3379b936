import * as React from 'react';

import { IGpu } from '../api/shapes';
import { Answer } from '../live/answer';
import { IChange } from '../live/connection';
import { Complaint } from '../parts/button';
import { Section } from '../parts/section';
import { useAnswer, useSurroundings } from '../parts/surroundings';
import { bytes } from '../text/figures';

const LIVE_MS = 5_000;
const IDLE_MS = 30_000;

/** The events after which a GPU may be held by somebody else. */
const HOLDING = ['launched', 'ended'];

export function Gpus(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="gpus" title={trans.__('GPUs')} isOpenAtFirst={false}>
      <All />
    </Section>
  );
}

function All(): JSX.Element {
  const { trans } = useSurroundings();
  const answer = useGpus();
  const gpus = useAnswer(answer);
  if (answer.error !== null) {
    return <Complaint text={answer.error} />;
  }
  if (gpus === null) {
    return <p className="jp-DeepResearch-hint">{trans.__('Looking...')}</p>;
  }
  if (gpus.length === 0) {
    return <p className="jp-DeepResearch-hint">{trans.__('No GPU is seen here: runs train on the CPU.')}</p>;
  }
  return (
    <ul className="jp-DeepResearch-gpus" aria-label={trans.__('GPUs')}>
      {gpus.map(gpu => (
        <Gpu key={gpu.uuid} gpu={gpu} />
      ))}
    </ul>
  );
}

/** All GPUs of the server's machine, asked for often only while something runs on them. */
function useGpus(): Answer<readonly IGpu[]> {
  const { connection, projects } = useSurroundings();
  const answer = React.useMemo(() => {
    const isLive = (): boolean => (projects.all ?? []).some(row => row.running.length > 0);
    const ask = (): Promise<readonly IGpu[]> => connection.client.get('gpus');
    return new Answer(connection, ask, () => (isLive() ? LIVE_MS : IDLE_MS));
  }, [connection, projects]);
  React.useEffect(() => {
    const onChange = (_: unknown, change: IChange): void => {
      if (HOLDING.includes(change.kind)) {
        answer.expire();
      }
    };
    connection.changed.connect(onChange);
    return () => {
      connection.changed.disconnect(onChange);
      answer.dispose();
    };
  }, [answer, connection]);
  return answer;
}

/** "0: A100   71 %, 9.2 of 24 GB", and who holds it. */
function Gpu(props: { gpu: IGpu }): JSX.Element {
  const { trans } = useSurroundings();
  const { gpu } = props;
  const share = gpu.memory_total_bytes > 0 ? gpu.memory_used_bytes / gpu.memory_total_bytes : 0;
  const [used, total] = [bytes(gpu.memory_used_bytes), bytes(gpu.memory_total_bytes)];
  return (
    <li>
      <p>
        <b>{gpu.index}</b> {gpu.name}
      </p>
      <meter
        min={0}
        max={1}
        value={share}
        aria-label={trans.__('Memory of GPU %1 in use', gpu.index)}
      />
      <p className="jp-DeepResearch-hint">
        {gpu.utilisation_percent === null
          ? trans.__('%1 of %2', used, total)
          : trans.__('%1 of %2, computes %3 %', used, total, Math.round(gpu.utilisation_percent))}
      </p>
      <p>{useHolders(gpu)}</p>
    </li>
  );
}

function useHolders(gpu: IGpu): string {
  const { trans } = useSurroundings();
  const leased = gpu.leased_by === null ? [] : [trans.__('held by %1', gpu.leased_by)];
  const named = [...leased, ...gpu.holders];
  if (named.length > 0) {
    return named.join(', ');
  }
  return gpu.is_ours ? trans.__('free') : trans.__('not for this server to use');
}
