import { printable } from '../../../kit/encoding.ts';
import { BundleError } from '../../../kit/errors/errors.ts';
import { ovfAttribute, ovfChildren } from '../envelope.ts';
import { isCim } from '../virtual-system.ts';
import type { XmlElement } from '../xml.ts';
import { cannot, type Found, NAMES_SHOWN } from './found.ts';
import { networkName } from './network-name.ts';
import { attributePlaces, insertedAttribute, insertedChild, insertedSection, textPlace } from './places.ts';
import { type SectionText, textOf } from './setting-keys.ts';
import type { PlacedXml } from './xml-places.ts';

/** What a machine begins with, before its sections. */
const MACHINE = ['Info', 'Name'];

/** The envelope, or a machine or a collection of machines in it, which have an id. */
interface Owner {
  readonly id?: string;
  readonly element: XmlElement;
}

/** An element that may be the one that is meant. */
interface Candidate {
  readonly owner: Owner;
  readonly element: XmlElement;
}

/** Finds the one place that a key stands for. @throws {BundleError} `USAGE` where there is none, or more than one [edit.2] */
export function findSetting(
  document: PlacedXml,
  setting: { readonly key: string; readonly value: string },
): Found {
  const all = ownersIn(document.root);
  if (setting.key.startsWith('network.'))
    return networkName(document, setting.key.slice('network.'.length), setting);
  const { key, owners } = scoped(setting.key, all);
  const within = new Finding(document, setting.key, owners);
  if (key.startsWith('property.')) {
    const everywhere = new Finding(document, setting.key, all);
    return propertyOf(everywhere, within, { whole: setting.key, scoped: key });
  }
  if (key === 'name') return within.name();
  if (key === 'hardware') return within.hardware();
  const text = textOf(key);
  if (text) return within.text(text);
  throw cannot(setting.key, 'no machine of that id is in the descriptor', idsOf(all));
}

/** [edit.2] What a key with an `@` stands for: the property of that very key, or that of a machine, and never one by chance. */
function propertyOf(
  everywhere: Finding,
  within: Finding,
  { whole, scoped }: { readonly whole: string; readonly scoped: string },
): Found {
  const [key, keyWithin] = [whole, scoped].map((one) => one.slice('property.'.length)) as [string, string];
  if (key === keyWithin) return everywhere.property(key);
  if (!everywhere.hasProperty(key)) return within.property(keyWithin);
  if (!within.hasProperty(keyWithin)) return everywhere.property(key);
  throw new BundleError(
    'USAGE',
    `"${printable(whole)}" could be the property "${printable(key)}", or "${printable(keyWithin)}" of a machine`,
    {
      fix: 'change the descriptor itself, and give it whole',
    },
  );
}

/** [edit.2] `KEY@ID` is of one machine, where there is one of that id: names of properties may have an `@` themselves. */
function scoped(
  key: string,
  owners: readonly Owner[],
): { readonly key: string; readonly owners: readonly Owner[] } {
  for (const { id } of owners) {
    if (id === undefined || id === '' || !key.endsWith(`@${id}`)) continue;
    return { key: key.slice(0, -id.length - 1), owners: owners.filter((owner) => owner.id === id) };
  }
  return { key, owners };
}

function ownersIn(envelope: XmlElement): readonly Owner[] {
  const within = (parent: XmlElement): readonly Owner[] =>
    ovfChildren(parent, 'VirtualSystem', 'VirtualSystemCollection').flatMap((element) => [
      { id: ovfAttribute(element, 'id') ?? '', element },
      ...within(element),
    ]);
  return [{ element: envelope }, ...within(envelope)];
}

function idsOf(owners: readonly Owner[]): readonly string[] {
  return owners.flatMap(({ id }) => (id === undefined ? [] : [id]));
}

/** What is looked for in some of the owners. */
class Finding {
  readonly #document: PlacedXml;
  readonly #key: string;
  readonly #owners: readonly Owner[];

  constructor(document: PlacedXml, key: string, owners: readonly Owner[]) {
    this.#document = document;
    this.#key = key;
    this.#owners = owners;
  }

  name(): Found {
    return this.#textIn(this.#machine(), MACHINE, 'Name');
  }

