// uWebSockets.js for this Node. The package's own entry falls back to a slow JavaScript imitation when its
// binary does not load; a bench must fail instead, so the binary is required directly.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
const PACKAGE = '@trufflesuite/uws-js-unofficial';

export const uws = require(
  `${PACKAGE}/binaries/uws_${process.platform}_${process.arch}_${process.versions.modules}.node`,
);
export const uwsVersion = require(`${PACKAGE}/package.json`).version.replace('-unofficial.0', '');
