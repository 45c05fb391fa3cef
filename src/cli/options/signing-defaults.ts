import type { Command } from 'commander';
import { BundleError } from '../../kit/errors/errors.ts';
import type { SettingName, SettingsFile } from '../../storage/trust/settings-file.ts';
import type { DefaultReport } from '../../verdict/report/report.ts';
import type { Context } from '../context.ts';
import type { SignerFlags } from './sign-options.ts';

/** The variables that stand for options. */
export const SIGNING_VARIABLES = {
  key: 'BULLA_KEY',
  cert: 'BULLA_CERT',
  chain: 'BULLA_CHAIN',
  'passphrase-file': 'BULLA_PASSPHRASE_FILE',
  tsa: 'BULLA_TSA',
} as const satisfies Record<SettingName, string>;

/** A value, and how far it is from the command line: 0 is that itself. */
interface Candidate extends DefaultReport {
  readonly value: string;
  readonly rank: number;
}

/** Finds the value of a setting that is nearest to the command line; an empty one, of a variable, says that there is to be none. */
type FindSetting = (name: SettingName) => Candidate | undefined;

/** The environment, then the user's file, then the system's. [cli.29] @throws {BundleError} what reading them comes to */
export async function settingsOf(context: Context): Promise<FindSetting> {
  const { readSettingsFile } = await import('../../storage/trust/settings-file.ts');
  const { sourceOptions } = await import('../../kit/source.ts');
  const files: SettingsFile[] = [];
  for (const folder of [...context.trustFolders].reverse()) {
    const found = await readSettingsFile(folder, sourceOptions(context));
    if (found) files.push(found);
  }
  return (name) => {
    const option = `--${name}`;
    const from = SIGNING_VARIABLES[name];
    const variable = context.env[from];
    if (variable !== undefined) return { option, from, value: variable, rank: 1 };
    const at = files.findIndex(({ values }) => values[name] !== undefined);
    const found = files[at];
    return found && { option, from: found.file, value: found.values[name] ?? '', rank: 2 + at };
  };
}

/**
 * Puts the values of options that the command line left out where the parser puts those that it has, for the commands that sign
 * or have timestamps made, and returns what was put there. [cli.29]
 *
 * @throws {BundleError} `CONFIG_INVALID`, and what reading the settings comes to
 */
export async function takeDefaults(command: Command, context: Context): Promise<readonly DefaultReport[]> {
  const has = (long: string): boolean => command.options.some((option) => option.long === long);
  const signs = has('--chain');
  const timestamps = has('--tsr-in');
  if (!signs && !timestamps) return [];
  const find = await settingsOf(context);
  const given = (name: string): boolean => command.getOptionValue(name) !== undefined;
  if (given('prepare')) return [];
  const taken = signs
    ? given('attach')
      ? [given('tsa') ? undefined : find('tsa')]
      : await signingDefaults(find, given, context)
    : ['tsa', 'tsqOut', 'tsrIn'].some(given)
      ? []
      : [find('tsa')];
  return taken.flatMap((one) => {
    if (one === undefined || one.value === '') return [];
    const { option, from, value } = one;
    command.setOptionValueWithSource(flagOf(option), value, from);
    return [{ option, from }];
  });
}

/** Who would sign where the command line names nobody, by the names of the flags; empty where nobody would. [cli.30] @throws {BundleError} `CONFIG_INVALID` for half of what a signature needs */
export async function defaultSigner(find: FindSetting, context: Context): Promise<SignerFlags> {
  const taken = await signingDefaults(find, () => false, context);
  return Object.fromEntries(
    taken.flatMap((one) => (one && one.value !== '' ? [[flagOf(one.option), one.value]] : [])),
  );
}

function flagOf(option: string): string {
  return option === '--passphrase-file' ? 'passphraseFile' : option.slice(2);
}

/**
 * What is beside a key or a certificate belongs to it: intermediates count as far as the certificate is not named nearer to the
 * command line than they are, a certificate and a passphrase as far as the key is not. [cli.29]
 *
 * @throws {BundleError} `CONFIG_INVALID` for half of what a signature needs
 */
async function signingDefaults(
  find: FindSetting,
  given: (name: string) => boolean,
  context: Context,
): Promise<readonly (Candidate | undefined)[]> {
  const upTo = (name: SettingName, rank: number): Candidate | undefined => {
    const found = find(name);
    return found && found.value !== '' && found.rank <= rank ? found : undefined;
  };
  const key = given('key') ? undefined : find('key');
  if (key?.value === '') return [];
  if (!key && !given('key')) {
    const alone = given('cert') ? undefined : upTo('cert', Number.POSITIVE_INFINITY);
    if (alone) throw half(alone);
    return [];
  }
  const keyRank = key?.rank ?? 0;
  const cert = given('cert') ? undefined : upTo('cert', keyRank);
  if (key && !cert && !given('cert') && !(await mayHoldCertificate(key.value, context))) throw half(key);
  return [
    key,
    cert,
    given('chain') ? undefined : upTo('chain', given('cert') ? 0 : (cert?.rank ?? keyRank)),
    // that of the variable is found where it is needed, for any key
    given('passphraseFile') ? undefined : notVariable(upTo('passphrase-file', keyRank)),
    given('tsa') || given('answer') ? undefined : upTo('tsa', Number.POSITIVE_INFINITY),
  ];
}

/** Whether a key may have its certificate with it. [pub.24] [key.1] A pipe is read once, by what signs, so that it may. */
async function mayHoldCertificate(file: string, context: Context): Promise<boolean> {
  const { isHeldElsewhere } = await import('../../formats/keys/key-name.ts');
  if (isHeldElsewhere(file)) return true;
  const { fileFault, isRegularFile } = await import('../../storage/programs.ts');
  if (fileFault(file)) return false;
  if (!isRegularFile(file)) return true;
  const { readSmallFile } = await import('../../storage/trust/small-files.ts');
  const { kindOfBytes } = await import('../../formats/credentials/credential-kind.ts');
  const { sourceOptions } = await import('../../kit/source.ts');
  return kindOfBytes(await readSmallFile(file, sourceOptions(context))) === 'pkcs12';
}

function notVariable(found: Candidate | undefined): Candidate | undefined {
  return found?.rank === 1 ? undefined : found;
}

function half({ option, from }: Candidate): BundleError {
  const isKey = option === '--key';
  const other = isKey ? 'certificate' : 'key';
  return new BundleError(
    'CONFIG_INVALID',
    `${from} names a ${isKey ? 'key' : 'certificate'}, and nothing names its ${other}`,
    {
      why: isKey
        ? 'a signature needs both; a certificate counts from the place that names the key, or one nearer to the command line'
        : 'a signature needs both',
      fix: `name the ${other}, too: ${isKey ? '--cert' : '--key'}, ${isKey ? 'BULLA_CERT' : 'BULLA_KEY'} or config.toml; bulla env shows what is configured`,
    },
  );
}