  text({ section, info, order, child }: SectionText): Found {
    const sections = this.#all(section);
    if (sections.length === 0) {
      const machine = this.#machine();
      const gap = { parent: machine.element, earlier: ovfChildren(machine.element, ...MACHINE).at(-1) };
      const place = insertedSection(this.#document, gap, { section, info, child });
      return { what: nameOf(child, machine), old: undefined, places: [place], notes: [] };
    }
    const having = sections.filter(({ element }) => ovfChildren(element, child).length > 0);
    return this.#textIn(this.#only(having.length > 0 ? having : sections, section), order, child);
  }

  hardware(): Found {
    const types = this.#all('VirtualHardwareSection').flatMap(({ owner, element }) =>
      ovfChildren(element, 'System').flatMap((system) =>
        system.children
          .filter((one) => isCim(one, 'VirtualSystemType'))
          .map((type) => ({ owner, element: type })),
      ),
    );
    const type = this.#only(types, 'VirtualSystemType');
    const { element } = type;
    const what = nameOf(element.local, type);
    return { what, old: element.text.trim(), places: [textPlace(this.#document, element)], notes: [] };
  }

  hasProperty(key: string): boolean {
    return this.#properties().some(({ names }) => names.includes(key));
  }

  property(key: string): Found {
    const properties = this.#properties();
    const named = properties.filter(({ names }) => names.includes(key));
    if (named.length === 0) {
      throw cannot(
        this.#key,
        'the descriptor has no such property',
        properties.flatMap(({ names }) => names.slice(0, 1)),
      );
    }
    const property = this.#only(named, 'property of that name');
    const { element, names } = property;
    const old = ovfAttribute(element, 'value');
    const places =
      old === undefined
        ? [insertedAttribute(this.#document, element, 'key', 'value')]
        : attributePlaces(this.#document, element, 'value');
    const others = ovfChildren(element, 'Value').length > 0;
    const notes = others
      ? [
          `line ${element.line} of the descriptor: the property has values for configurations, which stay as they are`,
        ]
      : [];
    return { what: nameOf(`property ${names[0]}`, property), old, places, notes };
  }

  #properties(): readonly (Candidate & { readonly names: readonly string[] })[] {
    return this.#all('ProductSection').flatMap(({ owner, element: section }) =>
      ovfChildren(section, 'Property').map((element) => ({
        owner,
        element,
        names: namesOf(section, element),
      })),
    );
  }

  /** The one machine, or the one collection, that is meant. */
  #machine(): Candidate {
    const machines = this.#owners.filter(({ id }) => id !== undefined);
    return this.#only(
      machines.map((owner) => ({ owner, element: owner.element })),
      'machine',
    );
  }

  #all(section: string): readonly Candidate[] {
    return this.#owners.flatMap((owner) =>
      ovfChildren(owner.element, section).map((element) => ({ owner, element })),
    );
  }

  #only<One extends Candidate>(found: readonly One[], what: string): One {
    const [first, second] = found;
    if (!first) throw cannot(this.#key, `the descriptor has no ${what} for it`, []);
    if (!second) return first;
    const ids = [...new Set(found.flatMap(({ owner: { id } }) => id ?? []))];
    const lines = found.map(({ element }) => element.line).slice(0, NAMES_SHOWN);
    throw new BundleError(
      'USAGE',
      `"${printable(this.#key)}" could be set in several places: lines ${lines.join(', ')}`,
      {
        why: 'one of them would be changed by chance, and the others not',
        fix:
          ids.length > 1
            ? `say of which machine: ${ids
                .slice(0, NAMES_SHOWN)
                .map((id) => `${this.#key}@${id}`)
                .join(', ')}`
            : 'change the descriptor itself, and give it whole',
      },
    );
  }

  #textIn(within: Candidate, order: readonly string[], child: string): Found {
    const { element: parent } = within;
    const what = nameOf(child, within);
    const all = ovfChildren(parent, child);
    const plain = all.filter((one) => !isTranslation(one));
    const meant = plain.length > 0 ? plain : all;
    if (meant.length > 1)
      this.#only(
        meant.map((element) => ({ ...within, element })),
        child,
      );
    const [element] = meant;
    if (!element) {
      const earlier = ovfChildren(parent, ...order.slice(0, order.indexOf(child))).at(-1);
      return {
        what,
        old: undefined,
        places: [insertedChild(this.#document, { parent, earlier }, child)],
        notes: [],
      };
    }
    const translated = all.length > 1 || ovfAttribute(element, 'msgid');
    const notes = translated
      ? [`line ${element.line} of the descriptor: ${child} has translations, which stay as they are`]
      : [];
    return { what, old: element.text.trim(), places: [textPlace(this.#document, element)], notes };
  }
}

/** Whether an element says of which language it is, or by which id it is translated. */
function isTranslation(element: XmlElement): boolean {
  return (
    ovfAttribute(element, 'msgid') !== undefined || element.attributes.some(({ local }) => local === 'lang')
  );
}

function nameOf(what: string, { owner }: Candidate): string {
  return `${what}@${owner.id}`;
}

/** The names that a property is known by: within its section, and in all of the descriptor (DSP0243 1.1.0 clause 9.5.1). */
function namesOf(section: XmlElement, property: XmlElement): readonly string[] {
  const key = ovfAttribute(property, 'key') ?? '';
  const full = [ovfAttribute(section, 'class'), key, ovfAttribute(section, 'instance')];
  const joined = full.filter((part) => part !== undefined && part !== '').join('.');
  return joined === key ? [key] : [joined, key];
}
