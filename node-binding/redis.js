// `kraken-ws-native/redis` for `require`, also where resolvers do not read `exports`.
module.exports = require('./dist/redis/index.js');
