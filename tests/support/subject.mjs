// What the tests run against: our own package, socket.io itself as the oracle (SUBJECT=socket.io), so that a test of
// shared behaviour can be shown to describe socket.io before it judges us, or socket.io on the native engine
// (SUBJECT=bridge).
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

export const subject = process.env.SUBJECT || 'native';
export const isNative = subject === 'native';
export const isBridge = subject === 'bridge';

// The string a child process, a worker or a CommonJS file passes to require().
export const nativePath = fileURLToPath(new URL('../../node-binding', import.meta.url));
const paths = {
  native: nativePath,
  'socket.io': require.resolve('socket.io'),
  bridge: fileURLToPath(new URL('bridge.cjs', import.meta.url)),
};
if (!paths[subject]) throw new Error(`SUBJECT: expected ${Object.keys(paths).join(', ')}, got "${subject}"`);
export const subjectPath = paths[subject];

// The folder with the subject's package.json.
export const subjectRoot = isNative ? subjectPath : dirname(require.resolve('socket.io/package.json'));

export const subjectModule = require(subjectPath);
export const { Server } = subjectModule;

// Option for tests of what socket.io doesn't have: { skip: false } on native, a reason elsewhere.
export const nativeOnly = { skip: isNative ? false : 'only kraken-ws-native offers this' };

// socket.io takes a parser module where kraken-ws-native takes a name.
export const msgpackParser = isNative ? 'msgpack' : require('socket.io-msgpack-parser');
