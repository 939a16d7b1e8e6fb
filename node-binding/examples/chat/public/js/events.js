// The names of the specification's WebSocket module: events from clients, events from the server,
// and rooms. The server imports this file and the page loads it, so each string is spelled once.

export const ClientEvents = Object.freeze({
  JOIN_ALL: 'joinAll',
  JOIN_ROOM: 'joinRoom',
  LEAVE_ROOM: 'leaveRoom',
  PRESENCE_ONLINE: 'presenceOnline',
  SEND_MESSAGE: 'sendMessage',
  SEND_DM: 'sendDirectMessage',
  TYPING_START: 'typingStart',
  TYPING_STOP: 'typingStop',
  VOICE_CHANNEL_JOIN: 'voice_channel_join',
  VOICE_CHANNEL_LEAVE: 'voice_channel_leave',
  VOICE_STATE_UPDATE: 'voice_state_update',
  VOICE_PRESENCE_REFRESH: 'voice_presence_refresh',
});

export const ServerEvents = Object.freeze({
  NEW_MESSAGE: 'newMessage',
  NEW_DM: 'newDirectMessage',
  USER_ONLINE: 'userOnline',
  USER_OFFLINE: 'userOffline',
  USER_TYPING: 'userTyping',
  VOICE_CHANNEL_USER_JOINED: 'voiceChannelUserJoined',
  VOICE_CHANNEL_USER_LEFT: 'voiceChannelUserLeft',
  VOICE_CHANNEL_USER_UPDATED: 'voiceChannelUserUpdated',
  ERROR: 'error',
  // The demo's own, for the corner of the page; the specification has no such event.
  FIGURES: 'serverFigures',
});

export const rooms = Object.freeze({
  channel: (channelId) => `channel:${channelId}`,
  community: (communityId) => `community:${communityId}`,
  user: (userId) => `user:${userId}`,
  presence: (userId) => `presence:${userId}`,
  voice: (channelId) => `voice:${channelId}`,
});
