// The application's data, in memory: made-up users, one community, its channels.
import { Injectable } from '@nestjs/common';

export interface User {
  id: string;
  name: string;
}

export interface Message {
  id: string;
  channelId: string;
  authorId: string;
  content: string;
  sentAt: Date;
}

@Injectable()
export class Data {
  readonly users = new Map<string, User>(
    ['ada', 'grace', 'linus', 'eve'].map((id) => [id, { id, name: id.toUpperCase() }]),
  );
  /** Eve belongs to no community. */
  readonly members = new Map<string, Set<string>>([['sea', new Set(['ada', 'grace', 'linus'])]]);
  readonly channels = new Map<string, { communityId: string; moderators: Set<string> }>([
    ['general', { communityId: 'sea', moderators: new Set(['grace']) }],
    ['lounge', { communityId: 'sea', moderators: new Set(['grace']) }],
  ]);
  readonly messages = new Map<string, Message>();
  private serial = 0;

  communitiesOf(userId: string): string[] {
    return [...this.members].filter(([, users]) => users.has(userId)).map(([id]) => id);
  }

  channelsOf(communityId: string): string[] {
    return [...this.channels].filter(([, channel]) => channel.communityId === communityId).map(([id]) => id);
  }

  isMember(userId: string, channelId: string): boolean {
    const channel = this.channels.get(channelId);
    return channel !== undefined && this.members.get(channel.communityId)!.has(userId);
  }

  mayRemove(userId: string, messageId: string): boolean {
    const message = this.messages.get(messageId);
    if (!message) return false;
    return message.authorId === userId || this.channels.get(message.channelId)!.moderators.has(userId);
  }

  addMessage(channelId: string, authorId: string, content: string): Message {
    this.serial += 1;
    const message = { id: `m${this.serial}`, channelId, authorId, content, sentAt: new Date() };
    this.messages.set(message.id, message);
    return message;
  }
}
