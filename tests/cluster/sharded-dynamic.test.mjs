import { pairsOf } from './pairs.mjs';

pairsOf('dynamic');
