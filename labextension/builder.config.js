const path = require('path');

/** The style sheets are part of the bundle: they go into it without comments, indents and line ends. */
module.exports = {
  module: {
    rules: [
      {
        test: /\.css$/,
        include: path.join(__dirname, 'style'),
        enforce: 'pre',
        use: path.join(__dirname, 'style', 'squeeze.js')
      }
    ]
  }
};
