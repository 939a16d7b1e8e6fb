// `kraken-ws-native/nest` for `import`: the CommonJS build under the names that ES modules can see.
import nest from './dist/nest/index.js';

export const {
  KrakenIoAdapter,
  WebsocketModule,
  WebsocketService,
  WsExceptionFilter,
  ClientEvents,
  ServerEvents,
  rooms,
} = nest;
