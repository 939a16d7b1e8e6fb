// The module that provides WebsocketService and WsExceptionFilter.
import { ConfigurableModuleBuilder, Module } from '@nestjs/common';
import type { ServerLike } from '../kraken/broadcaster';
import { FILTER_OPTIONS, WsExceptionFilter } from './exception-filter';
import type { WsExceptionFilterOptions } from './exception-filter';
import { WebsocketService } from './service';

/** Options of `WebsocketModule.forRoot`. */
export interface WebsocketModuleOptions {
  /** The server that `WebsocketService` begins with; `setServer` changes it. */
  server?: ServerLike | null;
  /** How the injected `WsExceptionFilter` answers. */
  exceptionFilter?: WsExceptionFilterOptions;
}

const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } = new ConfigurableModuleBuilder<WebsocketModuleOptions>()
  .setClassMethodName('forRoot')
  .setFactoryMethodName('createWebsocketOptions')
  .setExtras({ isGlobal: true }, (definition, { isGlobal }) => ({ ...definition, global: isGlobal }))
  .build();

/**
 * Import the class itself where the service is needed, or `WebsocketModule.forRoot()` once in the root module:
 * `forRoot` and `forRootAsync` make it global unless `isGlobal` is `false`.
 */
@Module({
  providers: [
    {
      provide: WebsocketService,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
      useFactory: (options?: WebsocketModuleOptions): WebsocketService => {
        const service = new WebsocketService();
        service.setServer(options?.server);
        return service;
      },
    },
    {
      provide: FILTER_OPTIONS,
      inject: [{ token: MODULE_OPTIONS_TOKEN, optional: true }],
      useFactory: (options?: WebsocketModuleOptions): WsExceptionFilterOptions => options?.exceptionFilter ?? {},
    },
    WsExceptionFilter,
  ],
  exports: [WebsocketService, WsExceptionFilter, FILTER_OPTIONS],
})
export class WebsocketModule extends ConfigurableModuleClass {}
