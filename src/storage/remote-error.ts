import { BundleError, isBundleError } from '../kit/errors.ts';

/** What went wrong on the way from a server, in our terms. */
export function remoteError(error: unknown, where: { file: string }): BundleError {
  if (isBundleError(error)) return error;
  const inner = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = inner instanceof Error ? inner.message : String(inner);
  const code = inner instanceof Error && 'code' in inner ? String(inner.code) : '';
  const unknownCa = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/.test(code);
  const fix = 'if the server has a CA of its own, name it: NODE_EXTRA_CA_CERTS=ca.pem bulla …';
  return new BundleError('REMOTE_FAILED', `the transfer failed: ${text}`, {
    where,
    cause: error,
    ...(unknownCa ? { fix } : {}),
  });
}
