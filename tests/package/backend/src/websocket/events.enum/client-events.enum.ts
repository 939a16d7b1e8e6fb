export enum ClientEvents {
  JOIN_ROOM = 'joinRoom',
  SEND_MESSAGE = 'sendMessage',
  TYPING_START = 'typingStart',
}
