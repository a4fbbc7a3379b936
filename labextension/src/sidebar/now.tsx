import * as React from 'react';

import { Project } from '../live/project';
import { Section } from '../parts/section';
import { useSurroundings } from '../parts/surroundings';

export function Now(props: { project: Project }): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="now" title={trans.__('Now')} isOpenAtFirst={false}>
      <p>{props.project.id}</p>
    </Section>
  );
}
