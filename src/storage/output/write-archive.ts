import { gzip } from '../../archive/deflate/gzip.ts';
import type { PackFormat } from '../../archive/open-archive.ts';
import { writeTar } from '../../archive/tar/tar-writer.ts';
import { writeZip, type ZipFile, type ZipSink } from '../../archive/zip/zip-writer.ts';
import type { Limits } from '../../kit/limits.ts';

/** Whether a container needs an output that can be written again. */
export function needsPatching(format: PackFormat): boolean {
  return format === 'zip';
}

/** Writes the files into a container; returns how many bytes it has. @throws what the writers throw */
export async function writeArchive(
  format: PackFormat,
  files: AsyncIterable<ZipFile>,
  output: ZipSink,
  options: { readonly mtime: number; readonly limits?: Limits },
): Promise<number> {
  if (format === 'zip') return writeZip(files, output, options);
  const tar = writeTar(files, options);
  let bytes = 0;
  for await (const chunk of format === 'tgz' ? gzip(tar) : tar) {
    bytes += chunk.byteLength;
    await output.write(chunk);
  }
  return bytes;
}
