import * as React from 'react';

import { Section } from '../parts/section';
import { useSurroundings } from '../parts/surroundings';

export function Gpus(): JSX.Element {
  const { trans } = useSurroundings();
  return (
    <Section name="gpus" title={trans.__('GPUs')} isOpenAtFirst={false}>
      {null}
    </Section>
  );
}
