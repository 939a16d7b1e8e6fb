// Turns client events into changes of the chat's state and those into broadcasts: the demo's
// counterpart of Kraken's gateways.

import { ClientEvents, ServerEvents, rooms } from '../public/js/events.js';
import { community } from './community.mjs';
import { History } from './history.mjs';
import * as input from './input.mjs';
import { Presence } from './presence.mjs';
import { Voice, describe } from './voice.mjs';

const { BadInput } = input;

const SWEEP_MS = 5_000;
// Own id, own user, the community and its channels need a dozen; the rest is presence rooms.
const ROOMS_PER_SOCKET = 200;

/**
 * Serves the chat on `io`. `send` has the package's `sendToRoom` and `sendToAll`.
 * Returns a function that stops the timers.
 */
export function startGateway(io, send) {
  const history = new History();
  const presence = new Presence();
  const voice = new Voice();

  function announceOnline(userId) {
    send.sendToAll(ServerEvents.USER_ONLINE, presence.describe(userId));
  }

  function announceOffline(user) {
    send.sendToAll(ServerEvents.USER_OFFLINE, { userId: user.id, name: user.name });
  }

  // Members and onlookers are in different rooms; who is in both sees it twice, which changes nothing.
  function announceVoice(event, member) {
    const payload = describe(member);
    send.sendToRoom(rooms.voice(member.channelId), event, payload);
    send.sendToRoom(rooms.channel(member.channelId), event, payload);
  }

  function leaveVoice(member) {
    voice.remove(member);
    announceVoice(ServerEvents.VOICE_CHANNEL_USER_LEFT, member);
    io.in(member.socketId).socketsLeave(rooms.voice(member.channelId));
  }

  io.use((socket, next) => {
    try {
      socket.data.user = input.readUser(socket.handshake.auth);
      next();
    } catch (error) {
      const refusal = new Error('AUTH_FAILED');
      refusal.data = { message: error instanceof BadInput ? error.message : 'sign-in failed' };
      next(refusal);
    }
  });

  io.on('connection', (socket) => {
    const { user } = socket.data;
    /** Channels where this connection is typing, so that closing the window ends it for others. */
    const typing = new Set();

    socket.join(rooms.user(user.id));
    if (presence.connect(user, socket.id)) announceOnline(user.id);

    function setTyping(channelId, isTyping) {
      if (isTyping) typing.add(channelId);
      else if (!typing.delete(channelId)) return;
      const payload = { channelId, userId: user.id, name: user.name, isTyping };
      socket.to(rooms.channel(channelId)).emit(ServerEvents.USER_TYPING, payload);
    }

    const handlers = {
      [ClientEvents.JOIN_ALL]() {
        socket.join(rooms.community(community.id));
        for (const channel of community.channels) socket.join(rooms.channel(channel.id));
        return {
          me: user,
          community,
          online: presence.online(),
          voice: voice.all(),
          threads: history.threadsOf(user.id),
        };
      },

      [ClientEvents.JOIN_ROOM](payload) {
        const { room, kind, id } = input.readRoom(payload);
        if (socket.rooms.size >= ROOMS_PER_SOCKET) throw new BadInput('too many rooms joined');
        socket.join(room);
        return kind === 'channel' ? { room, messages: history.ofChannel(id) } : { room };
      },

      [ClientEvents.LEAVE_ROOM](payload) {
        const { room } = input.readRoom(payload);
        socket.leave(room);
        return { room };
      },

      [ClientEvents.PRESENCE_ONLINE](payload) {
        const idle = payload?.idle === undefined ? false : input.readFlag(payload, 'idle');
        if (!presence.renew(user.id, socket.id, idle)) return;
        announceOnline(user.id);
        send.sendToRoom(rooms.presence(user.id), ServerEvents.USER_ONLINE, presence.describe(user.id));
      },

      [ClientEvents.SEND_MESSAGE](payload) {
        const { channelId, content } = input.readMessage(payload);
        setTyping(channelId, false);
        const message = history.addMessage(user, channelId, content);
        send.sendToRoom(rooms.channel(channelId), ServerEvents.NEW_MESSAGE, message);
        return { id: message.id, sentAt: message.sentAt };
      },

      [ClientEvents.SEND_DM](payload) {
        const { to, content } = input.readDirectMessage(payload);
        const peer = presence.find(to) ?? history.peerOf(user.id, to);
        if (!peer) throw new BadInput(`to: nobody here is called "${to}"`);
        const message = history.addDirectMessage(user, peer, content);
        send.sendToRoom(rooms.user(peer.id), ServerEvents.NEW_DM, message);
        if (peer.id !== user.id) send.sendToRoom(rooms.user(user.id), ServerEvents.NEW_DM, message);
        return { id: message.id, sentAt: message.sentAt };
      },

      [ClientEvents.TYPING_START]: (payload) => setTyping(input.readTextChannel(payload), true),
      [ClientEvents.TYPING_STOP]: (payload) => setTyping(input.readTextChannel(payload), false),

      [ClientEvents.VOICE_CHANNEL_JOIN](payload) {
        const channelId = input.readVoiceChannel(payload);
        const muted = payload.muted === undefined ? false : input.readFlag(payload, 'muted');
        const before = voice.find(user.id);
        if (before) leaveVoice(before);
        const member = voice.join(user, socket.id, channelId, muted);
        socket.join(rooms.voice(channelId));
        announceVoice(ServerEvents.VOICE_CHANNEL_USER_JOINED, member);
        return describe(member);
      },

      [ClientEvents.VOICE_CHANNEL_LEAVE]() {
        const member = voice.findBySocket(user.id, socket.id);
        if (member) leaveVoice(member);
      },

      [ClientEvents.VOICE_STATE_UPDATE](payload) {
        const member = requireVoice();
        member.muted = input.readFlag(payload, 'muted');
        voice.refresh(member);
        announceVoice(ServerEvents.VOICE_CHANNEL_USER_UPDATED, member);
        return describe(member);
      },

      [ClientEvents.VOICE_PRESENCE_REFRESH]() {
        voice.refresh(requireVoice());
      },
    };

    function requireVoice() {
      const member = voice.findBySocket(user.id, socket.id);
      if (!member) throw new BadInput('not in a voice channel');
      return member;
    }

    const spend = input.createBudget();
    for (const [event, handle] of Object.entries(handlers)) {
      socket.on(event, (...args) => {
        const ack = typeof args.at(-1) === 'function' ? args.pop() : () => {};
        try {
          spend();
          ack({ ok: true, ...handle(args[0]) });
        } catch (error) {
          const known = error instanceof BadInput;
          if (!known) console.error(`${event} of ${user.id}:`, error);
          const message = known ? error.message : 'Internal server error';
          socket.emit(ServerEvents.ERROR, { message, event });
          ack({ ok: false, error: message });
        }
      });
    }

    socket.on('disconnect', () => {
      for (const channelId of [...typing]) setTyping(channelId, false);
      const member = voice.findBySocket(user.id, socket.id);
      if (member) leaveVoice(member);
      if (presence.disconnect(user.id, socket.id)) announceOffline(user);
    });
  });

  const sweep = setInterval(() => {
    presence.expire().forEach(announceOffline);
    voice.expired().forEach(leaveVoice);
  }, SWEEP_MS);
  return () => clearInterval(sweep);
}
