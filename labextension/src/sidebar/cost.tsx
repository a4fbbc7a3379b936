import * as React from 'react';

import { Project } from '../live/project';
import { Section } from '../parts/section';
import { useSurroundings } from '../parts/surroundings';

export function Costs(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="cost" title={trans.__('Cost')} isOpenAtFirst={false}>
      <p>{props.project.id}</p>
    </Section>
  );
}
