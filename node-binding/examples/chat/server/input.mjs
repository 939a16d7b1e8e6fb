// What clients send is checked here, before any of it reaches the chat's state.

import { findChannel } from './community.mjs';

/** A client's mistake: its message goes back to that client in an `error` event. */
export class BadInput extends Error {}

const NAME_MAX = 24;
const CONTENT_MAX = 2000;
const ROOM_MAX = 100;

function fields(payload) {
  if (payload === null || typeof payload !== 'object' || Array.isArray(payload)) {
    throw new BadInput('expected an object as payload');
  }
  return payload;
}

function text(value, name, max) {
  if (typeof value !== 'string') throw new BadInput(`${name}: expected a string`);
  const trimmed = value.trim();
  if (trimmed === '') throw new BadInput(`${name}: must not be empty`);
  if (trimmed.length > max) throw new BadInput(`${name}: at most ${max} characters`);
  return trimmed;
}

/**
 * A user from what the page puts in `handshake.auth`. The demo has no accounts: who gives the same
 * name is the same user, so a second window under that name is a second connection of that user.
 */
export function readUser(auth) {
  // Control and direction-override characters could make one name look like another's.
  const name = text(fields(auth).name, 'name', NAME_MAX).normalize('NFKC').replace(/[\p{Cc}\p{Cf}]/gu, '');
  return { id: text(name, 'name', NAME_MAX).toLowerCase().replace(/\s+/g, '-'), name };
}

export function readMessage(payload) {
  return { channelId: readTextChannel(payload), content: text(payload.content, 'content', CONTENT_MAX) };
}

export function readDirectMessage(payload) {
  const { to, content } = fields(payload);
  return { to: text(to, 'to', ROOM_MAX), content: text(content, 'content', CONTENT_MAX) };
}

export const readTextChannel = (payload) => readChannel(payload, 'text');
export const readVoiceChannel = (payload) => readChannel(payload, 'voice');

function readChannel(payload, kind) {
  const id = text(fields(payload).channelId, 'channelId', ROOM_MAX);
  if (!findChannel(id, kind)) throw new BadInput(`channelId: no ${kind} channel "${id}"`);
  return id;
}

export function readFlag(payload, name) {
  const value = fields(payload)[name];
  if (typeof value !== 'boolean') throw new BadInput(`${name}: expected true or false`);
  return value;
}

/** A room name split at its first colon; only the kinds a client may choose for itself pass. */
export function readRoom(value) {
  const room = text(value, 'room', ROOM_MAX);
  const [, kind, id] = /^(channel|presence):(.+)$/s.exec(room) ?? [];
  if (kind === 'presence' || (kind === 'channel' && findChannel(id, 'text'))) return { room, kind, id };
  throw new BadInput(`room: "${room}" can't be joined by request`);
}

/** At most `limit` events in any window of `windowMs`, the application's own throttle of 50 in 10 s. */
export function createBudget(limit = 50, windowMs = 10_000) {
  let windowEnds = 0;
  let left = 0;
  return function spend(now = Date.now()) {
    if (now >= windowEnds) {
      windowEnds = now + windowMs;
      left = limit;
    }
    if (left === 0) throw new BadInput('too many events, wait a few seconds');
    left -= 1;
  };
}
