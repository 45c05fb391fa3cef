import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { NamedBytes } from '../factory/bundles.ts';
import { EKU, makeAuthority, makeCertificate, NOON } from '../factory/certificates.ts';
import { runWithin } from '../factory/command-line.ts';
import { image, put, vmdk, vmdkDescriptor } from '../factory/disk-images.ts';
import type { Exported } from '../factory/exports/export.ts';
import { virtualboxExport } from '../factory/exports/virtualbox.ts';
import { vsphereExport } from '../factory/exports/vsphere.ts';
import { writePackage } from '../factory/packages.ts';
import { folderForTests } from '../factory/sandbox.ts';
import { readAsVirtualbox, readAsVsphere } from './dialects.ts';
import { hasPeer } from './peer.ts';

const qemu = hasPeer(
  'qemu-img --version',
  'that exports with disks of qemu-img keep them through pack and import',
);
const virtV2v = hasPeer('virt-v2v --version', 'that virt-v2v reads exports which were packed and signed');
const openssl = hasPeer(
  'openssl version',
  'the chain that VirtualBox looks for in exports which were signed',
);

/** The disks, of 4 and 2 MiB, with something at the beginning and at the end. */
const CAPACITIES = [4 << 20, 2 << 20];
const SHA1 = new Set(['vsphere-6.5', 'virtualbox-6.1', 'virtualbox-7.0']);
const NETWORK = 'VM Network 2 (dmz)';

const EXPORTS: Readonly<Record<string, (exported: Exported) => readonly NamedBytes[]>> = {
  'vsphere-6.5': (exported) => vsphereExport('6.5', exported),
  'vsphere-7.0': (exported) => vsphereExport('7.0', exported),
  'vsphere-8.0': (exported) => vsphereExport('8.0', exported),
  'virtualbox-6.1': (exported) => virtualboxExport('6.1', exported),
  'virtualbox-7.0': (exported) => virtualboxExport('7.0', exported),
  'virtualbox-7.0-ovf2': (exported) => virtualboxExport('7.0, OVF 2', exported),
};
const NAMES = Object.keys(EXPORTS);
/** vSphere exports the NVRAM whatever starts the machine, from version 6.7 on. */
const hasNvram = (name: string): boolean => /vsphere-[78]/.test(name);
const isEfi = (name: string): boolean => name === 'vsphere-8.0';
const isVsphere = (name: string): boolean => name.startsWith('vsphere');
/** virt-v2v and vSphere read OVF 1 alone. */
const OVF1_NAMES = NAMES.filter((name) => !name.endsWith('ovf2'));

