// `node --conditions=development --import …/register.mjs FILE.ts`: child processes and worker threads of tests run from source, as jest does.
import { register } from 'node:module';

register('./hooks.mjs', import.meta.url);
