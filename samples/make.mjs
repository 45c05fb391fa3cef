// Rebuilds the samples from the disk image and the keys beside this file. The same inputs give the same bytes, but for
// the compressed ones, whose bytes are those of the zlib that Node brings.
// npm run samples; or into another folder: node samples/make.mjs FOLDER
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bootDisk } from './boot-disk.mjs';
import { writeGlanceSamples } from './glance.mjs';
import { find, TAMPERINGS } from './tamper.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const SIGNED = '--key ca/signer.key --cert ca/signer.pem --force';
const ABOUT = '--name appliance --vendor Example --product Sample --version 1.0 --cpus 1 --memory 64';
const DISK = 'appliance/appliance-disk1.vmdk';
const DESCRIPTOR = 'appliance/appliance.ovf';
const PLAIN = 'plain/notice.txt plain/settings.json';

const folder = resolve(process.argv[2] ?? HERE);
if (!existsSync(PROGRAM)) throw new Error('build it first: npm run build');
await makeInputs();
await makeBundles();
writeGlanceSamples(resolve(HERE), folder, DISK);
makeReports();

/** What the samples are made of: kept where it is there, since neither a key nor a VMDK comes out the same twice. */
async function makeInputs() {
  if (!existsSync(join(HERE, 'ca/signer.key'))) {
    const { writeSampleCertificates } = await import('./certificates.mjs');
    await writeSampleCertificates(join(HERE, 'ca'));
  }
  if (!existsSync(join(HERE, DISK))) makeVmdk(join(HERE, DISK));
  if (folder === resolve(HERE)) return;
  for (const input of ['ca', DISK, 'plain'])
    cpSync(join(HERE, input), join(folder, input), { recursive: true });
}

function makeVmdk(target) {
  const work = mkdtempSync(join(tmpdir(), 'bulla-samples-'));
  try {
    const raw = join(work, 'disk.raw');
    writeFileSync(raw, bootDisk());
    mkdirSync(dirname(target), { recursive: true });
    const format = ['-f', 'raw', '-O', 'vmdk', '-o', 'subformat=streamOptimized'];
    const { status, error } = spawnSync('qemu-img', ['convert', ...format, raw, target], {
      stdio: 'inherit',
    });
    if (status !== 0) throw error ?? new Error('qemu-img could not make the VMDK');
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** The bundles, by the commands a user would type, and the tampered copies. */
async function makeBundles() {
  bulla(`pack ${DISK} ${ABOUT} -o unsigned.ova --force`);
  const unsigned = readFileSync(join(folder, 'unsigned.ova'));
  const { data, size } = find(unsigned, '.ovf');
  write(DESCRIPTOR, unsigned.subarray(data, data + size));
  bulla(`pack ${DESCRIPTOR} -o appliance.ova ${SIGNED}`);
  bulla(`pack ${DESCRIPTOR} -o appliance-trailing.ova --order trailing ${SIGNED}`);
  bulla(`pack ${DISK} ${ABOUT} -o blocks.ova --block-digests ${SIGNED}`);
  bulla(`pack ${DESCRIPTOR} -o appliance.tgz ${SIGNED}`);
  bulla(`pack ${DESCRIPTOR} -o appliance.zip ${SIGNED}`);
  bulla(`pack --plain ${PLAIN} -o plain.tar ${SIGNED}`);
  bulla(`pack --plain ${PLAIN} --name signature -o pak.zip ${SIGNED}`);
  bulla(`sign plain/notice.txt --detached ${SIGNED}`);
  await makeStamped();
  const ova = readFileSync(join(folder, 'appliance.ova'));
  for (const [name, tamper] of Object.entries(TAMPERINGS)) write(`tampered/${name}`, tamper(ova));
}

/** The same appliance with a CMS signature, and a timestamp in it: its reply is kept, as the authority is gone. */
async function makeStamped() {
  const [reply, caFile] = [join(HERE, 'ca/stamped.tsr'), join(HERE, 'ca/tsa-ca.pem')];
  const plain = 'stamped.partial.ova';
  bulla(`pack ${DESCRIPTOR} -o ${plain} --cms ${SIGNED}`);
  if (!existsSync(reply)) {
    const { answerOnce } = await import('./time-authority.mjs');
    bulla(`timestamp ${plain} --tsq-out stamped.tsq --force`);
    await answerOnce(join(folder, 'stamped.tsq'), { caFile, replyFile: reply });
    rmSync(join(folder, 'stamped.tsq'));
  }
  bulla(`timestamp ${plain} --tsr-in ca/stamped.tsr -o stamped.ova --force`);
  rmSync(join(folder, plain));
}

/** What `verify` says of each. */
function makeReports() {
  const tampered = Object.keys(TAMPERINGS).map((name) => `tampered/${name}`);
  const good = [
    'appliance.ova',
    'appliance-trailing.ova',
    'blocks.ova',
    'appliance.tgz',
    'appliance.zip',
    'plain.tar',
    'pak.zip',
    'stamped.ova',
  ];
  for (const name of [...good, 'unsigned.ova', ...tampered]) {
    const { stdout, status } = bulla(`verify ${name} --trust ca/ca.pem --at 2026-12-01 --json`, {
      mayRefuse: !good.includes(name),
    });
    write(`expected/${name}.json`, stdout);
    console.log(`${String(status).padStart(2)}  ${name}`);
  }
}

function bulla(line, { mayRefuse = false } = {}) {
  const ran = spawnSync(process.execPath, [PROGRAM, ...line.split(' ')], { cwd: folder, encoding: 'utf8' });
  if (ran.status === 0 || mayRefuse) return ran;
  throw new Error(`bulla ${line}\n${ran.stderr}${ran.stdout}`);
}

function write(name, content) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}
