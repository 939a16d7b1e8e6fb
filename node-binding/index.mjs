// For `import`: the CommonJS build under the names that ES modules can see.
import create from './dist/index.js';

export const {
  Server,
  Namespace,
  ParentNamespace,
  Socket,
  RemoteSocket,
  BroadcastOperator,
  setServer,
  sendToRoom,
  sendToAll,
  joinSocketsToRoom,
  removeSocketsFromRoom,
  bindNative,
} = create;

export default create;
