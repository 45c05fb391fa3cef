import { availableParallelism } from 'node:os';
import { BundleError, toBundleError } from '../../../kit/errors/errors.ts';
import { type SourceOptions, sourceOptions } from '../../../kit/source.ts';
import type {
  EnvReport,
  FoundDefault,
  FoundFolder,
  FoundPublisher,
  FoundVariable,
} from '../../../operations/report/env-report.ts';
import type { Context } from '../../context.ts';
import { pluginFolders } from '../../options/key-options.ts';
import type { SignerFlags } from '../../options/sign-options.ts';
import { defaultSigner, SIGNING_VARIABLES, settingsOf } from '../../options/signing-defaults.ts';
import { version } from '../../version.ts';
import { faultOfConfiguration } from './fault-of-configuration.ts';

/** Variables that count, whose values may be shown. */
const SHOWN = [
  'BULLA_HOME',
  'XDG_CONFIG_HOME',
  ...Object.values(SIGNING_VARIABLES),
  'BULLA_DEBUG',
  'SOURCE_DATE_EPOCH',
  'NODE_EXTRA_CA_CERTS',
  'TMPDIR',
  'NO_COLOR',
  'FORCE_COLOR',
  'OS_AUTH_URL',
  'OS_CACERT',
  'OS_INTERFACE',
  'OS_REGION_NAME',
  'OS_APPLICATION_CREDENTIAL_ID',
  'OS_APPLICATION_CREDENTIAL_NAME',
  'OS_USERNAME',
  'OS_PROJECT_NAME',
  ...['OS_USER', 'OS_PROJECT', 'OS_DEFAULT'].flatMap((of) => [`${of}_DOMAIN_ID`, `${of}_DOMAIN_NAME`]),
  'OS_USER_ID',
  'OS_PROJECT_ID',
];
/** Those that are addresses, in which a password may be. */
const ADDRESSES = new Set(['BULLA_TSA', 'OS_AUTH_URL']);
/** Programs that advice names: none of them is needed. */
const PROGRAMS = ['openssl', 'qemu-img', 'virt-v2v', 'openstack', 'curl'];

/** What was found wrong, gathered on the way. */
interface Found {
  readonly problems: BundleError[];
  readonly warnings: string[];
}

/**
 * What bulla finds here: what is configured, where, and whether it can be used. It asks no network, starts no program and writes
 * nothing; what is configured and cannot be used is `CONFIG_INVALID`. [cli.30]
 */
export async function lookAround(context: Context): Promise<EnvReport> {
  const { makeReport } = await import('../../../verdict/report/report.ts');
  const { DEFAULT_LIMITS } = await import('../../../kit/limits.ts');
  const { programsIn } = await import('../../../storage/programs.ts');
  const { env } = context;
  const found: Found = { problems: [], warnings: [] };
  const folders: FoundFolder[] = [];
  for (const folder of context.trustFolders) {
    folders.push(await folderFound(folder, originOf(folder, context), found, sourceOptions(context)));
  }
  const defaults = await defaultsFound(context, found);
  if (env['NODE_TLS_REJECT_UNAUTHORIZED'] === '0') {
    found.warnings.push(
      'NODE_TLS_REJECT_UNAUTHORIZED is 0: Node would believe any server; unset it, whatever asks for it',
    );
  }
  return makeReport({
    operation: 'env',
    errors: found.problems,
    warnings: found.warnings,
    result: {
      bulla: { version: version(), file: process.argv[1] ?? '' },
      node: { version: process.version, file: process.execPath },
      openssl: process.versions.openssl ?? '',
      system: `${process.platform} ${process.arch}`,
      threads: Math.min(DEFAULT_LIMITS.threads, availableParallelism()),
      folders,
      defaults,
      variables: await variablesIn(env),
      programs: programsIn(env['PATH'] ?? '', PROGRAMS),
    },
  });
}

function originOf(folder: string, { env, trustFolders }: Context): string {
  if (folder !== trustFolders.at(-1)) return 'the folder of this machine, which overrules your own';
  if (env['BULLA_HOME']) return 'BULLA_HOME';
  return env['XDG_CONFIG_HOME'] ? 'XDG_CONFIG_HOME' : 'the usual place';
}

async function folderFound(
  folder: string,
  from: string,
  found: Found,
  waiting: SourceOptions,
): Promise<FoundFolder> {
  const { isAbsent } = await import('../../../storage/absence.ts');
  const { isOpenToOthers } = await import('../../../storage/programs.ts');
  const { absolute } = await import('../../../storage/absolute.ts');
  const { revocationFilesIn } = await import('../../../storage/trust/trust-folder.ts');
  const { readSettingsFile } = await import('../../../storage/trust/settings-file.ts');
  const { expectOwnWay } = await import('../../../storage/way-to.ts');
  if (isAbsent(folder)) return { folder, from, exists: false, publishers: [], lists: 0 };
  try {
    expectOwnWay(absolute(folder));
  } catch (error) {
    const { message, where } = faultOfConfiguration(error);
    found.warnings.push(`${where.file ?? folder}: ${message}, and so decide whom you trust`);
  }
  const publishers = await publishersFound(folder, found, waiting);
  const lists = await attempt(found, async () => revocationFilesIn(folder).length);
  const settings = await attempt(found, () => readSettingsFile(folder, waiting));
  if (settings && isOpenToOthers(settings.file, 'write'))
    found.warnings.push(
      `${settings.file}: others may write it, and so decide who signs; chmod go-w lets you alone`,
    );
  return {
    folder,
    from,
    exists: true,
    publishers,
    lists: lists ?? 0,
    ...(settings !== undefined && { settings: settings.file }),
  };
}