describe('exports of vSphere and VirtualBox, packed and signed', () => {
  const folder = folderForTests();
  const within = (name: string): string => join(folder, name);
  const bulla = async (line: string, code = 0): Promise<string> => {
    const outcome = await runWithin(
      { folder, env: { BULLA_HOME: within('home'), NO_COLOR: '1' } },
      `bulla ${line}`,
    );
    expect(outcome.code, `${line}\n${outcome.stdout}${outcome.stderr}`).toBe(code);
    return outcome.stdout;
  };
  const trust = '--trust root.pem --at 2026-11-21';
  const keys = '--key leaf.key --cert leaf.pem --chain sub.pem';

  beforeAll(async () => {
    const root = await makeAuthority({ subject: 'CN=Root' });
    const sub = await makeAuthority({ subject: 'CN=Sub', issuer: root });
    const leaf = await makeCertificate({
      subject: 'CN=Acme Release',
      issuer: sub,
      key: 'rsa2048',
      eku: [EKU.codeSigning],
      keyUsage: ['digitalSignature'],
    });
    for (const [name, text] of Object.entries({
      'root.pem': root.pem,
      'sub.pem': sub.pem,
      'leaf.pem': leaf.pem,
      'leaf.key': leaf.privateKeyPem,
    }))
      writeFileSync(within(name), text, { mode: 0o600 });
    const disks = CAPACITIES.map((capacity, at) => makeDisk(folder, capacity, at));
    for (const [name, make] of Object.entries(EXPORTS)) {
      writePackage(within(name), make(machine(disks, name)));
      await bulla(`pack ${name} -o ${name}.ova ${keys} --quiet`);
      const allowed = `--allow-unsigned${SHA1.has(name) ? ' --allow-sha1' : ''}`;
      await bulla(`normalize ${name} -o ${name}-unsigned.ova ${allowed} ${trust} --quiet`);
      if (!SHA1.has(name)) await bulla(`sign ${name}-unsigned.ova -o ${name}-signed.ova ${keys} --quiet`);
      await bulla(`repack ${name} -o ${name}-repacked.ova --set product.version=2 ${keys} --quiet`);
    }
  });

  const archive = (name: string): Buffer => readFileSync(within(`${name}.ova`));
  const signed = (name: string): readonly string[] => [
    name,
    `${name}-repacked`,
    ...(SHA1.has(name) ? [] : [`${name}-signed`]),
  ];

  test.each(NAMES)(
    '%s: packed, or with its own manifest signed, it is trusted; under SHA-1 it is not signed',
    async (name) => {
      for (const bundle of signed(name)) await bulla(`verify ${bundle}.ova ${trust}`);
      if (SHA1.has(name)) await bulla(`sign ${name}-unsigned.ova -o no.ova ${keys}`, 14);
    },
  );

  test.each(OVF1_NAMES)(
    '%s, packed or repacked: vCenter finds order, names, manifest, signature and sizes as it wants them',
    (name) => {
      for (const bundle of [name, `${name}-repacked`]) {
        const { names, signer } = readAsVsphere(archive(bundle));
        expect(names.slice(0, 3)).toEqual(['web.ovf', 'web.mf', 'web.cert']);
        expect(signer.subject).toBe('CN=Acme Release');
      }
    },
  );

  test.each(['vsphere-7.0', 'vsphere-8.0'])(
    '%s, signed with the manifest of the exporter: vCenter finds the same',
    (name) => {
      const { manifest } = readAsVsphere(archive(`${name}-signed`));
      expect(manifest).toEqual(readFileSync(join(within(name), 'web.mf')));
    },
  );

  test.each(NAMES)('%s: VirtualBox finds manifest and signature as it wants them', (name) => {
    for (const bundle of signed(name))
      expect(readAsVirtualbox(archive(bundle)).signer.subject).toBe('CN=Acme Release');
  });

  test('the readings refuse what these products refuse', async () => {
    await bulla(`pack vsphere-7.0 -o trailing.ova ${keys} --order trailing --quiet`);
    await bulla(`pack vsphere-7.0 -o sha384.ova ${keys} --digest sha384 --quiet`);
    expect(() => readAsVsphere(archive('trailing'))).toThrow(/the order is/);
    expect(() => readAsVsphere(archive('sha384'))).toThrow(/the manifest has a line SHA384/);
    expect(() => readAsVsphere(archive('vsphere-7.0-unsigned'))).toThrow(/not one .cert/);
    const damaged = (from: number, byte?: number): Buffer => {
      const bytes = archive('vsphere-7.0');
      bytes[from] = byte ?? (bytes[from] ?? 0) ^ 1;
      return bytes;
    };
    const whole = archive('vsphere-7.0');
    const digit = whole.indexOf('SHA256(web.mf)= ') + 'SHA256(web.mf)= '.length;
    const another = whole.toString('latin1', digit, digit + 1) === '0' ? '1' : '0'; // a digit, too
    for (const read of [readAsVsphere, readAsVirtualbox]) {
      expect(() => read(damaged(whole.indexOf('KDMV') + 600))).toThrow(/the digest of web-disk1.vmdk/);
      expect(() => read(damaged(digit, another.charCodeAt(0)))).toThrow(/the signature/);
      expect(() => read(damaged(whole.indexOf('ustar')))).toThrow(/the magic/);
      expect(() => read(damaged(0))).toThrow(/the checksum/);
    }
  });

  test.skipIf(!openssl).each(NAMES)(
    '%s: the CMS signature is of the manifest, detached, by the same signer, and leads to the root',
    (name) => {
      for (const bundle of signed(name)) {
        const { signer, manifest, certificateFile } = readAsVirtualbox(archive(bundle));
        writeFileSync(within('manifest'), manifest);
        writeFileSync(
          within('cms.pem'),
          certificateFile.slice(certificateFile.indexOf('-----BEGIN CMS-----')),
        );
        const verifyCms = (...content: readonly string[]): boolean =>
          spawnSync(
            'openssl',
            [
              ...['cms', '-verify', '-binary', '-inform', 'PEM', '-in', 'cms.pem', ...content],
              ...['-CAfile', 'root.pem', '-purpose', 'any', '-attime', String(+NOON / 1000)],
              ...['-signer', 'signer.pem', '-out', 'content'],
            ],
            { cwd: folder },
          ).status === 0;
        expect(verifyCms('-content', 'manifest')).toBe(true);
        expect(readFileSync(within('signer.pem'), 'utf8')).toContain(signer.toString().trim());
        expect(verifyCms()).toBe(false); // nothing is inside
      }
    },
  );

  test.each(NAMES)('%s: inspect has no finding that is not so', async (name) => {
    const found = async (target: string): Promise<readonly string[]> => {
      const { result } = JSON.parse(await bulla(`inspect ${name}.ova --target ${target} --json`));
      return result.targets.flatMap(({ findings }: { findings: { id: string }[] }) =>
        findings.map(({ id }) => id),
      );
    };
    const efi = isEfi(name) ? ['file.nvram', 'hardware.firmware'] : [];
    expect(await found('virtualbox')).toEqual(isVsphere(name) ? efi : []);
    const foreign = ['hardware.family', 'hardware.sata', 'hardware.guest'];
    const vsphere = isVsphere(name) ? (name === 'vsphere-8.0' ? ['hardware.version'] : []) : foreign;
    expect(await found('vsphere')).toEqual(name.endsWith('ovf2') ? ['package.version', ...vsphere] : vsphere);
  });

  test.skipIf(!qemu).each(NAMES)('%s: qemu-img finds the disks whole that import publishes', async (name) => {
    for (const bundle of signed(name)) {
      await bulla(`import ${bundle}.ova --to ${bundle}-imported ${trust} --quiet`);
      for (const [at, capacity] of CAPACITIES.entries()) {
        const disk = within(`${bundle}-imported/web-disk${at + 1}.vmdk`);
        const info = JSON.parse(run('qemu-img', 'info', '--output=json', disk));
        expect(info).toMatchObject({ format: 'vmdk', 'virtual-size': capacity });
        expect(info['format-specific'].data['create-type']).toBe('streamOptimized');
        expect(run('qemu-img', 'compare', '-f', 'vmdk', '-F', 'raw', disk, within(`content${at}`))).toMatch(
          /identical/,
        );
        expect(run('qemu-img', 'check', disk)).toMatch(/No errors/);
      }
    }
  });

  test.skipIf(!virtV2v).each(OVF1_NAMES)(
    '%s: virt-v2v reads its disks, drives, firmware, networks and names',
    (name) => {
      for (const bundle of signed(name).slice(-1)) {
        const { status, stdout, stderr } = spawnSync(
          'virt-v2v',
          ['-i', 'ova', `${bundle}.ova`, '--print-source'],
          {
            cwd: folder,
            encoding: 'utf8',
            env: { ...process.env, LIBGUESTFS_BACKEND: 'direct' },
          },
        );
        expect(status, stderr).toBe(0);
        // VirtualBox gives machines no Name, and writes its manifests with blanks, which virt-v2v passes over
        const warnings = isVsphere(name) ? [] : ['could not parse ovf:Name from OVF document'];
        const own = `${stdout}${stderr}`.match(/(?<=warning: ).*/g) ?? [];
        expect(own.filter((text) => isVsphere(name) || !text.startsWith('unable to parse line'))).toEqual(
          warnings,
        );
        expect(stdout).toContain(`source name: ${isVsphere(name) ? 'web' : bundle}\n`);
        expect(stdout).toMatch(
          isVsphere(name) ? /disks:\s+0 \[scsi\]\s+1 \[scsi\]/ : /disks:\s+0 \[sata\]\s+1 \[sata\]/,
        );
        expect(stdout).toMatch(/removable media:\s+CD-ROM/);
        expect(stdout).toMatch(isEfi(name) ? /firmware: uefi/ : /firmware: bios/);
        expect(stdout).toContain(`Bridge "${NETWORK}"`);
        expect(stdout).toMatch(/memory: 1073741824 .*\n.*nr vCPUs: 2\n/);
      }
    },
  );
});

