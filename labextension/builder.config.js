const path = require('path');

/** The style sheets are part of the bundle: they go into it as one, without comments, indents and line ends. */
module.exports = {
  module: {
    rules: [{ test: /\.raw\.css$/, enforce: 'pre', use: path.join(__dirname, 'style', 'squeeze.js') }]
  }
};
