import type { GeneralName } from '../../formats/x509/general-name.ts';
import { isWithin } from '../../formats/x509/name.ts';
import { equalBytes } from '../../kit/bytes.ts';

/** How a name stands to the subtree of a constraint; `unclear`: one of the two is not well formed, or cannot be compared. */
export type Standing = 'inside' | 'outside' | 'partly' | 'unclear';

/** How `name` stands to the subtree of `base`, which is of the same kind (RFC 5280 section 4.2.1.10). [nc.3] [nc.4] [nc.5] */
export function standingOf(name: GeneralName, base: GeneralName): Standing {
  switch (name.kind) {
    case 'directory':
      return base.kind === 'directory' && isWithin(name.value, base.value) ? 'inside' : 'outside';
    case 'dns':
      return base.kind === 'dns'
        ? dnsStanding(name.value.toLowerCase(), base.value.toLowerCase())
        : 'outside';
    case 'email':
      return base.kind === 'email' ? emailStanding(name.value, base.value) : 'outside';
    case 'uri':
      return base.kind === 'uri' ? uriStanding(name.value, base.value) : 'outside';
    case 'ip':
      return base.kind === 'ip' && isInNetwork(name.value, base.value) ? 'inside' : 'outside';
    case 'other':
      return 'unclear';
  }
}

/** True for a constraint that says something in the one form its kind has. [nc.2] */
export function isWellFormed(base: GeneralName): boolean {
  switch (base.kind) {
    case 'dns':
      return base.value === '' || isHost(base.value.toLowerCase());
    case 'email': {
      const at = base.value.lastIndexOf('@');
      const host = base.value.slice(at + 1).toLowerCase();
      if (at < 0) return base.value === '' || isHost(host.replace(/^\./, ''));
      return at > 0 && !isDoubled(base.value, at) && isHost(host);
    }
    case 'uri':
      return base.value === '' || isHost(base.value.toLowerCase().replace(/^\./, ''));
    default:
      return true;
  }
}

/** Labels of letters, digits, `-` and `_`, none empty; 253 characters in all. */
function isHost(text: string): boolean {
  return (
    text.length <= 253 &&
    /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*$/.test(text)
  );
}

function isBelow(host: string, domain: string): boolean {
  return domain === '' || host === domain || host.endsWith(`.${domain}`);
}

/** [nc.4] A wildcard stands for many names, of which a constraint may cover some (CVE-2025-61727). */
function dnsStanding(name: string, base: string): Standing {
  const wildcard = name.startsWith('*.');
  const host = wildcard ? name.slice(2) : name;
  if (!isHost(host)) return 'unclear';
  if (isBelow(host, base)) return 'inside';
  return wildcard && base.endsWith(`.${host}`) ? 'partly' : 'outside';
}

/** More than one `@` outside of quotes: nobody knows where the host begins. */
function isDoubled(mailbox: string, at: number): boolean {
  const local = mailbox.slice(0, at);
  return local.includes('@') && !/^".*"$/.test(local);
}

/** [nc.5] The part before the `@` is compared as it stands, the host without regard to case. */
function emailStanding(mailbox: string, base: string): Standing {
  const at = mailbox.lastIndexOf('@');
  const host = mailbox.slice(at + 1).toLowerCase();
  if (at < 1 || isDoubled(mailbox, at) || !isHost(host)) return 'unclear';
  const baseAt = base.lastIndexOf('@');
  const baseHost = base.slice(baseAt + 1).toLowerCase();
  if (baseAt >= 0) {
    return mailbox.slice(0, at) === base.slice(0, baseAt) && host === baseHost ? 'inside' : 'outside';
  }
  return hostMatches(host, baseHost) ? 'inside' : 'outside';
}

/** A host stands for itself alone; a leading period for everything below. */
function hostMatches(host: string, base: string): boolean {
  if (base === '') return true;
  return base.startsWith('.') ? host.endsWith(base) : host === base;
}

/** [nc.5] Only the host of a URI counts, and it must be a name; a backslash ends it for some programs and not for others. */
function uriStanding(uri: string, base: string): Standing {
  const [, authority] = /^[a-z][a-z0-9+.-]*:\/\/([^/?#\\]*)(?:[/?#]|$)/i.exec(uri) ?? [];
  const host = authority
    ?.slice(authority.lastIndexOf('@') + 1)
    .replace(/:\d*$/, '')
    .toLowerCase();
  if (!host || !isHost(host) || /^[\d.]+$/.test(host)) return 'unclear';
  return hostMatches(host, base.toLowerCase()) ? 'inside' : 'outside';
}

/** An address of the other family is outside. */
function isInNetwork(address: Uint8Array, network: Uint8Array): boolean {
  const { byteLength } = address;
  if (network.byteLength !== 2 * byteLength) return false;
  const masked = (bytes: Uint8Array): Uint8Array =>
    bytes.map((byte, i) => byte & (network[byteLength + i] ?? 0));
  return equalBytes(masked(address), masked(network.slice(0, byteLength)));
}
