import { BundleError } from '../../kit/errors/errors.ts';
import { DESCRIPTOR_NAME } from '../../kit/read-names.ts';
import { habitBehind } from '../walk/stray-members.ts';

/** The one descriptor among the names at the top of a folder. @throws {BundleError} `PACKAGE_UNKNOWN`, `PACKAGE_AMBIGUOUS` [pack.17] */
export function descriptorAmong(names: readonly string[]): string {
  const [first, second] = names.filter((name) => DESCRIPTOR_NAME.test(name));
  if (first === undefined) {
    throw new BundleError('PACKAGE_UNKNOWN', 'the folder holds no descriptor (.ovf) at its top', {
      why: 'without a descriptor nothing says which of its files make a machine',
      fix: { text: 'name the disk images themselves, or the folder with the .ovf', advice: 'pack-named' },
    });
  }
  if (second === undefined) return first;
  throw new BundleError('PACKAGE_AMBIGUOUS', `the folder has both "${first}" and "${second}"`, {
    why: 'each of them describes a machine, and a bundle has one descriptor',
    fix: 'give one of the two by its name, in place of the folder: its files are found beside it',
    ...habitBehind(first),
    ...habitBehind(second),
  });
}
