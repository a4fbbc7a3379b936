const path = require('path');

/** What makes the bundle smaller: the style sheets go into it as one, the scripts with a short name for `createElement`. */
module.exports = {
  module: {
    rules: [
      { test: /\.raw\.css$/, enforce: 'pre', use: path.join(__dirname, 'style', 'squeeze.js') },
      {
        test: /\.js$/,
        include: path.join(__dirname, 'lib'),
        enforce: 'pre',
        use: path.join(__dirname, 'shorten.js')
      }
    ]
  }
};