function run(program: string, ...args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A stream of a VMDK, made by qemu-img where that is there. */
function makeDisk(folder: string, capacity: number, at: number): Uint8Array {
  if (!qemu) {
    const text = vmdkDescriptor({ type: 'streamOptimized' });
    return vmdk({ version: 3, compressed: true, text, footerCapacity: BigInt(capacity / 512) });
  }
  const [content, disk] = [join(folder, `content${at}`), join(folder, `disk${at}.vmdk`)];
  const bytes = put(image(capacity), 0, Buffer.alloc(1 << 16, `the beginning of ${at}`));
  writeFileSync(content, put(bytes, capacity - 512, Buffer.alloc(512, `the end of ${at}`)));
  if (!existsSync(disk))
    run('qemu-img', 'convert', '-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized', content, disk);
  return readFileSync(disk);
}

function machine(disks: readonly Uint8Array[], name: string): Exported {
  const iso = put(image(40960), 32768, Buffer.from('\x01CD001\x01'));
  return {
    name: 'web',
    network: NETWORK,
    firmware: isEfi(name) ? 'efi' : 'bios',
    files: [
      ...disks.map((bytes, at) => ({
        kind: 'disk' as const,
        name: `web-disk${at + 1}.vmdk`,
        bytes,
        capacity: CAPACITIES[at] ?? 0,
      })),
      { kind: 'iso', name: 'web-file1.iso', bytes: iso },
      ...(hasNvram(name) ? [{ kind: 'nvram' as const, name: 'web-file2.nvram', bytes: image(8684) }] : []),
    ],
  };
}
