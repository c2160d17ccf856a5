import { COPYING } from './copying.js';
import { EXTENDED } from './extended.js';
import { LIFECYCLE } from './lifecycle.js';
import type { Script } from './script.js';
import { SIZES } from './sizes.js';

export const SCRIPTS: readonly Script[] = [...EXTENDED, ...COPYING, ...SIZES, ...LIFECYCLE];
