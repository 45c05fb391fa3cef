import type { DiskProbe } from '../../formats/disk/disk-probe.ts';
import type { FileReference } from '../../formats/ovf/file-reference.ts';
import { isShownWhole, shellPath } from '../../kit/shell.ts';
import type { BundleFacts, Found, TargetRule } from './target.ts';

/** What a disk is made into. */
type Wanted = 'vmdk' | 'qcow2';

const QEMU_NAMES: Readonly<Partial<Record<DiskProbe['format'], string>>> = { vhd: 'vpc' };

/** The line that makes a disk what a target takes. [show.4] */
function conversion(name: string, { format }: DiskProbe, to: Wanted): string {
  const made = name.replace(/\.[^./]*$/, '');
  const whole = isShownWhole(name) && isShownWhole(made);
  const files = whole ? `${shellPath(name)} ${shellPath(`${made}-new.${to}`)}` : `DISK NEW.${to}`;
  const from = QEMU_NAMES[format] ?? format;
  return to === 'vmdk'
    ? `qemu-img convert -O vmdk -o subformat=streamOptimized -f ${from} ${files}`
    : `qemu-img convert -O qcow2 -f ${from} ${files}`;
}

/** Finds every disk image, optical ones left out, that a target does not take. */
function disksThat(
  fault: (probe: DiskProbe, name: string) => string | undefined,
  to: Wanted,
): TargetRule['find'] {
  return ({ disks }) =>
    Object.entries(disks).flatMap(([name, probe]) => {
      const what = probe.format === 'iso' ? undefined : fault(probe, name);
      return what === undefined ? [] : [{ where: name, what, do: conversion(name, probe, to) }];
    });
}

/** The files of the descriptor for which something holds. */
function filesThat(
  { descriptor }: BundleFacts,
  holds: (reference: FileReference) => boolean,
  found: Omit<Found, 'where'>,
): readonly Found[] {
  return (descriptor?.references ?? []).filter(holds).map(({ href }) => ({ where: href, ...found }));
}

/** What descriptors call the formats, by what their addresses hold. */
const DECLARED: readonly (readonly [RegExp, DiskProbe['format']])[] = [
  [/vmdk/i, 'vmdk'],
  [/qcow/i, 'qcow2'],
  [/LinkId=137171|\bvhd\b/i, 'vhd'],
  [/wiki\/Byte$/i, 'raw'],
];

/** Disks whose content is of another format than the descriptor says. */
function misdeclared({ descriptor, disks }: BundleFacts): readonly Found[] {
  const hrefs = new Map((descriptor?.references ?? []).map(({ id, href }) => [id, href]));
  return (descriptor?.disks ?? []).flatMap(({ fileId, format = '' }) => {
    const name = hrefs.get(fileId ?? '') ?? '';
    const probe = disks[name];
    const declared = DECLARED.find(([address]) => address.test(format))?.[1];
    if (!probe || declared === undefined || probe.format === declared) return [];
    const what = `the descriptor says that it is ${declared}, and it is ${probe.format}`;
    return [{ where: name, what, do: 'say in the DiskSection of the descriptor what it is, or convert it' }];
  });
}

const WHOLE = 'store the disk whole; what is too large for the medium is cut as a bundle, into volumes';

