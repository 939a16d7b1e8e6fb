// `kraken-ws-native/nest` for `require`, also where resolvers do not read `exports`.
module.exports = require('./dist/nest/index.js');
