// The REST side of channels: what is posted here reaches the sockets too.

import { BadRequestException, Body, Controller, Get, Param, Post, Req, UseGuards } from '@nestjs/common';
import { BadInput, readMessage, readTextChannel } from '../../../chat/server/input.mjs';
import { JwtGuard } from '../auth/jwt.guard.mjs';
import type { RequestOfUser } from '../auth/jwt.guard.mjs';
import { ChatService } from './chat.service.mjs';

@Controller('api/channels/:channelId/messages')
@UseGuards(JwtGuard)
export class ChannelsController {
  constructor(private readonly chat: ChatService) {}

  @Get()
  list(@Param('channelId') channelId: string): unknown {
    return checked(() => this.chat.history.ofChannel(readTextChannel({ channelId })));
  }

  @Post()
  say(@Req() { user }: RequestOfUser, @Param('channelId') channelId: string, @Body() body: object): unknown {
    return checked(() => this.chat.say(user, channelId, readMessage({ ...body, channelId }).content));
  }
}

function checked<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw error instanceof BadInput ? new BadRequestException(error.message) : error;
  }
}
