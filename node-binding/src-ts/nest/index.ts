/// <reference types="node" preserve="true" />
// `kraken-ws-native/nest`: what a NestJS application takes from this package. Nothing else of the package
// loads Nest.
export { KrakenIoAdapter } from './adapter';
export type { KrakenIoAdapterOptions } from './adapter';
export { WebsocketModule } from './module';
export type { WebsocketModuleOptions } from './module';
export { WebsocketService } from './service';
export { WsExceptionFilter } from './exception-filter';
export type { WsExceptionFilterOptions } from './exception-filter';
export { ClientEvents, ServerEvents, rooms } from '../generated/kraken';
export type {
  AboutUser,
  ClientPayloads,
  ClientToServerEvents,
  InChannel,
  ServerPayloads,
  ServerToClientEvents,
  VoiceMember,
} from './payloads';
