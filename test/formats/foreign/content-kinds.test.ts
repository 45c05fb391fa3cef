import { describe, expect, test } from 'vitest';
import {
  FOREIGN_HEAD_BYTES,
  foreignContent,
  foreignFix,
} from '../../../src/formats/foreign/content-kinds.ts';
import { encodeUtf8 } from '../../../src/kit/encoding.ts';
import { plain } from '../../../src/kit/errors/advice.ts';
import { latin1 } from '../../factory/tar.ts';

const nameOf = (bytes: Uint8Array): string | undefined => foreignContent(bytes)?.name;

describe('[arc.6] what is no bundle is named', () => {
  test.each([
    ['<!DOCTYPE html>\n<html>', 'an HTML page'],
    ['\ufeff  <HTML lang="en">', 'an HTML page'],
    ['<?xml version="1.0"?>\n<!-- x -->\n<!DOCTYPE html PUBLIC "x">', 'an HTML page'],
    ['<?xml version="1.0"?><Error><Code>NoSuchKey</Code></Error>', 'an error of a server, in XML'],
    ['<?xml version="1.0"?><ovf:Envelope/>', 'an OVF descriptor by itself, an XML file'],
    ['<domain type="kvm">', 'an XML file'],
    ['{"error":"not found"}', 'a text in JSON, such as an error of a server'],
    ['HTTP/1.1 404 Not Found\r\n\r\n', 'an answer of a server, with its headers'],
    ['404: Not Found', 'plain text'],
    ['zu spät\n', 'plain text'],
    [
      'version https://git-lfs.github.com/spec/v1\noid sha256:00\n',
      'a Git LFS pointer, which stands in a repository for the file',
    ],
    ['/annex/objects/SHA256E-s1--00.ova\n', 'a git-annex pointer, which stands in a repository for the file'],
    [`${'0'.repeat(64)}  web.ova\n`, 'a list of checksums'],
    ['-----BEGIN CERTIFICATE-----\n', 'a certificate'],
    ['-----BEGIN ENCRYPTED PRIVATE KEY-----\n', 'a private key'],
    ['-----BEGIN PRIVATE KEY-----\n', 'a private key'],
    ['-----BEGIN PKCS7-----\n', 'a CMS signature, or certificates in PKCS#7'],
    ['-----BEGIN X509 CRL-----\n', 'a PEM file'],
    [
      'SHA256(web.mf)= 00\n-----BEGIN CERTIFICATE-----\n',
      'the certificate file of a bundle, which signs its manifest',
    ],
    ['SHA256 (web.mf) = 00\nSHA256 (web.ova) = 11\n', 'a list of checksums'],
    ['SHA256(web.ovf)= 00\n', 'a list of checksums'],
    ['-----BEGIN PGP MESSAGE-----\n', 'an encrypted OpenPGP message'],
    ['#!/bin/sh\nexit 0\n', 'a script'],
    ['# Disk DescriptorFile\nversion=1\n', 'a bare VMDK disk image'],
    ['MZ is how this note begins', 'plain text'],
    ['%PDF-1.7\n', 'a PDF document'],
  ])('the text %j', (text, name) => {
    expect(nameOf(encodeUtf8(text))).toBe(name);
  });

  test('a text whose last character is cut', () => {
    expect(nameOf(encodeUtf8('spät').subarray(0, 3))).toBe('plain text');
  });

  test.each([
    ['\xfd7zXZ\0', 'an xz file'],
    ['\x28\xb5\x2f\xfd', 'a Zstandard file'],
    ['BZh91AY', 'a bzip2 file'],
    ['\x04\x22\x4d\x18', 'an LZ4 file'],
    ['LZIP\x01', 'an lzip file'],
    ['\x5d\0\0\x80\0', 'an lzma file'],
    ['\x89LZO\0\r\n\x1a\n', 'an lzop file'],
    ['7z\xbc\xaf', 'a 7z archive'],
    ['Rar!\x1a\x07\0', 'a RAR archive'],
    ['VMA\0', 'a Proxmox VMA backup'],
    ['\x7fELF\x02', 'a program (ELF)'],
    ['MZ\x90\0', 'a program of Windows'],
    ['!<arch>\ndebian-binary', 'a Debian package'],
    ['\xed\xab\xee\xdb', 'an RPM package'],
    ['LUKS\xba\xbe\0\x02', 'an encrypted disk image (LUKS)'],
    ['conectix\0', 'a bare VHD disk image'],
    ['vhdxfile\0', 'a bare VHDX disk image'],
    ['QFI\xfb\0', 'a bare qcow2 disk image'],
    ['KDMV\x01', 'a bare VMDK disk image'],
    ['QED\0', 'a QED image, a bare disk'],
    ['\x30\x82\x01\x00\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02', 'a CMS signature'],
    ['\xff\xfeh\0', 'a text in UTF-16'],
  ])('bytes that begin with %j', (magic, name) => {
    expect(nameOf(latin1(`${magic}${'\0\x01'.repeat(8)}`))).toBe(name);
  });

  test.each([
    [64, '\x7f\x10\xda\xbe', 'a VirtualBox VDI image, a bare disk'],
    [510, '\x55\xaa', 'a bare raw disk image, with a boot sector'],
    [512, 'EFI PART', 'a bare raw disk image, with a GPT'],
    [1080, '\x53\xef', 'a bare raw disk image, an ext file system'],
    [32 * 1024, '\x01CD001\x01', 'a bare ISO 9660 image'],
    [65_600, '_BHRfS_M', 'a bare raw disk image, a Btrfs file system'],
  ])('a disk with something at %d', (offset, magic, name) => {
    const head = new Uint8Array(FOREIGN_HEAD_BYTES);
    head.set(latin1(magic), offset);
    expect(nameOf(head)).toBe(name);
  });

  test.each([new Uint8Array(0), new Uint8Array(600), latin1('\x01\x02\x03'), latin1(' \n\n')])(
    'nothing that is known',
    (bytes) => {
      expect(foreignContent(bytes)).toBeUndefined();
    },
  );
});

describe('[arc.6] the signature of the publisher is kept', () => {
  const fixOf = (magic: string, from: 'file' | 'gzip'): string =>
    foreignFix(foreignContent(latin1(magic)) ?? { name: '' }, from)
      .map(plain)
      .join('; ');

  test.each([
    ['\xfd7zXZ\0', 'file', 'xz -dc FILE'],
    ['\xfd7zXZ\0', 'gzip', 'gzip -dc FILE | xz -dc'],
    ['\x1f\x8b\x08', 'gzip', 'gzip -dc FILE'],
    ['PK\x03\x04', 'gzip', 'gzip -dc FILE'],
  ] as const)('%j in a %s comes out of a pipe', (magic, from, pipe) => {
    expect(fixOf(magic, from)).toMatch(new RegExp(`comes out of: ${pipe.replaceAll('|', '\\|')}$`));
  });

  test.each(['QFI\xfb', '\x7fELF'])('%j has a signature beside it', (magic) => {
    expect(fixOf(magic, 'file')).toContain('detached signature');
  });
});
