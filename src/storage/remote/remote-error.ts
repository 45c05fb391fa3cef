import type { Advised } from '../../kit/errors/advice.ts';
import { BundleError, isBundleError } from '../../kit/errors/errors.ts';
import type { Fail } from './http-client.ts';

/** What keeps the server of a bundle from being of use, in our terms. */
export function remoteFailure(where: { readonly file: string }): Fail {
  return (problem, cause) => {
    if (isBundleError(cause)) return cause;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const unknownCa = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/.test(code);
    const fix: Advised = {
      text: 'if the server has a CA of its own, name its certificate in NODE_EXTRA_CA_CERTS',
      advice: 'name-server-ca',
    };
    return new BundleError('REMOTE_FAILED', `the server ${problem}`, {
      where,
      cause,
      ...(unknownCa && { fix }),
    });
  };
}
