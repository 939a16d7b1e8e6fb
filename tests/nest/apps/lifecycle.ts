// How an application ends, and adapters that are subclasses.
import { Catch, Logger, Module, UseFilters } from '@nestjs/common';
import type { ArgumentsHost, BeforeApplicationShutdown, ExceptionFilter, INestApplication, OnApplicationShutdown, OnModuleDestroy } from '@nestjs/common';
import { IoAdapter } from '@nestjs/platform-socket.io';
import { MessageBody, OnGatewayDisconnect, SubscribeMessage, WebSocketGateway, WebSocketServer } from '@nestjs/websockets';
import { KrakenIoAdapter } from 'kraken-ws-native/nest';
import type { Server } from 'socket.io';
import type { Door } from './door.js';

export const ending: string[] = [];

@Catch()
class Rethrows implements ExceptionFilter {
  catch(exception: unknown, _host: ArgumentsHost): void {
    throw exception;
  }
}

/** As adapters of applications are: with names that nobody kept free for them. */
export class WithLogger extends KrakenIoAdapter {
  private readonly logger = new Logger(WithLogger.name);
  private readonly door = 'mine';

  override createIOServer(port: number, options?: any): any {
    this.logger.debug(this.door);
    return super.createIOServer(port, options);
  }
}

@WebSocketGateway()
class EndingGateway implements OnModuleDestroy, BeforeApplicationShutdown, OnApplicationShutdown, OnGatewayDisconnect {
  @WebSocketServer()
  server!: Server;

  @SubscribeMessage('echo')
  echo(@MessageBody() body: unknown): unknown {
    return body;
  }

  @UseFilters(new Rethrows())
  @SubscribeMessage('rethrown')
  rethrown(): void {
    throw new Error('thrown again by its filter');
  }

  onModuleDestroy(): void {
    ending.push('onModuleDestroy');
  }

  beforeApplicationShutdown(signal?: string): void {
    // The last word to clients is sent here, while they are connected.
    this.server.emit('going', signal ?? 'closed');
    ending.push('beforeApplicationShutdown');
  }

  handleDisconnect(): void {
    ending.push('handleDisconnect');
  }

  onApplicationShutdown(signal?: string): void {
    ending.push(`onApplicationShutdown ${signal ?? ''}`.trim());
  }
}

@Module({ providers: [EndingGateway] })
export class EndingModule {}

/** A subclass as applications write it, over each of the two adapters. */
export function subclassed(door: Door, app: INestApplication): IoAdapter | KrakenIoAdapter {
  if (door === 'socket.io') {
    class OverIo extends IoAdapter {
      override createIOServer(port: number, options?: any): any {
        return marked(super.createIOServer(port, { ...options, path: '/ws' }));
      }
    }
    return new OverIo(app);
  }
  class OverKraken extends KrakenIoAdapter {
    constructor(application: INestApplication) {
      super(application, { door: door as 'bridge' | 'server' });
    }

    override createIOServer(port: number, options?: any): any {
      return marked(super.createIOServer(port, { ...options, path: '/ws' }));
    }

    override mapPayload(payload: unknown): { data: any; ack?: Function } {
      const mapped = super.mapPayload(payload);
      return mapped.data === 'ping' ? { ...mapped, data: 'mapped' } : mapped;
    }
  }
  return new OverKraken(app);
}

function marked(server: Server): Server {
  server.use((socket, next) => {
    socket.data.marked = true;
    next();
  });
  return server;
}
