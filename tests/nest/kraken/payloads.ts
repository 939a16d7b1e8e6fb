// What clients may send, checked by class-validator before a handler sees it.
import { ValidationPipe } from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { IsBoolean, IsNotEmpty, IsOptional, IsString, MaxLength } from 'class-validator';

export class SendMessage {
  @IsString()
  @IsNotEmpty()
  channelId!: string;

  @IsString()
  @IsNotEmpty()
  @MaxLength(2000)
  content!: string;
}

export class SendDirectMessage {
  @IsString()
  @IsNotEmpty()
  to!: string;

  @IsString()
  @MaxLength(2000)
  content!: string;
}

export class RemoveMessage {
  @IsString()
  messageId!: string;
}

export class InChannel {
  @IsString()
  channelId!: string;
}

export class PresenceOnline {
  @IsOptional()
  @IsBoolean()
  idle?: boolean;
}

export const validated = new ValidationPipe({
  whitelist: true,
  exceptionFactory: (errors) =>
    new WsException(errors.flatMap(({ constraints }) => Object.values(constraints ?? {})).join('; ')),
});
