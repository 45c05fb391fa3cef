import { decodeLatin1 } from '../../kit/encoding.ts';
import { type Foreign, PROGRAM_ALONE, SIGNED_BESIDE } from './foreign.ts';

const FETCH_FILE =
  'give the bundle; if it was fetched, a server has sent this in its place: look at it, sign in or correct the address as it says, and fetch the file again';

/** [arc.6] What texts are that come in place of a bundle, most of them from servers. */
const TEXTS: readonly (Foreign & { readonly begins: RegExp })[] = [
  {
    name: 'a Git LFS pointer, which stands in a repository for the file',
    begins: /^version https:\/\/(git-lfs\.github|hawser\.github)\.com\/spec\//,
    fix: 'fetch the file itself in the repository (git lfs pull), and give that; or download it from where the publisher releases it',
  },
  {
    name: 'a git-annex pointer, which stands in a repository for the file',
    begins: /^\/annex\/objects\//,
    fix: 'fetch the file itself in the repository (git annex get), and give that',
  },
  {
    name: 'an HTML page',
    begins: /^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<(!doctype\s+html|html|head|body|title|meta|script)\b/i,
    fix: FETCH_FILE,
  },
  { name: 'an answer of a server, with its headers', begins: /^HTTP\/\d/, fix: FETCH_FILE },
  {
    name: 'an error of a server, in XML',
    begins: /^(<\?xml[^>]*>\s*)?<([\w-]+:)?Error(Response)?\b/,
    fix: FETCH_FILE,
  },
  {
    name: 'an OVF descriptor by itself, an XML file',
    begins: /^(<\?xml[^>]*>\s*)?(<!--[\s\S]*?-->\s*)*<([\w-]+:)?Envelope\b/,
    fix: 'give the package that it describes: the archive; or the descriptor by its name, with the other files beside it',
  },
  { name: 'an XML file', begins: /^<(\?xml|!--|!DOCTYPE|[\w-]+(:[\w-]+)?[\s/>])/, fix: FETCH_FILE },
  { name: 'a text in JSON, such as an error of a server', begins: /^[{[]/, fix: FETCH_FILE },
  {
    name: 'an encrypted OpenPGP message',
    begins: /^-----BEGIN PGP MESSAGE-----/,
    fix: 'decrypt it, and give what comes out',
  },
  {
    name: 'an OpenPGP signature',
    begins: /^-----BEGIN PGP SIGNATURE-----/,
    fix: 'give the file that it is about, which gpg verifies with it',
  },
  {
    name: 'a CMS signature, or certificates in PKCS#7',
    begins: /^-----BEGIN (PKCS7|CMS)-----/,
    fix: SIGNED_BESIDE,
  },
  {
    name: 'a certificate',
    begins: /^-----BEGIN (X509 |TRUSTED )?CERTIFICATE-----/,
    fix: 'give the bundle; a certificate says whom you trust, and is named beside it',
  },
  {
    name: 'a private key',
    begins: /^-----BEGIN ([A-Z0-9]+ )?PRIVATE KEY-----/,
    fix: 'give the bundle; a private key is for signing, and verifies nothing',
  },
  {
    name: 'a PEM file',
    begins: /^-----BEGIN [A-Z0-9 ]+-----/,
    fix: 'give the bundle; certificates, keys and signatures are named beside it',
  },
  {
    name: 'a file encrypted by age',
    begins: /^age-encryption\.org\/v/,
    fix: 'decrypt it (age -d), and give what comes out',
  },
  {
    name: 'a torrent',
    begins: /^d\d+:(announce|created|comment|info|creation)/,
    fix: 'fetch the file that it is for',
  },
  {
    name: 'the certificate file of a bundle, which signs its manifest',
    begins:
      /^(RSA-)?SHA[\d-]+ ?\([^()\n]*\.mf\)= ?[0-9a-f]+\r?\n *-----BEGIN |^(RSA-)?SHA[\d-]+ ?\([^()\n]*\.mf\)= ?[0-9a-f]{130,}/i,
    fix: 'give the bundle that it belongs to: the archive; or the folder that it lies in, with the manifest and the files',
  },
  {
    name: 'a list of checksums',
    begins: /^([0-9a-f]{32,128} [ *]\S|SHA\d+ ?\()/i,
    fix: 'give the file that is listed there; checksums alone do not show who made them',
  },
  { name: 'a script', begins: /^#!/, fix: PROGRAM_ALONE },
];

/** What a text is, by its beginning; undefined for what is no text. */
export function foreignText(head: Uint8Array): Foreign | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return UTF16;
  if (head[0] === 0xfe && head[1] === 0xff) return UTF16;
  // binary files may begin with a line of text: a torrent, a script that unpacks what stands behind it
  const start = decodeLatin1(head.subarray(0, 512))
    .replace(/^\u00ef\u00bb\u00bf/, '')
    .trimStart();
  const known = TEXTS.find(({ begins }) => begins.test(start));
  if (known && (isText(head) || /^(d\d|#!)/.test(start))) return known;
  return isText(head) ? PLAIN : undefined;
}

const PLAIN: Foreign = { name: 'plain text', fix: FETCH_FILE };
const UTF16: Foreign = { name: 'a text in UTF-16', fix: FETCH_FILE };

/** Whether it is UTF-8 without control characters; the last character may be cut. */
export function isText(head: Uint8Array): boolean {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return text.trim() !== '' && !/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text);
  } catch {
    return false;
  }
}
