// Written from tables in Rust by `make generated`; edits are lost.

/** Events that the server sends. */
export enum ServerEvents {
  /** A message in a channel. */
  NEW_MESSAGE = 'newMessage',
  /** A message was edited. */
  UPDATE_MESSAGE = 'updateMessage',
  /** A message is gone. */
  DELETE_MESSAGE = 'deleteMessage',
  /** A direct message. */
  NEW_DM = 'newDirectMessage',
  /** The user was mentioned. */
  NEW_MENTION = 'newMention',
  /** Something else the user should know. */
  NOTIFICATION = 'notification',
  /** A user is online. */
  USER_ONLINE = 'userOnline',
  /** A user is offline. */
  USER_OFFLINE = 'userOffline',
  /** A user types, or has stopped. */
  USER_TYPING = 'userTyping',
  /** A user entered a voice channel. */
  VOICE_CHANNEL_USER_JOINED = 'voiceChannelUserJoined',
  /** A user left a voice channel. */
  VOICE_CHANNEL_USER_LEFT = 'voiceChannelUserLeft',
  /** A user's voice state changed. */
  VOICE_CHANNEL_USER_UPDATED = 'voiceChannelUserUpdated',
  /** An event was taken. */
  ACK = 'ack',
  /** An event was refused or failed. */
  ERROR = 'error',
}

/** Events that clients send. */
export enum ClientEvents {
  /** Enter all rooms of the user's communities. */
  JOIN_ALL = 'joinAll',
  /** Enter one room. */
  JOIN_ROOM = 'joinRoom',
  /** Leave one room. */
  LEAVE_ROOM = 'leaveRoom',
  /** The user is there; renews a lease. */
  PRESENCE_ONLINE = 'presenceOnline',
  /** A message for a channel. */
  SEND_MESSAGE = 'sendMessage',
  /** A direct message. */
  SEND_DM = 'sendDirectMessage',
  /** The user begins to type. */
  TYPING_START = 'typingStart',
  /** The user has stopped typing. */
  TYPING_STOP = 'typingStop',
  /** Enter a voice channel. */
  VOICE_CHANNEL_JOIN = 'voice_channel_join',
  /** Leave a voice channel. */
  VOICE_CHANNEL_LEAVE = 'voice_channel_leave',
  /** Muted, deafened and the like. */
  VOICE_STATE_UPDATE = 'voice_state_update',
  /** Still in voice; renews a lease. */
  VOICE_PRESENCE_REFRESH = 'voice_presence_refresh',
}

/** Names of rooms. */
export const rooms = {
  /** Messages in one channel. */
  channel: (id: string | number) => `channel:${id}` as const,
  /** Everybody of a community. */
  community: (id: string | number) => `community:${id}` as const,
  /** All connections of a user. */
  user: (id: string | number) => `user:${id}` as const,
  /** Those who watch a user's presence. */
  presence: (id: string | number) => `presence:${id}` as const,
  /** Those who are in a voice channel. */
  voice: (id: string | number) => `voice:${id}` as const,
  /** The members of a direct-message conversation. */
  dm: (id: string | number) => `dm:${id}` as const,
};
