import * as React from 'react';

import { ICode, IExperiment } from '../api/shapes';
import { Project } from '../live/project';
import { Complaint } from '../parts/button';
import { Field } from '../parts/field';
import { useSurroundings } from '../parts/surroundings';
import { written } from '../text/figures';
import { useQuestion } from './asked';
import { IAsked } from './widget';

/** What the experiment changes, against its parent or against the champion, side by side. */
export function Changes(props: {
  project: Project;
  experiment: number;
  row: IExperiment;
  champion: number | null;
  asked: IAsked;
  asOf: unknown;
}): JSX.Element {
  const { trans, connection } = useSurroundings();
  const { experiment, champion } = props;
  const hasOther = champion !== null && champion !== experiment;
  const { part } = props.asked;
  const [isChampion, setChampion] = React.useState(part === 'champion');
  React.useEffect(() => {
    if (part === 'champion' || part === 'change') {
      setChampion(part === 'champion');
    }
  }, [props.asked]);
  const [from, to] = hasOther && isChampion ? [champion, experiment] : [experiment, null];
  const path = `projects/${props.project.id}/experiments/${from}/code`;
  const code = useQuestion(`${path}?${to}`, () => connection.client.get<ICode>(path, { to }), props.asOf);
  const parent =
    props.row.parent === null ? trans.__('your notebook') : trans.__('its parent, #%1', props.row.parent);
  return (
    <section data-part="change" aria-label={trans.__('Change')}>
      <h3>{trans.__('Change')}</h3>
      <Field label={trans.__('Against')}>
        {ties => (
          <select
            {...ties}
            className="jp-mod-styled"
            value={hasOther && isChampion ? 'champion' : 'parent'}
            onChange={event => setChampion(event.target.value === 'champion')}
          >
            <option value="parent">{parent}</option>
            {hasOther && <option value="champion">{trans.__('the champion, #%1', champion)}</option>}
          </select>
        )}
      </Field>
      <Parameters row={props.row} />
      {code.error !== null && <Complaint text={code.error} />}
      {code.error === null && code.value === null && <p>{trans.__('Reading the change...')}</p>}
      {code.value !== null && <Places code={code.value} />}
    </section>
  );
}

function Parameters(props: { row: IExperiment }): JSX.Element | null {
  const { trans } = useSurroundings();
  const values = Object.entries(props.row.parameters);
  if (values.length === 0) {
    return null;
  }
  const said = values.map(([name, value]) => `${name} = ${written(value)}`).join(', ');
  return <p>{trans.__('It sets %1.', said)}</p>;
}

function Places(props: { code: ICode }): JSX.Element {
  const { trans } = useSurroundings();
  const { places, unchanged } = props.code;
  return (
    <>
      {places.map(place => (
        <Place key={`${place.kind} ${place.place}`} place={place} />
      ))}
      <p className="jp-DeepResearch-hint">
        {places.length === 0 && `${trans.__('No cell and no file differs.')} `}
        {trans._n('%1 cell or file is the same.', '%1 cells and files are the same.', unchanged)}
      </p>
    </>
  );
}

function Place(props: { place: ICode['places'][number] }): JSX.Element {
  const { trans, languages } = useSurroundings();
  const { place } = props;
  const node = React.useRef<HTMLDivElement>(null);
  const [trouble, setTrouble] = React.useState<string | null>(null);
  const title = place.kind === 'cell' ? trans.__('cell %1', place.place) : place.place;
  const what =
    place.before === null ? trans.__('new') : place.after === null ? trans.__('removed') : trans.__('changed');
  React.useEffect(() => {
    let isGone = false;
    let end = (): void => undefined;
    // Only whoever looks at a change pays for the editor that shows it.
    const show = async (): Promise<void> => {
      const { merge } = await import('./merge');
      const made = isGone || !node.current ? null : await merge(node.current, place, title, languages, trans);
      if (isGone) {
        made?.();
      } else if (made) {
        end = made;
      }
    };
    show().catch(reason => isGone || setTrouble(String(reason)));
    return () => {
      isGone = true;
      end();
    };
  }, [place.before, place.after]);
  return (
    <div className="jp-DeepResearch-place">
      <h4>
        {title} <span className="jp-DeepResearch-hint">{what}</span>
      </h4>
      {trouble !== null && <Complaint text={trans.__('The editor cannot be loaded: %1', trouble)} />}
      <div ref={node} />
    </div>
  );
}
