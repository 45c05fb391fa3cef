import type { Command } from 'commander';
import { BundleError } from '../../../kit/errors/errors.ts';
import type { VerifyImageOptions } from '../../../operations/glance/image-options.ts';
import type { RevocationMode } from '../../../trust/publisher.ts';
import type { Context, Exit } from '../../context.ts';
import {
  certificatesOf,
  OPENSTACK_ENVIRONMENT,
  type OpenStackFlags,
  withOpenStackOptions,
} from '../../options/openstack-options.ts';
import { gather, type OutputFlags, progressOf, withOutputOptions } from '../../options/options.ts';
import {
  type PatienceFlags,
  readOptionsOf,
  waitingOf,
  withPatienceOptions,
} from '../../options/read-options.ts';
import {
  expectEvidenceUsed,
  type StrengthFlags,
  strengthOf,
  withAnchorOptions,
  withEvidenceOptions,
  withRememberOption,
  withStrengthOptions,
} from '../../options/trust-options.ts';

interface GlanceVerifyFlags extends OutputFlags, OpenStackFlags, PatienceFlags, StrengthFlags {
  readonly properties: string;
  readonly certificates?: string;
  readonly trustedCertificateIds?: readonly string[];
  readonly trust?: readonly string[];
  readonly pin?: readonly string[];
  readonly untrusted?: readonly string[];
  readonly at?: Date;
  readonly crl?: readonly string[];
  readonly ocsp?: readonly string[];
  readonly revocation?: RevocationMode;
  readonly remember: boolean;
  readonly compat?: boolean;
  readonly allowLegacyMd5?: boolean;
  readonly allowAnySalt?: boolean;
}

const EXAMPLES = `
${OPENSTACK_ENVIRONMENT}

Examples:
  openstack image show -f json web > web.json && openstack image save web | \\
    bulla glance verify - --properties web.json --certificates certs --trust acme-ca.pem
  bulla glance verify web.qcow2 --properties web.json --barbican catalog --trusted-certificate-ids UUID,UUID`;

/** `bulla glance verify IMAGE --properties FILE` */
export function glanceVerifyCommand(glance: Command, context: Context, exit: Exit): void {
  const command = glance
    .command('verify')
    .summary('verify an image with the signature in its properties')
    .description(
      'Verifies an image with the signature in its properties, in one pass, and tells two things apart: whether the ' +
        'signature fits, and whether its certificate is trusted. Exit code 0 means both; see bulla help exit-codes.',
    )
    .argument('<image>', 'a file, - for standard input, or an https address')
    .requiredOption(
      '--properties <json>',
      'the properties: from bulla glance sign, or openstack image show -f json',
    )
    .option('--certificates <dir>', 'a folder with the certificates as UUID.pem');
  withOpenStackOptions(command).option(
    '--trusted-certificate-ids <uuid,...>',
    'trust what these certificates vouch for, as Nova does: one or more, all from the issuer to the root',
    gather,
  );
  withPatienceOptions(withRememberOption(withEvidenceOptions(withAnchorOptions(command))))
    .option('--compat', 'say what Glance and Nova would say, bugs included: accepted is not trusted')
    .option(
      '--allow-legacy-md5',
      'accept a signature over the MD5 checksum (Liberty): two images with one MD5 can be made',
    )
    .option('--allow-any-salt', 'accept RSA-PSS signatures with any salt: Glance and Nova refuse them');
  withStrengthOptions(command, 'certificates signed with SHA-1').addHelpText('after', EXAMPLES);
  withOutputOptions(command).action(async (input: string, flags: GlanceVerifyFlags) => {
    const { verifyImage } = await import('../../../operations/glance/verify-image.ts');
    const { renderImageReport } = await import('../../render/render-glance.ts');
    expectCompatible(flags);
    expectEvidenceUsed(flags);
    const options = await optionsOf(flags, context);
    const progress = progressOf(flags, context);
    try {
      const report = await verifyImage(input, { ...options, onProgress: progress.onProgress });
      progress.end();
      exit(renderImageReport(report, context, { json: flags.json ?? false, quiet: flags.quiet ?? false }));
    } finally {
      progress.end();
    }
  });
}

/** [glance.15] What compatible mode does not look at must not seem to count. */
function expectCompatible(flags: GlanceVerifyFlags): void {
  const { trust, pin, untrusted, crl, ocsp, revocation, allowAnySalt, allowSha1, allowWeakKeys } = flags;
  const given = Object.entries({
    trust,
    pin,
    untrusted,
    crl,
    ocsp,
    revocation,
    allowAnySalt,
    allowSha1,
    allowWeakKeys,
  });
  const [ignored] = given.find(([, value]) => value !== undefined) ?? [];
  if (!flags.compat || ignored === undefined) return;
  const option = `--${ignored.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new BundleError('USAGE', `${option} means nothing in compatible mode`, {
    why: 'Glance and Nova look at neither trust, revocation nor strength; only at certificates trusted by UUID, when they are told to',
    fix: 'leave out either of the two; whether the certificate is trusted is told without --compat',
  });
}

async function optionsOf(flags: GlanceVerifyFlags, context: Context): Promise<VerifyImageOptions> {
  const { readProperties } = await import('../../../operations/glance/read-properties.ts');
  return {
    properties: await readProperties(flags.properties, waitingOf(flags, context)),
    propertiesFile: flags.properties,
    certificates: await certificatesOf(flags, context),
    trustedIds: (flags.trustedCertificateIds ?? []).flatMap((ids) => ids.split(',')).map((id) => id.trim()),
    trust: {
      anchors: flags.trust ?? [],
      pins: flags.pin ?? [],
      untrusted: flags.untrusted ?? [],
      folders: context.trustFolders,
    },
    revocation: {
      crls: flags.crl ?? [],
      ocsps: flags.ocsp ?? [],
      ...(flags.revocation !== undefined && { mode: flags.revocation }),
    },
    remember: flags.remember,
    ...(flags.at !== undefined && { at: flags.at }),
    compat: flags.compat ?? false,
    allow: strengthOf(flags),
    allowImage: { legacyMd5: flags.allowLegacyMd5 ?? false, anySalt: flags.allowAnySalt ?? false },
    ...readOptionsOf(flags),
    signal: context.signal,
  };
}
