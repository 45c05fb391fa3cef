import { ERROR_TABLE } from '../../../kit/errors/error-codes.ts';
import { BundleError, type ErrorCode } from '../../../kit/errors/errors.ts';
import { EXIT_CODES, exitCodeOf } from '../../../verdict/report/exit-codes.ts';
import { fixOf } from '../../advice.ts';
import { EXIT_MEANINGS } from '../../exit-meanings.ts';
import { field } from '../../render/field.ts';

/** The codes of errors, as they stand behind a refusal. */
export const CODES = Object.keys(ERROR_TABLE) as readonly ErrorCode[];

/** What a code of an error or of a run says, a row each; nothing for a word that is neither. [cli.35] */
export function helpOnCode(word: string): readonly string[] {
  const name = CODES.find((code) => code === word.toUpperCase());
  if (name !== undefined) return onError(name);
  const [code, meaning] = EXIT_MEANINGS.find(([code]) => `${code}` === word) ?? [];
  if (code === undefined || meaning === undefined) return [];
  const errors = CODES.filter((name) => EXIT_CODES[ERROR_TABLE[name].kind] === code);
  return [
    `Exit code ${code}: ${meaning}`,
    ...(errors.length > 0 ? [field('errors', errors.join(', ')), field('more', 'bulla help CODE')] : []),
  ];
}

function onError(name: ErrorCode): readonly string[] {
  const error = new BundleError(name, '');
  const exit = exitCodeOf([error]);
  const meaning = EXIT_MEANINGS.find(([code]) => code === exit)?.[1];
  const own = error.forMaker();
  return [
    `${name}: exit code ${exit}, ${meaning}`,
    field('why', error.why),
    field('do', fixOf(error)),
    ...(own === error ? [] : [field('if yours', fixOf(own))]),
  ];
}