/** Who is in a trust folder, each by himself: one that is broken hides no other here. */
async function publishersFound(
  folder: string,
  found: Found,
  waiting: SourceOptions,
): Promise<readonly FoundPublisher[]> {
  const { trustedNamesIn } = await import('../../../storage/trust/trust-folder.ts');
  const { lookAtTrusted } = await import('../../../operations/verify/load-trust.ts');
  const all: FoundPublisher[] = [];
  for (const kind of ['publisher', 'timestamp authority'] as const) {
    for (const name of (await attempt(found, async () => trustedNamesIn(folder, kind))) ?? []) {
      try {
        const certificates = await lookAtTrusted(kind, folder, name, waiting);
        all.push({ name, kind, certificates: certificates.length });
      } catch (error) {
        const fault = faultOfConfiguration(error);
        found.problems.push(
          configured(
            fault,
            fault.message.includes(`"${name}"`)
              ? fault.message
              : `the ${kind} "${name}" cannot be used: ${fault.message}`,
          ),
        );
        all.push({ name, kind, certificates: 0, problem: fault.message });
      }
    }
  }
  return all;
}

/** What is set for those who sign, and whether the files are there. */
async function defaultsFound(context: Context, found: Found): Promise<readonly FoundDefault[]> {
  const { fileFault, isOpenToOthers } = await import('../../../storage/programs.ts');
  const { showAddress } = await import('../../../storage/remote/address.ts');
  const { isHeldElsewhere } = await import('../../../formats/keys/key-name.ts');
  const find = await attempt(found, () => settingsOf(context));
  const names = Object.keys(SIGNING_VARIABLES) as (keyof typeof SIGNING_VARIABLES)[];
  const before = found.problems.length;
  const all = names.flatMap((name) => find?.(name) ?? []).filter(({ value }) => value !== '');
  for (const one of all) {
    if (one.option === '--tsa') continue;
    const fault = one.option === '--key' ? await keyFault(one.value, context) : fileFault(one.value);
    if (fault)
      found.problems.push(
        configured(fault, `${one.from} names what cannot be used for ${one.option}: ${fault.message}`),
      );
    else if (
      /^--(key|passphrase-file)$/.test(one.option) &&
      !isHeldElsewhere(one.value) &&
      isOpenToOthers(one.value, 'open')
    )
      found.warnings.push(
        `${one.value}: others may open it, and it is for ${one.option}; chmod 600 lets you alone`,
      );
  }
  const unread = found.problems.length > before;
  const signer = find && (await attempt(found, () => defaultSigner(find, context)));
  if (signer && !unread) await signerFound(signer, context, found);
  return all.map(({ option, value, from }) => ({
    option,
    value: option === '--tsa' ? showAddress(value) : value,
    from,
  }));
}

/** Whether the signer that is configured could sign. */
async function signerFound(signer: SignerFlags, context: Context, found: Found): Promise<void> {
  const { lookAtSigner } = await import('./look-at-signer.ts');
  const { problem, warnings } = await lookAtSigner(signer, context);
  if (problem)
    found.problems.push(configured(problem, `the signer that is configured cannot sign: ${problem.message}`));
  found.warnings.push(...warnings.map((text) => `the signer that is configured: ${text}`));
}

/** Why a key cannot be used, as far as that is known without asking whatever holds it. [key.1] */
async function keyFault(name: string, context: Context): Promise<BundleError | undefined> {
  const { fileFault } = await import('../../../storage/programs.ts');
  const { parseKeyName } = await import('../../../formats/keys/key-name.ts');
  try {
    const key = parseKeyName(name);
    if (key.kind === 'file') return fileFault(key.path);
    const { findPlugin } = await import('../../../storage/signers/find-plugin.ts');
    findPlugin(key.plugin, pluginFolders(context));
    return undefined;
  } catch (error) {
    return toBundleError(error);
  }
}

/** What is not known to be harmless is only said to be set: programs keep secrets in variables of many names. */
async function variablesIn(env: Context['env']): Promise<readonly FoundVariable[]> {
  const { showAddress } = await import('../../../storage/remote/address.ts');
  const others = Object.keys(env).filter((name) => name.startsWith('OS_') && !SHOWN.includes(name));
  const hidden = new Set(['NODE_OPTIONS', ...others.sort()]);
  return [...SHOWN, ...hidden].flatMap((name) => {
    const value = env[name];
    if (value === undefined) return [];
    if (hidden.has(name)) return [{ name }];
    return [{ name, value: ADDRESSES.has(name) ? showAddress(value) : value }];
  });
}

async function attempt<T>(found: Found, look: () => Promise<T>): Promise<T | undefined> {
  try {
    return await look();
  } catch (error) {
    const fault = faultOfConfiguration(error);
    found.problems.push(configured(fault, fault.message));
    return undefined;
  }
}

/** A fault of what is configured, whatever the file has: it ends with the exit code of the configuration. */
function configured({ where, why, advice, cause }: BundleError, message: string): BundleError {
  return new BundleError('CONFIG_INVALID', message, { where, why, fix: [...advice], cause });
}
