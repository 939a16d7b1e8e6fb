import { testHost } from './support/driven.mjs';

testHost('callbacks');
