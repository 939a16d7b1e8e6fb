export * from './dist/nest/index.js';
