// What the tests run against: our own package, or socket.io itself as the oracle (SUBJECT=socket.io), so
// that a test of shared behaviour can be shown to describe socket.io before it judges us.
import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);

export const subject = process.env.SUBJECT || 'native';
export const isNative = subject === 'native';

// The string a child process, a worker or a CommonJS file passes to require().
export const subjectPath = isNative
  ? fileURLToPath(new URL('../../node-binding', import.meta.url))
  : require.resolve('socket.io');

// The folder with the subject's package.json.
export const subjectRoot = isNative ? subjectPath : dirname(require.resolve('socket.io/package.json'));

if (!isNative && subject !== 'socket.io') {
  throw new Error(`SUBJECT: expected native or socket.io, got "${subject}"`);
}

export const subjectModule = require(subjectPath);
export const { Server } = subjectModule;

// Option for tests of what socket.io doesn't have: { skip: false } on native, a reason elsewhere.
export const nativeOnly = { skip: isNative ? false : 'only kraken-ws-native offers this' };

// socket.io takes a parser module where kraken-ws-native takes a name.
export const msgpackParser = isNative ? 'msgpack' : require('socket.io-msgpack-parser');
