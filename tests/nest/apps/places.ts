// Gateways at other places than the application's port and the namespace `/`.
import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import {
  ConnectedSocket, MessageBody, OnGatewayInit, SubscribeMessage, WebSocketGateway, WebSocketServer,
} from '@nestjs/websockets';
import type { Namespace, Server, Socket } from 'socket.io';

export const places: Record<string, unknown> = {};

@WebSocketGateway({ namespace: 'own' })
class OwnNamespace implements OnGatewayInit {
  @WebSocketServer()
  server!: Namespace;

  afterInit(server: Namespace): void {
    places.own = server.name;
  }

  @SubscribeMessage('where')
  where(@ConnectedSocket() client: Socket): unknown {
    return client.nsp.name;
  }

  @SubscribeMessage('tell')
  tell(@MessageBody() text: string): void {
    this.server.emit('told', text);
  }
}

@WebSocketGateway({ namespace: /^\/dynamic-\d+$/ })
class DynamicNamespace {
  @SubscribeMessage('where')
  where(@ConnectedSocket() client: Socket): unknown {
    return client.nsp.name;
  }

  @SubscribeMessage('tell')
  tell(@ConnectedSocket() client: Socket, @MessageBody() text: string): void {
    client.nsp.emit('told', text);
  }
}

@WebSocketGateway({ path: '/elsewhere' })
class OwnPath {
  @SubscribeMessage('where')
  where(): unknown {
    return 'elsewhere';
  }
}

@Module({})
export class PlacesModule {
  /** `port` is where the gateway with a port of its own listens. */
  static at(port: number): DynamicModule {
    @WebSocketGateway(port, { transports: ['websocket'] })
    class OwnPort implements OnGatewayInit {
      @WebSocketServer()
      server!: Server;

      afterInit(server: Server): void {
        places.port = typeof server.of;
      }

      @SubscribeMessage('where')
      where(): unknown {
        return 'own port';
      }
    }

    return { module: PlacesModule, providers: [OwnNamespace, DynamicNamespace, OwnPath, OwnPort] };
  }
}
