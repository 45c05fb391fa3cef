/** Short names of the attribute types seen in names, by OID: those of RFC 4514 and the customary ones beside them. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.4': 'SN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '2.5.4.12': 'title',
  '2.5.4.15': 'businessCategory',
  '2.5.4.17': 'postalCode',
  '2.5.4.42': 'GN',
  '2.5.4.46': 'dnQualifier',
  '2.5.4.65': 'pseudonym',
  '2.5.4.97': 'organizationIdentifier',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'emailAddress',
  '1.3.6.1.4.1.311.60.2.1.1': 'jurisdictionL',
  '1.3.6.1.4.1.311.60.2.1.2': 'jurisdictionST',
  '1.3.6.1.4.1.311.60.2.1.3': 'jurisdictionC',
};

const ALIASES: Readonly<Record<string, string>> = { e: 'emailAddress', email: 'emailAddress', s: 'ST' };

const OIDS = new Map(Object.entries(SHORT_NAMES).map(([oid, name]) => [name, oid]));
const BY_LOWER_CASE = new Map([...OIDS.keys()].map((name) => [name.toLowerCase(), name]));

/** The short name of an attribute type where it has one, else the OID itself. */
export function attributeTypeName(oid: string): string {
  return SHORT_NAMES[oid] ?? oid;
}

/** The OID of a short name as `attributeTypeName` gives it; an OID is its own. */
export function attributeTypeOid(type: string): string {
  return OIDS.get(type) ?? type;
}

/** The canonical spelling of a type written by a person, case ignored (`cn`, `E`, `2.5.4.3`), or undefined when unknown. */
export function canonicalAttributeType(text: string): string | undefined {
  if (/^[0-2](\.(0|[1-9]\d*))+$/.test(text)) return attributeTypeName(text);
  const lower = text.toLowerCase();
  return BY_LOWER_CASE.get(lower) ?? ALIASES[lower];
}
