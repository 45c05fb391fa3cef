import { BundleError } from '../../kit/errors/errors.ts';
import type { PackageFile, PackageSource, Source, SourceOptions } from '../../kit/source.ts';
import { showAddress } from '../remote/address.ts';
import type { HttpOptions } from '../remote/http-client.ts';
import { openAddress } from './https-source.ts';

/**
 * A package of files on a server: what lies beside the descriptor or manifest that an address names. [pkg.5]
 *
 * A server lists nothing: its parts are asked for by name, and what it does not have (404, 410) is not there.
 *
 * @param asked the name of that file, such as `app.ovf`
 * @param base what the parts have in common, such as `app`
 * @throws {BundleError} `REMOTE_FAILED`, `REMOTE_UNAUTHORISED`, `INPUT_STALLED`, `USAGE`
 */
export async function openServerSource(
  address: URL,
  { asked, base }: { readonly asked: string; readonly base: string },
  options: SourceOptions & Pick<HttpOptions, 'ca'>,
): Promise<PackageSource> {
  const name = showAddress(address.href);
  let first = await openAddress(address, options); // it is there, and whoever may not see it is told so before all else
  if (!first) {
    throw new BundleError('REMOTE_FAILED', 'the server has no such file (404)', { where: { file: name } });
  }
  return {
    kind: 'package',
    name,
    partNames: () => ['ovf', 'mf', 'cert', 'tst', 'p7s'].map((kind) => `${base}.${kind}`),
    sizeOf: () => undefined,
    open: async (member) => {
      const source = member === asked ? first : await openAddress(beside(address, member), options);
      if (source === first) first = undefined;
      return source && remoteFile(source, member);
    },
    checkUnchanged: () => {},
    [Symbol.asyncDispose]: async () => first?.[Symbol.asyncDispose](),
  };
}

/** The address of a file beside another, each part of its name as it is written in an address. [pkg.5] */
function beside(address: URL, member: string): URL {
  const url = new URL(address);
  const folder = url.pathname.slice(0, url.pathname.lastIndexOf('/') + 1);
  url.pathname = folder + member.split('/').map(encodeURIComponent).join('/');
  url.search = '';
  url.hash = '';
  return url;
}

async function remoteFile(source: Source, member: string): Promise<PackageFile> {
  const { size } = source;
  if (size === undefined) {
    await source[Symbol.asyncDispose]();
    throw new BundleError('REMOTE_FAILED', `the server does not say how long "${member}" is`, {
      where: { file: source.name },
      why: 'a file that is cut could not be told from a whole one before all of it is stored',
      fix: 'ask whoever runs the server to send Content-Length; or fetch the files, and give their folder',
    });
  }
  return {
    size,
    stream: () => source.stream(),
    hold: () => false,
    [Symbol.asyncDispose]: () => source[Symbol.asyncDispose](),
  };
}
