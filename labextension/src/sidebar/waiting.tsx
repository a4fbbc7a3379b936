import * as React from 'react';

import { Project } from '../live/project';
import { Section } from '../parts/section';
import { useSurroundings } from '../parts/surroundings';

export function Waiting(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="waiting" title={trans.__('Waiting for you')} isOpenAtFirst={false}>
      <p>{props.project.id}</p>
    </Section>
  );
}
