// socket.io with the native engine under each of its servers: the subject of SUBJECT=bridge.
const socketio = require('socket.io');
const { bindNative } = require('../../node-binding');

class Server extends socketio.Server {
  constructor(...args) {
    super(...args);
    bindNative(this);
  }
}

module.exports = Object.assign((...args) => new Server(...args), socketio, { Server });
