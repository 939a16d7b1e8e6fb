import { pairsOf } from './pairs.mjs';

pairsOf('static');
