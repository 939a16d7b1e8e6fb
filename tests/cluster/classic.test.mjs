import { pairsOf } from './pairs.mjs';

pairsOf('classic');
