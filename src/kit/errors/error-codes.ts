import { ARCHIVE_ERRORS } from './archive-errors.ts';
import { BUNDLE_ERRORS } from './bundle-errors.ts';
import { USE_ERRORS } from './use-errors.ts';

/** Every code with its kind, why it matters and what to do; `spec/errors.md` documents each, a test keeps the two together. */
export const ERROR_TABLE = { ...USE_ERRORS, ...ARCHIVE_ERRORS, ...BUNDLE_ERRORS };
