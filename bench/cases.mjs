import { FOR_PEERS, SMALL_FILES, TRUSTED } from './data.mjs';

const OPENSSL = 'openssl dgst -sha256';
const PACK = '--key keys/signer.key --cert keys/signer.pem --quiet --force';
const MANY = `--max-members ${SMALL_FILES + 10}`;
/**
 * Before something is written: all memory is in use, since a virtual machine that has given memory back gets it slowly; and
 * the input is in it.
 */
const fillMemory = (input) => `cat fill > /dev/null; cat ${input} > /dev/null`;
const LEAVE = 'rm -rf out && mkdir out';
const PYTHON = `
import hashlib, sys, tarfile
sums = dict(reversed(line.split()) for line in open(sys.argv[2]))
for member in (archive := tarfile.open(sys.argv[1])):
    if member.name not in sums: continue
    digest, data = hashlib.sha256(), archive.extractfile(member)
    while part := data.read(65536): digest.update(part)
    assert digest.hexdigest() == sums[member.name]
`;

/** Changes a byte in the middle of a file for the time of a command. */
const whileDamaged = (file, at, command) =>
  `cp --sparse=always --reflink=auto ${file} damaged && printf '\\001' | dd of=damaged bs=1 seek=${at} conv=notrunc status=none && ${command}; code=$?; rm damaged; exit $code`;
const refused = (file, at, options = '') => ({
  line: whileDamaged(file, at, `bulla verify damaged ${options} ${TRUSTED}`),
  code: 11,
});
const same = (a, b) => ({ line: `cmp ${a} ${b}` });
/** What has been written is what there was, and is signed so that openssl takes it. */
const packed = (archive, member, original) => [
  { line: `bulla verify ${archive} ${TRUSTED}` },
  { line: `tar xOf ${archive} ${member} | cmp - ${original}` },
];

/**
 * What is measured. `reference` is what the limit is a multiple of; both run in `cwd`, in turn, `before` each of them
 * untimed. `checks` say afterwards that the work has been done; `peers` are other programs for the same, measured beside.
 */
export function casesOf({ gib }) {
  const middle = Math.round((gib * 1024 ** 3) / 2) + 123;
  return [
    {
      id: 'verify',
      title: `verify, one disk of ${gib} GiB`,
      needs: ['one'],
      reference: `${OPENSSL} one.ova`,
      ours: `bulla verify one.ova ${TRUSTED}`,
      must: 1.05,
      aim: 0.97,
      checks: [refused('one.ova', middle)],
      prepare: FOR_PEERS,
      peers: {
        'tar xf; sha256sum -c; openssl dgst -verify': `${LEAVE} && tar xf one.ova -C out && (cd out && sha256sum -c ../peer/sums) && openssl dgst -sha256 -verify peer/key.pem -signature peer/signature out/one.mf`,
        'the same, with openssl instead of sha256sum': `${LEAVE} && tar xf one.ova -C out && openssl dgst -r -sha256 out/disk.raw | grep -q "$(sed -n 's/ .*disk.raw//p' peer/sums)" && openssl dgst -sha256 -verify peer/key.pem -signature peer/signature out/one.mf`,
        'python3, tarfile and hashlib, 64 KiB': `python3 -c '${PYTHON}' one.ova peer/sums`,
        'bsdtar -xO | openssl': `bsdtar -xOf one.ova disk.raw | ${OPENSSL}`,
        'virt-v2v --print-source': 'virt-v2v -i ova one.ova --print-source',
      },
    },
    {
      id: 'verify-two',
      title: `verify, two disks of ${gib / 2} GiB`,
      needs: ['two'],
      reference: `${OPENSSL} two.ova`,
      ours: `bulla verify two.ova ${TRUSTED}`,
      must: 0.65,
      aim: 0.55,
      checks: [refused('two.ova', Math.round(middle / 2)), refused('two.ova', Math.round(middle * 1.5))],
    },
    {
      id: 'verify-blocks',
      title: `verify with block digests, one disk of ${gib} GiB`,
      needs: ['blocks'],
      reference: `${OPENSSL} blocks.ova`,
      ours: `bulla verify blocks.ova ${TRUSTED}`,
      must: 0.65,
      aim: 0.55,
      checks: [refused('blocks.ova', middle)],
    },
    {
      id: 'verify-pipe',
      title: 'verify from a pipe',
      needs: ['one'],
      reference: `${OPENSSL} one.ova`,
      ours: `cat one.ova | bulla verify - ${TRUSTED}`,
      must: 1.35,
      aim: 1.2,
      checks: [
        { line: whileDamaged('one.ova', middle, `cat damaged | bulla verify - ${TRUSTED}`), code: 11 },
      ],
      peers: { 'cat | openssl': `cat one.ova | ${OPENSSL}` },
      below: 'cat | openssl',
    },
    {
      id: 'import',
      title: `import, one disk of ${gib} GiB`,
      needs: ['fill', 'one'],
      reference: `${OPENSSL} one.ova`,
      before: 'rm -rf imported out; mkdir out; sync',
      beforeWriting: fillMemory('one.ova'),
      ours: `bulla import one.ova --to imported ${TRUSTED}`,
      must: 1.3,
      aim: 1.12,
      checks: [same('imported/disk.raw', 'disk.raw'), { line: 'rm -rf imported' }],
      peers: { 'tar xf; openssl': `tar xf one.ova -C out && ${OPENSSL} out/disk.raw` },
      below: 'tar xf; openssl',
    },
    {
      id: 'import-zero',
      title: 'import, 70 % of it zeros',
      needs: ['fill', 'zero'],
      reference: `${OPENSSL} zero.ova`,
      before: 'rm -rf imported; sync',
      beforeWriting: fillMemory('zero.ova'),
      ours: `bulla import zero.ova --to imported ${TRUSTED}`,
      must: 1.0,
      aim: 0.9,
      checks: [
        same('imported/zero.raw', 'zero.raw'),
        {
          line: '[ $(du -B1M imported/zero.raw | cut -f1) -lt $(( $(du -B1M --apparent-size zero.raw | cut -f1) / 2 )) ]',
        },
        { line: 'rm -rf imported' },
      ],
    },
    {
      id: 'pack',
      title: `pack an .ova, one disk of ${gib} GiB`,
      needs: ['fill', 'keys', 'disk'],
      reference: `${OPENSSL} disk.raw`,
      before: 'rm -f out.ova; sync',
      beforeWriting: fillMemory('disk.raw'),
      ours: `bulla pack disk.raw --name out -o out.ova ${PACK}`,
      must: 1.45,
      aim: 1.2,
      checks: [...packed('out.ova', 'disk.raw', 'disk.raw'), { line: 'rm out.ova' }],
      peers: { 'openssl; tar c': `${OPENSSL} disk.raw && tar cf out.ova disk.raw` },
    },
    {
      id: 'pack-tgz',
      title: `pack a .tgz, ${gib / 4} GiB of programs`,
      needs: ['keys', 'real'],
      reference: 'pigz -6 -p2 -c real.raw > out.gz',
      before: 'rm -f out.tgz out.gz; sync',
      ours: `bulla pack real.raw --name out -o out.tgz ${PACK}`,
      must: 1.05,
      aim: 0.95,
      checks: [
        { line: 'gzip -t out.tgz' },
        ...packed('out.tgz', 'real.raw', 'real.raw'),
        { line: 'rm -f out.tgz out.gz' },
      ],
      peers: { 'gzip -6': 'gzip -6 -c real.raw > out.gz', 'igzip -3': 'igzip -3 -c real.raw > out.gz' },
    },
    {
      id: 'verify-tgz',
      title: `verify a .tgz, ${gib / 4} GiB of programs`,
      needs: ['tgz'],
      reference: `pigz -dc real.tgz | ${OPENSSL}`,
      ours: `bulla verify real.tgz ${TRUSTED}`,
      must: 0.7,
      aim: 0.6,
      checks: [
        {
          line: whileDamaged('real.tgz', 50_000_000 * Math.min(1, gib), `bulla verify damaged ${TRUSTED}`),
          code: 15,
        },
      ],
      peers: { 'igzip -dc | openssl': `igzip -dc real.tgz | ${OPENSSL}` },
    },
    {
      id: 'verify-zip',
      title: `verify a deflated .zip, ${gib / 4} GiB of programs`,
      needs: ['zip'],
      reference: `unzip -p real.zip real.raw | ${OPENSSL}`,
      ours: `bulla verify real.zip ${TRUSTED}`,
      must: 0.8,
      aim: 0.6,
      checks: [
        {
          line: whileDamaged('real.zip', 50_000_000 * Math.min(1, gib), `bulla verify damaged ${TRUSTED}`),
          code: 15,
        },
      ],
    },
    ...smallCases(),
    ...glanceCases(gib),
  ];
}

