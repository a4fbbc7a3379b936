import * as React from 'react';

import { Project } from '../live/project';
import { Section } from '../parts/section';
import { useSurroundings } from '../parts/surroundings';

export function Experiments(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="experiments" title={trans.__('Experiments')} isOpenAtFirst={false}>
      <p>{props.project.id}</p>
    </Section>
  );
}
