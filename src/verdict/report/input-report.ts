import { type BundleSource, isPackage } from '../../kit/source.ts';
import type { InputReport } from './report.ts';

/** What was asked to be judged, as far as it has been read: the file as it was named, and the bundle in it where that is another. [inner.4] */
export function inputReport(source: BundleSource, format?: string): InputReport {
  const { name } = source;
  const { size, outer } = isPackage(source) ? {} : source;
  const own = {
    ...(size !== undefined && { size }),
    ...(format !== undefined && { format }),
  };
  if (!outer) return { name, ...own };
  const { member, ...around } = outer;
  return { ...around, ...(member !== undefined && { inner: { name: member, ...own } }) };
}
