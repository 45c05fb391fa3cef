import { isAbsolute, join } from 'node:path';
import { isHeldElsewhere } from '../../formats/keys/key-name.ts';
import type { SourceOptions } from '../../kit/source.ts';
import { isAbsent } from '../absence.ts';
import { parseSettingsFile } from './toml-file.ts';
import { readText } from './trust-folder.ts';

/** What a settings file may say: who signs where nobody is named, and nothing about whom to trust. [cli.29] */
const SETTINGS = ['key', 'cert', 'chain', 'passphrase-file', 'tsa'] as const;

/** The name of a setting, which is that of an option without its dashes. */
export type SettingName = (typeof SETTINGS)[number];

/** A settings file: `values` are whole paths, and the address of a timestamp authority. */
export interface SettingsFile {
  readonly file: string;
  readonly values: Readonly<Partial<Record<SettingName, string>>>;
}

/**
 * The `config.toml` in a trust folder; undefined when there surely is none. Relative names in it are seen from that folder. [cli.29]
 *
 * @throws {BundleError} `CONFIG_INVALID`, `FILE_UNREADABLE`, and what waiting for a pipe comes to
 */
export async function readSettingsFile(
  folder: string,
  waiting: SourceOptions,
): Promise<SettingsFile | undefined> {
  const file = join(folder, 'config.toml');
  if (isAbsent(file)) return undefined;
  const given = await parseSettingsFile(
    await readText(file, waiting),
    file,
    ({ z }) => {
      const text = z.string('not a text in quotes').min(1, 'it is empty: leave the key out');
      const path = text.refine(
        (value) => !value.startsWith('~'),
        '"~" means nothing here: write the whole path',
      );
      return z
        .strictObject({ key: path, cert: path, chain: path, 'passphrase-file': path, tsa: text })
        .partial();
    },
    { text: `correct the file; it may have ${SETTINGS.join(', ')}`, advice: 'see-settings' },
  );
  const values = Object.entries(given).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, isWhole(name, value) ? value : join(folder, value)]],
  );
  return { file, values: Object.fromEntries(values) };
}

/** An address, a key that is in no file [key.1], or a whole path. */
function isWhole(name: string, value: string): boolean {
  return name === 'tsa' || (name === 'key' && isHeldElsewhere(value)) || isAbsolute(value);
}
