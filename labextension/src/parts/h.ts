import * as React from 'react';

/** Makes an element. The build writes it for every tag, as a name that a minifier may shorten (see `shorten.js`). */
export const h = React.createElement;
