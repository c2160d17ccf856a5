export { runUp, type UpOptions } from './up/index.js';
