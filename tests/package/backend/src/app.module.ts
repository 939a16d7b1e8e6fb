import { Module } from '@nestjs/common';
import { ChatGateway } from './chat/chat.gateway';
import { NotificationService } from './chat/notification.service';
import { WebsocketModule } from './websocket/websocket.module';

@Module({ imports: [WebsocketModule], providers: [ChatGateway, NotificationService] })
export class AppModule {}
