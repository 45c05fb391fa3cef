import { BundleError, type Where } from '../../kit/errors/errors.ts';

/** How often a passphrase is worked over for one file at the most: some seconds. Programs write from 2,000 to some hundred thousand. */
const MOST_ROUNDS = 2_000_000;

/**
 * Refuses a file that asks for more work than that, whoever wrote it.
 *
 * @param rounds of all its parts together [pub.25]
 * @throws {BundleError} `KEY_UNREADABLE`
 */
export function expectRounds(rounds: number, where: Where): void {
  if (rounds <= MOST_ROUNDS) return;
  throw new BundleError(
    'KEY_UNREADABLE',
    'the file asks for far more work with its passphrase than programs do',
    {
      where,
      why: 'the program would seem to hang; a file that was made to do that is no key to sign with',
      fix: 'have the key exported anew',
    },
  );
}
