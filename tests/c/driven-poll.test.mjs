import { testHost } from './support/driven.mjs';

testHost('poll');