function smallCases() {
  const byHand = 'tar xf small.ova -C out && (cd out && sha256sum --quiet -c ../sums)';
  return [
    {
      id: 'verify-small',
      title: 'verify 20,000 small members',
      ours: `bulla verify small.ova ${MANY} ${TRUSTED}`,
      must: 0.32,
      aim: 0.25,
      checks: [refused('small.ova', 100_000_001, MANY)],
    },
    {
      id: 'import-small',
      title: 'import 20,000 small members, in memory',
      ours: `bulla import small.ova --to imported ${MANY} ${TRUSTED}`,
      must: 0.6,
      aim: 0.5,
      checks: [{ line: 'cd imported && sha256sum --quiet -c ../sums' }],
    },
    {
      id: 'pack-small',
      title: 'pack 20,000 small files',
      reference: '(cd small && sha256sum *) > out.sums && tar cf out.tar small',
      ours: `bulla pack small/* --plain --name out -o out.ova ${MANY} ${PACK}`,
      must: 0.55,
      aim: 0.48,
      checks: [{ line: `bulla verify out.ova ${MANY} ${TRUSTED}` }],
    },
  ].map((each) => ({
    reference: byHand,
    needs: ['small'],
    cwd: 'shm',
    before: 'rm -rf out imported out.ova out.tar; mkdir out',
    ...each,
  }));
}

const UUID = '5bf1dc08-5b9a-4b61-8b0e-7d4a1c7c2b0d';

function glanceCases(gib) {
  const signed = `bulla glance sign disk.raw --key keys/signer.key --cert-uuid ${UUID} -o disk.json --force`;
  const common = { needs: ['keys', 'disk'], reference: `${OPENSSL} disk.raw`, must: 1.1, aim: 1 };
  return [
    {
      ...common,
      id: 'glance-sign',
      title: `glance sign, an image of ${gib} GiB`,
      ours: signed,
      checks: [],
    },
    {
      ...common,
      id: 'glance-verify',
      title: `glance verify, an image of ${gib} GiB`,
      prepare: `cp keys/signer.pem keys/${UUID}.pem && ${signed}`,
      ours: `bulla glance verify disk.raw --properties disk.json --certificates keys ${TRUSTED}`,
      checks: [
        {
          line: whileDamaged(
            'disk.raw',
            12345,
            `bulla glance verify damaged --properties disk.json --certificates keys ${TRUSTED}`,
          ),
          code: 12,
        },
      ],
    },
  ];
}
