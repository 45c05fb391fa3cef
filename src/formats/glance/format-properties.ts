import { formatJson } from '../../kit/json.ts';
import { face, needed, oneOf, text } from '../../kit/shape.ts';
import { shellWord } from '../../kit/shell.ts';
import { PROPERTY_NAMES, type SignatureProperties } from './properties.ts';

/** A way in which properties are handed on: a JSON object, arguments of the openstack client, the body of a PATCH. */
export type PropertyForm = 'json' | 'args' | 'patch';

const FORMS = { json: true, args: true, patch: true } as const;

/** All of them. */
export const PROPERTY_FORMS = Object.keys(FORMS) as readonly PropertyForm[];

/** One of them, as a program gives it. [api.1] */
export const propertyForm = oneOf<PropertyForm>(FORMS);

const signatureProperties = face<SignatureProperties>(
  {
    signature: needed(text),
    hashMethod: needed(text),
    keyType: needed(text),
    certificateUuid: needed(text),
  },
  'the properties of a signature, as signImage gives them',
);

/** The four properties by their names in Glance, in the order of its documentation. [glance.1] */
export function namedProperties(properties: SignatureProperties): ReadonlyMap<string, string> {
  const given = signatureProperties(properties, 'properties');
  const keys = ['signature', 'certificateUuid', 'hashMethod', 'keyType'] as const;
  return new Map(keys.map((key) => [PROPERTY_NAMES[key], given[key]]));
}

/** The text of the four properties, with a line end. [glance.8] */
export function formatProperties(properties: SignatureProperties, form: PropertyForm): string {
  const named = [...namedProperties(properties)];
  switch (propertyForm(form, 'form')) {
    case 'json':
      return `${formatJson(Object.fromEntries(named))}\n`;
    case 'args':
      return `${named.map(([name, value]) => `--property ${shellWord(`${name}=${value}`)}`).join(' ')}\n`;
    case 'patch': {
      const patch = named.map(([name, value]) => ({ op: 'add', path: `/${name}`, value }));
      return `${formatJson(patch)}\n`;
    }
  }
}
