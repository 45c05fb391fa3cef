import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { extract } from 'tar-stream';
import yauzl from 'yauzl';

/** A member as a reader sees it. */
export interface Seen {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

/** What a reader makes of an archive: the members, sorted by name, or why there are none. */
type Reading = readonly Seen[] | string;

/** Reads archives, which are paths, and says of each what it saw. */
type Peer = (archives: readonly string[]) => Promise<readonly Reading[]>;

/** Another program, and how to find out whether it is there. */
export interface NamedPeer {
  readonly name: string;
  readonly probe: string;
  readonly read: Peer;
}

const UTF8 = { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC' };

const PYTHON = `
import hashlib, json, sys, tarfile, zipfile
def tar(path):
    with tarfile.open(path) as archive:
        return [[m.name, m.size, hashlib.sha256(archive.extractfile(m).read() if m.isfile() else b'?').hexdigest()] for m in archive]
def zip(path):
    with zipfile.ZipFile(path) as archive:
        return [[i.filename, i.file_size, hashlib.sha256(archive.read(i)).hexdigest()] for i in archive.infolist()]
for path in sys.stdin.read().split('\\n'):
    if not path: continue
    try: print(json.dumps((zip if path.endswith('.zip') else tar)(path)))
    except Exception as error: print(json.dumps(repr(error)))
`;

/** Unpacks each into its folder; one that dies does not end the others. */
const PERL = `
use Archive::Tar;
while (<STDIN>) {
  chomp;
  my ($from, $to) = split /\\t/;
  my $told = '';
  mkdir $to or die "$to: $!";
  chdir $to or die "$to: $!";
  local $SIG{__WARN__} = sub { $told .= shift };
  my $done = eval { Archive::Tar->extract_archive($from) or die Archive::Tar->error; 1 };
  $told .= $@ unless $done;
  for (['log', $told], ['code', $done ? 0 : 1]) {
    open(my $file, '>', "$to.$_->[0]") or die "$to: $!";
    print $file $_->[1];
    close $file;
  }
}
`;

/** Those that read tar and gzip-compressed tar. */
export const TAR_PEERS: readonly NamedPeer[] = [
  {
    name: 'GNU tar',
    probe: 'tar --version',
    read: unpacker('tar --no-same-owner --no-same-permissions -xf "$1" -C "$2"'),
  },
  {
    name: 'bsdtar',
    probe: 'bsdtar --version',
    read: unpacker('bsdtar --no-same-owner --no-xattrs -xf "$1" -C "$2"'),
  },
  { name: 'Python tarfile', probe: 'python3 -c pass', read: byPython },
  { name: 'tar-stream', probe: 'true', read: each(byTarStream) },
  { name: 'node-tar', probe: 'true', read: each(byNodeTar) },
];

/** Those that go by the headers alone, and do not know pax; the first unpacks a pax header as a file. */
export const HEADER_PEERS: readonly NamedPeer[] = [
  {
    name: 'cpio',
    probe: 'cpio --version',
    read: unpacker('cd "$2" && cpio -id --quiet --no-absolute-filenames < "$1"'),
  },
  { name: "Perl's Archive::Tar", probe: 'perl -MArchive::Tar -e 1', read: unpackedBy('perl', PERL) },
];

/** Those that read zip. */
export const ZIP_PEERS: readonly NamedPeer[] = [
  { name: 'Python zipfile', probe: 'python3 -c pass', read: byPython },
  {
    name: 'bsdtar',
    probe: 'bsdtar --version',
    read: unpacker('bsdtar --no-same-owner --no-xattrs -xf "$1" -C "$2"'),
  },
  { name: 'unzip', probe: 'unzip -v', read: unpacker('unzip -qq -o "$1" -d "$2"') },
  { name: 'yauzl', probe: 'true', read: each(byYauzl) },
];

/** 7-Zip, which reads every zip of ours. */
export const SEVEN_ZIP: NamedPeer = {
  name: '7-Zip',
  probe: '7z i',
  read: unpacker('7z x -y -o"$2" "$1"'),
};

async function byPython(archives: readonly string[]): Promise<readonly Reading[]> {
  const { stdout } = spawnSync('python3', ['-c', PYTHON], {
    input: archives.join('\n'),
    env: UTF8,
    maxBuffer: 2 ** 30,
  });
  const lines: readonly (string | [string, number, string][])[] = stdout
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines.map((line) =>
    typeof line === 'string' ? line : sorted(line.map(([name, size, sha256]) => ({ name, size, sha256 }))),
  );
}

/** A program that unpacks `$1` into `$2`, run by one shell for all of them. */
function unpacker(command: string): Peer {
  return unpackedBy(
    'sh',
    `while IFS="\t" read -r from to; do mkdir "$to"; set -- "$from" "$to"; ( ${command} ) </dev/null >"$to.log" 2>&1; echo $? >"$to.code"; done`,
  );
}

/** A script that gets lines of an archive and of the folder to unpack it into, and leaves what was told, and 0, beside that. */
function unpackedBy(language: 'sh' | 'perl', script: string): Peer {
  return async (archives) => {
    const [first] = archives;
    if (first === undefined) return [];
    const out = `${first}.out`;
    mkdirSync(out);
    const list = archives.map((path, i) => `${path}\t${join(out, String(i))}\n`).join('');
    spawnSync(language, [language === 'sh' ? '-c' : '-e', script], { env: UTF8, input: list });
    const readings = archives.map((_, i): Reading => {
      const code = readFileSync(join(out, `${i}.code`), 'utf8').trim();
      const log = readFileSync(join(out, `${i}.log`), 'utf8').trim();
      return code === '0' ? sorted(filesIn(Buffer.from(join(out, String(i))), '')) : `exit ${code}: ${log}`;
    });
    rmSync(out, { recursive: true, force: true });
    return readings;
  };
}

/** The files in a folder, whatever they may be read by; names as bytes, since a reader may have made one of something else than UTF-8. */
function filesIn(folder: Buffer, prefix: string): readonly Seen[] {
  return readdirSync(folder, { encoding: 'buffer' }).flatMap((name) => {
    const path = Buffer.concat([folder, Buffer.from('/'), name]);
    const stats = lstatSync(path);
    if (stats.isDirectory() || stats.isFile()) chmodSync(path, 0o700);
    if (stats.isDirectory()) return filesIn(path, `${prefix}${name}/`);
    return [seen(`${prefix}${name}`, stats.isFile() ? readFileSync(path) : Buffer.from('?'))];
  });
}

function each(read: (path: string) => Promise<readonly Seen[]>): Peer {
  return async (archives) => {
    const readings: Reading[] = [];
    for (const path of archives) {
      readings.push(await read(path).then(sorted, (error: unknown) => String(error)));
    }
    return readings;
  };
}

async function byTarStream(path: string): Promise<readonly Seen[]> {
  const bytes = createReadStream(path);
  const members: Seen[] = [];
  for await (const entry of (path.endsWith('.tgz') ? bytes.pipe(createGunzip()) : bytes).pipe(extract())) {
    const content = Buffer.concat(await Readable.from(entry).toArray());
    if (content.byteLength !== entry.header.size) throw new Error(`size ${entry.header.size}`);
    members.push(seen(entry.header.name, content));
  }
  return members;
}

function byNodeTar(path: string): Promise<readonly Seen[]> {
  return new Promise((resolve, reject) => {
    const members: Promise<Seen>[] = [];
    const parser = new Parser({
      strict: true,
      maxDecompressionRatio: Number.POSITIVE_INFINITY, // a limit is not a reading
      onReadEntry: (entry: ReadEntry) => {
        members.push(entry.concat().then((content) => seen(entry.path, content)));
      },
    });
    parser.on('error', reject);
    parser.on('end', () => Promise.all(members).then(resolve, reject));
    createReadStream(path)
      .on('error', reject)
      .pipe(parser as unknown as NodeJS.WritableStream);
  });
}

function byYauzl(path: string): Promise<readonly Seen[]> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, strictFileNames: true }, (failure, archive) => {
      if (failure) return reject(failure);
      const members: Seen[] = [];
      archive.on('error', reject);
      archive.on('end', () => resolve(members));
      archive.on('entry', (entry: yauzl.Entry) => {
        archive.openReadStream(entry, (error, stream) => {
          if (error) return reject(error);
          stream.on('error', reject);
          stream.toArray().then((chunks) => {
            members.push(seen(entry.fileName, Buffer.concat(chunks)));
            archive.readEntry();
          }, reject);
        });
      });
      archive.readEntry();
    });
  });
}

function seen(name: string, content: Buffer): Seen {
  return { name, size: content.byteLength, sha256: createHash('sha256').update(content).digest('hex') };
}

function sorted(members: readonly Seen[]): readonly Seen[] {
  return [...members].sort((a, b) => (a.name < b.name ? -1 : Number(a.name > b.name)));
}
