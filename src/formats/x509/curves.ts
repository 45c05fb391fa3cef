/** Names by the last number of the OID, as SEC 2 has given them. */
const CERTICOM: Readonly<Record<string, string>> = {
  1: 'sect163k1',
  2: 'sect163r1',
  3: 'sect239k1',
  4: 'sect113r1',
  5: 'sect113r2',
  6: 'secp112r1',
  7: 'secp112r2',
  8: 'secp160r1',
  9: 'secp160k1',
  10: 'secp256k1',
  15: 'sect163r2',
  16: 'sect283k1',
  17: 'sect283r1',
  22: 'sect131r1',
  23: 'sect131r2',
  24: 'sect193r1',
  25: 'sect193r2',
  26: 'sect233k1',
  27: 'sect233r1',
  28: 'secp128r1',
  29: 'secp128r2',
  30: 'secp160r2',
  31: 'secp192k1',
  32: 'secp224k1',
  33: 'secp224r1',
  34: 'secp384r1',
  35: 'secp521r1',
  36: 'sect409k1',
  37: 'sect409r1',
  38: 'sect571k1',
  39: 'sect571r1',
};

/** The curves of RFC 5639 in the order of their OIDs, from 1 on. */
const BRAINPOOL = ['160', '192', '224', '256', '320', '384', '512'].flatMap((bits) => [
  `brainpoolP${bits}r1`,
  `brainpoolP${bits}t1`,
]);

/** The prime curves of ANSI X9.62 in the order of their OIDs, from 1 on. */
const ANSI = ['192v1', '192v2', '192v3', '239v1', '239v2', '239v3', '256v1'].map((name) => `prime${name}`);

/** OpenSSL's name of the curve with this OID (`prime256v1`); the OID itself for others, none of which is accepted. */
export function curveName(oid: string): string {
  const [, arc, last = ''] = /^(.*)\.(\d+)$/.exec(oid) ?? [];
  switch (arc) {
    case '1.3.132.0':
      return CERTICOM[last] ?? oid;
    case '1.3.36.3.3.2.8.1.1':
      return BRAINPOOL[Number(last) - 1] ?? oid;
    case '1.2.840.10045.3.1':
      return ANSI[Number(last) - 1] ?? oid;
    default:
      return oid;
  }
}
