// Gateways that use what Nest offers to gateways, once each.
import {
  Controller, ForbiddenException, Get, Injectable, Module, ParseIntPipe, UseFilters, UseGuards, UseInterceptors,
  UsePipes, ValidationPipe,
} from '@nestjs/common';
import type { CallHandler, CanActivate, ExecutionContext, NestInterceptor } from '@nestjs/common';
import {
  Ack, ConnectedSocket, MessageBody, OnGatewayConnection, OnGatewayDisconnect, OnGatewayInit, SubscribeMessage,
  WebSocketGateway, WebSocketServer, WsException,
} from '@nestjs/websockets';
import type { WsResponse } from '@nestjs/websockets';
import { IsInt, IsString, MaxLength } from 'class-validator';
import { WsExceptionFilter } from 'kraken-ws-native/nest';
import { Observable, finalize, from, interval, map, of } from 'rxjs';
import type { Server, Socket } from 'socket.io';

/** What happened, in order, for tests to read. */
export const journal: string[] = [];

class Note {
  @IsInt()
  id!: number;

  @IsString()
  @MaxLength(20)
  text!: string;
}

@Injectable()
class OnlyAdults implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const client = context.switchToWs().getClient<Socket>();
    const { age } = context.switchToWs().getData<{ age: number }>();
    if (age === 13) throw new ForbiddenException('unlucky');
    return client.connected && age >= 18;
  }
}

@Injectable()
class Wrapped implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((value) => ({ wrapped: value })));
  }
}

@WebSocketGateway({ cors: { origin: true, credentials: true }, pingTimeout: 60_000, pingInterval: 25_000 })
export class FeaturesGateway implements OnGatewayInit, OnGatewayConnection, OnGatewayDisconnect {
  @WebSocketServer()
  server!: Server;

  afterInit(server: Server): void {
    journal.push(`init with ${server === this.server ? 'the server' : 'something else'}`);
    server.use((socket, next) => next(socket.handshake.auth.refuse ? new Error('REFUSED') : undefined));
  }

  handleConnection(client: Socket): void {
    journal.push(`connect ${client.handshake.auth.name}`);
  }

  handleDisconnect(client: Socket): void {
    journal.push(`disconnect ${client.handshake.auth.name} ${client.connected}`);
  }

  @SubscribeMessage('echo')
  echo(@MessageBody() body: unknown): unknown {
    return body;
  }

  @SubscribeMessage('later')
  async later(@MessageBody() body: unknown): Promise<unknown> {
    await new Promise((resolve) => setImmediate(resolve));
    return body;
  }

  @SubscribeMessage('nothing')
  nothing(): void {}

  @SubscribeMessage('event')
  event(@MessageBody() data: unknown): WsResponse<unknown> {
    return { event: 'answer', data };
  }

  @SubscribeMessage('stream')
  stream(@MessageBody() count: number): Observable<WsResponse<number>> {
    return from(Array.from({ length: count }, (_, at) => ({ event: 'part', data: at })));
  }

  @SubscribeMessage('one')
  one(): Observable<string> {
    return of('just one');
  }

  @SubscribeMessage('forever')
  forever(): Observable<WsResponse<number>> {
    return interval(5).pipe(
      map((data) => ({ event: 'tick', data })),
      finalize(() => journal.push('forever ended')),
    );
  }

  @SubscribeMessage('key')
  key(@MessageBody('id', ParseIntPipe) id: number, @MessageBody('text') text: string): unknown {
    return { id, text };
  }

  @SubscribeMessage('who')
  who(@ConnectedSocket() client: Socket): unknown {
    return { id: client.id, name: client.handshake.auth.name };
  }

  @SubscribeMessage('manual')
  manual(@MessageBody() body: unknown, @Ack() ack: (...args: unknown[]) => void): string {
    ack('by hand', body);
    return 'ignored';
  }

  @SubscribeMessage('plain')
  plain(client: Socket, body: unknown): unknown {
    return [client.id, body];
  }

  @UseGuards(OnlyAdults)
  @SubscribeMessage('guarded')
  guarded(): string {
    return 'welcome';
  }

  @UseInterceptors(Wrapped)
  @SubscribeMessage('intercepted')
  intercepted(@MessageBody() body: unknown): unknown {
    return body;
  }

  @UsePipes(new ValidationPipe({ exceptionFactory: (errors) => new WsException(errors.map((e) => e.property).join()) }))
  @SubscribeMessage('validated')
  validated(@MessageBody() note: Note): unknown {
    return { note: note instanceof Object, id: note.id };
  }

  @SubscribeMessage('fails')
  fails(@MessageBody() how: string): void {
    throw how === 'ws' ? new WsException('as agreed') : new TypeError('a bug');
  }

  @UseFilters(new WsExceptionFilter())
  @SubscribeMessage('fails-here')
  failsHere(@MessageBody() how: string): void {
    this.fails(how);
  }

  @UseFilters(new WsExceptionFilter({ event: 'exception' }))
  @SubscribeMessage('fails-nest')
  failsNest(@MessageBody() how: string): void {
    this.fails(how);
  }

  @SubscribeMessage('shared')
  shared(): string {
    return 'first';
  }

  @SubscribeMessage('room')
  async room(@ConnectedSocket() client: Socket, @MessageBody() room: string): Promise<unknown> {
    await client.join(room);
    client.to(room).emit('entered', client.id);
    this.server.to(room).emit('count', (await this.server.in(room).fetchSockets()).length);
    return { inside: client.rooms.has(room) };
  }
}

/** A second gateway on the same namespace. */
@WebSocketGateway({ cors: { origin: true, credentials: true } })
export class SecondGateway implements OnGatewayConnection {
  @WebSocketServer()
  server!: Server;

  handleConnection(client: Socket): void {
    journal.push(`second ${client.handshake.auth.name}`);
  }

  @SubscribeMessage('shared')
  shared(@ConnectedSocket() client: Socket): void {
    client.emit('also', 'second');
  }

  @SubscribeMessage('second')
  second(@MessageBody() body: unknown): unknown {
    return { second: body };
  }
}

@Controller()
class HelloController {
  @Get('hello')
  hello(): unknown {
    return { hello: 'rest' };
  }
}

@Module({ controllers: [HelloController], providers: [FeaturesGateway, SecondGateway] })
export class FeaturesModule {}
