// An application that runs until a signal ends it: node until-signal.js DOOR
import type { Door } from './door.js';
import { EndingModule } from './lifecycle.js';
import { start } from './start.js';

void start(EndingModule, process.argv[2] as Door, 'express', {}, (app) => app.enableShutdownHooks()).then(({ url }) =>
  console.log(url),
);
