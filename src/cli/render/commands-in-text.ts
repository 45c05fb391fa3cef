/** Programs whose commands are advised; but for ours, each is also a word of prose. */
const PROGRAMS =
  'bulla|openssl|openstack|keytool|qemu-img|curl|bsdtar|tar|zip|unzip|xz|zstd|bzip2|gzip|gunzip|iconv|gpg|vma|git|ulimit';
const START = new RegExp(`(?<![\\w./'"=-])(?:[A-Z_]+=[^ ]+ )?(?:${PROGRAMS})(?= )`, 'g');
/** Words behind those programs that say what is to be done. */
const VERBS =
  /^(?:x509|pkcs\d+|pkey|rsa|ec|crl|ocsp|dgst|cms|ts|image|token|endpoint|secret|create|issue|list|convert|info|extract|lfs|annex)$/;
/** The commands of our own. */
const OWN =
  /^(?:pack|sign|timestamp|verify|inspect|import|normalize|repack|diff|split|join|clean|trust|glance|dev-certs|env|help|completion|version)$/;
/** An option whose value may be any word. */
const TAKES_WORD = /^(?:-[a-zA-Z]|--(?:relax|digest|firmware|os|revocation))$/;
/** One word of a shell, whatever is in its quotes. */
const WORD = / ((?:'[^']*'|"[^"]*"|[^ ])+)/y;

/** Where in a text a command stands, from its first character to behind its last. */
export interface CommandPlace {
  readonly start: number;
  readonly end: number;
}

/**
 * The commands in a row for people: what begins with a program that we name, and goes on as a command does. An indented row that
 * begins with one is one; a sentence may begin with one, too. [show.4]
 */
export function commandsIn(row: string): readonly CommandPlace[] {
  const places: CommandPlace[] = [];
  for (const match of row.matchAll(START)) {
    const start = match.index;
    if (start < (places.at(-1)?.end ?? 0)) continue; // behind a pipe
    const isWhole = /^ +$/.test(row.slice(0, start));
    const end = isWhole ? row.length : endOf(row, start + match[0].length);
    if (end > start + match[0].length) places.push({ start, end });
  }
  return places;
}

function endOf(row: string, from: number): number {
  const words = [row.slice(0, from).replace(/^.* /s, '')];
  let end = from;
  let doubtful = 0;
  for (let at = from; at < row.length; ) {
    WORD.lastIndex = at;
    const [text = '', word = ''] = WORD.exec(row) ?? [];
    if (word === '') break;
    at += text.length;
    const isArgument = continues(word.replace(/[,;:)]+$/, ''), words);
    if (!isArgument && ++doubtful > 1) break; // one that is none may be a name, if there are arguments behind it
    words.push(word);
    if (isArgument) [end, doubtful] = [at, 0];
    if (/[,;:)]$/.test(word)) break;
  }
  return end;
}

/** Whether a word goes on with a command that has these words already. */
function continues(word: string, words: readonly string[]): boolean {
  const [program = ''] = words;
  const before = words.at(-1) ?? '';
  if (/['"./=…|<>*&[\\]|^-|^[A-Z][A-Z0-9_]*$/.test(word)) return true;
  if (before === '|' || TAKES_WORD.test(before)) return true;
  if (program !== 'bulla') return VERBS.test(word);
  if (!/^[a-z][a-z-]*$/.test(word)) return false;
  return words.length === 1 ? OWN.test(word) : /^(?:trust|glance|help|add|show|remove)$/.test(before);
}