/** [target.2] About disk images. */
export const DISK_RULES: readonly TargetRule[] = [
  {
    id: 'disk.subformat',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'mininet/mininet#483, roxlukas/lmeve#45, OpenNebula/one#5784',
    find: disksThat(
      ({ format, variant }) =>
        format === 'vmdk' && variant !== 'streamOptimized'
          ? `it is a VMDK of the kind ${variant ?? 'unknown'}, and vSphere and ESXi import streamOptimized ones alone ("Unsupported or invalid disk type")`
          : undefined,
      'vmdk',
    ),
  },
  {
    id: 'disk.subformat',
    targets: ['openstack'],
    severity: 'refused',
    source: 'vmdk_allowed_types of Glance, Nova and Cinder (CVE-2022-47951)',
    find: disksThat(
      ({ format, variant = '' }) =>
        format === 'vmdk' && variant !== 'streamOptimized' && variant !== 'monolithicSparse'
          ? `it is a VMDK of the kind ${variant || 'unknown'}; as they are set up, Glance, Nova and Cinder take streamOptimized and monolithicSparse`
          : undefined,
      'qcow2',
    ),
  },
  {
    id: 'disk.format',
    targets: ['vsphere'],
    severity: 'refused',
    source: 'README of vmware/open-vmdk; mininet/mininet#564',
    find: disksThat(
      ({ format }) =>
        format === 'vmdk' ? undefined : `it is ${format}, and vSphere and ESXi import VMDK alone`,
      'vmdk',
    ),
  },
  {
    id: 'disk.format',
    targets: ['virtualbox'],
    severity: 'refused',
    source: 'VirtualBox: ovfreader.cpp and the formats of its storage backends with import',
    find: disksThat(
      ({ format }) =>
        format === 'vmdk' || format === 'vhd'
          ? undefined
          : `it is ${format}, and VirtualBox imports VMDK and VHD`,
      'vmdk',
    ),
  },
  {
    id: 'disk.format',
    targets: ['kubevirt'],
    severity: 'refused',
    source: 'kubevirt/containerized-data-importer#1287 and its supported_operations.md',
    find: disksThat(
      ({ format }) =>
        /^(raw|qcow2|vmdk)$/.test(format)
          ? undefined
          : `it is ${format}, and the Containerized Data Importer takes raw and qcow2`,
      'qcow2',
    ),
  },
  {
    id: 'disk.vmdk',
    targets: ['kubevirt'],
    severity: 'note',
    source: 'kubevirt/containerized-data-importer#1287 (raw and qcow2 alone); Forklift converts by virt-v2v',
    find: disksThat(
      ({ format }) =>
        format === 'vmdk'
          ? 'it is VMDK, which Forklift converts from an OVA; the Containerized Data Importer takes raw and qcow2'
          : undefined,
      'qcow2',
    ),
  },
  {
    id: 'disk.format',
    targets: ['proxmox'],
    severity: 'refused',
    source: 'Proxmox VE: pve-storage, content type import (qcow2, raw, vmdk)',
    find: disksThat(({ format }, name) => {
      if (!/^(vmdk|qcow2|raw)$/.test(format))
        return `it is ${format}, and Proxmox VE imports vmdk, qcow2 and raw`;
      return /\.(vmdk|qcow2|raw)$/.test(name)
        ? undefined
        : 'Proxmox VE tells formats by the name, which must end in .vmdk, .qcow2 or .raw';
    }, 'qcow2'),
  },
  {
    id: 'disk.declared',
    targets: ['vsphere', 'virtualbox', 'openstack', 'kubevirt', 'proxmox'],
    severity: 'trouble',
    source: 'DSP0243 1.1.0 clause 9.1; importers choose how to read a disk by what the descriptor says',
    find: misdeclared,
  },
  {
    id: 'disk.compressed',
    targets: ['vsphere', 'proxmox'],
    severity: 'refused',
    source: 'EMCECS/ECS-CommunityEdition#329 (vSphere 6.5); pve-storage reads the file as the image',
    find: (facts) =>
      filesThat(facts, ({ compression }) => compression !== 'identity', {
        what: 'it is compressed by ovf:compression, which the importer does not undo',
        do: 'store it as it is: a streamOptimized VMDK is compressed inside',
      }),
  },
  {
    id: 'disk.compressed',
    targets: ['openstack'],
    severity: 'trouble',
    source: 'Glance stores what it is given, and hypervisors do not decompress',
    find: (facts) =>
      filesThat(facts, ({ compression }) => compression !== 'identity', {
        what: 'it is compressed by ovf:compression, and an image is booted as it was uploaded',
        do: 'decompress it before it is uploaded',
      }),
  },
  {
    id: 'disk.chunks',
    targets: ['virtualbox', 'proxmox'],
    severity: 'refused',
    source: 'VirtualBox and pve-storage open the file by its href; neither has ovf:chunkSize',
    find: (facts) =>
      filesThat(facts, ({ chunkSize }) => chunkSize !== undefined, {
        what: 'it is stored in chunks, and the importer looks for it whole',
        do: WHOLE,
      }),
  },
  {
    id: 'disk.chunks',
    targets: ['openstack', 'kubevirt'],
    severity: 'trouble',
    source: 'virt-v2v 2.2.0, run: of five chunks it attaches the last as the disk',
    find: (facts) =>
      filesThat(facts, ({ chunkSize }) => chunkSize !== undefined, {
        what: 'it is stored in chunks; virt-v2v attaches the last of them as the disk, and images are uploaded whole',
        do: WHOLE,
      }),
  },
  {
    id: 'disk.optical',
    targets: ['proxmox'],
    severity: 'trouble',
    source: 'Proxmox VE: PVE::GuestImport::OVF takes disk drives alone',
    find: ({ disks }) =>
      Object.entries(disks).flatMap(([name, { format }]) =>
        format === 'iso'
          ? [
              {
                where: name,
                what: 'it is an ISO image, and the import leaves CD-ROM drives out',
                do: 'upload it by itself, and attach it',
              },
            ]
          : [],
      ),
  },
  {
    id: 'disk.several',
    targets: ['openstack', 'kubevirt'],
    severity: 'note',
    source: 'Glance and the Containerized Data Importer know single disks, no machines',
    find: ({ disks }) => {
      const count = Object.values(disks).filter(({ format }) => format !== 'iso').length;
      if (count < 2) return [];
      return [
        {
          where: '',
          what: `each of its ${count} disks becomes an image or volume by itself`,
          do: 'attach them to the machine in their order',
        },
      ];
    },
  },
];
