// What the application's events carry, for typed servers, sockets and clients. Named are the fields that rooms
// and answers depend on; an application extends the interfaces with its own:
//
//   interface Payloads extends ServerPayloads { [ServerEvents.NEW_MESSAGE]: MessageDto }
//   server: Server<ClientToServerEvents, ServerToClientEvents<Payloads>>
import type { ClientEvents, ServerEvents } from '../generated/kraken';

/** Something in a channel; the rest is the application's. */
export interface InChannel {
  channelId: string;
  [field: string]: any;
}

/** Something about a user; the rest is the application's. */
export interface AboutUser {
  userId: string;
  [field: string]: any;
}

/** A user's place in a voice channel. */
export interface VoiceMember extends AboutUser {
  channelId: string;
}

/** What clients send, by event. */
export interface ClientPayloads {
  [ClientEvents.JOIN_ALL]: any;
  [ClientEvents.JOIN_ROOM]: any;
  [ClientEvents.LEAVE_ROOM]: any;
  [ClientEvents.PRESENCE_ONLINE]: { idle?: boolean };
  [ClientEvents.SEND_MESSAGE]: InChannel;
  [ClientEvents.SEND_DM]: any;
  [ClientEvents.TYPING_START]: InChannel;
  [ClientEvents.TYPING_STOP]: InChannel;
  [ClientEvents.VOICE_CHANNEL_JOIN]: InChannel;
  [ClientEvents.VOICE_CHANNEL_LEAVE]: any;
  [ClientEvents.VOICE_STATE_UPDATE]: any;
  [ClientEvents.VOICE_PRESENCE_REFRESH]: any;
}

/** What the server sends, by event. */
export interface ServerPayloads {
  [ServerEvents.NEW_MESSAGE]: any;
  [ServerEvents.UPDATE_MESSAGE]: any;
  [ServerEvents.DELETE_MESSAGE]: any;
  [ServerEvents.NEW_DM]: any;
  [ServerEvents.NEW_MENTION]: any;
  [ServerEvents.NOTIFICATION]: any;
  [ServerEvents.USER_ONLINE]: AboutUser;
  [ServerEvents.USER_OFFLINE]: AboutUser;
  [ServerEvents.USER_TYPING]: AboutUser;
  [ServerEvents.VOICE_CHANNEL_USER_JOINED]: VoiceMember;
  [ServerEvents.VOICE_CHANNEL_USER_LEFT]: VoiceMember;
  [ServerEvents.VOICE_CHANNEL_USER_UPDATED]: VoiceMember;
  [ServerEvents.ACK]: any;
  [ServerEvents.ERROR]: { message: string | object; event: string };
}

/** The first type argument of `Server` and `Socket`: every event may be acknowledged. */
export type ClientToServerEvents<Payloads extends ClientPayloads = ClientPayloads> = {
  [Event in keyof Payloads]: (payload: Payloads[Event], ack?: (answer: any) => void) => void;
};

/** The second type argument of `Server` and `Socket`. */
export type ServerToClientEvents<Payloads extends ServerPayloads = ServerPayloads> = {
  [Event in keyof Payloads]: (payload: Payloads[Event]) => void;
};
