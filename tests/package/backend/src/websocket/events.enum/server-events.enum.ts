export enum ServerEvents {
  NEW_MESSAGE = 'newMessage',
  USER_TYPING = 'userTyping',
  NOTIFICATION = 'notification',
  ERROR = 'error',
}
