import { join } from 'node:path';
import type { PluginFolder } from '../../storage/signers/find-plugin.ts';
import { type Context, configFolder } from '../context.ts';
import { askingFor } from './passphrase.ts';

/** What opens a key that is in no file. */
export interface KeyOpeningOptions {
  readonly passphrase: () => Promise<string>;
  readonly tries: number;
  readonly plugins: readonly PluginFolder[];
}

/** How a key is opened that an option names: whom to ask for its passphrase, where plugins are. [key.8] */
export function keyOpeningOf(
  key: string,
  flags: { readonly passphraseFile?: string | undefined },
  context: Context,
): KeyOpeningOptions {
  return {
    ...askingFor(context, flags.passphraseFile, key),
    plugins: pluginFolders(context),
  };
}

/** The user's own plugins, then those that Notary has here. [key.8] */
export function pluginFolders({ trustFolders, env }: Context): readonly PluginFolder[] {
  const own = trustFolders.at(-1);
  return [
    ...(own === undefined ? [] : [{ folder: join(own, 'plugins'), prefix: 'bulla-' }]),
    { folder: join(configFolder(env), 'notation', 'plugins'), prefix: 'notation-' },
  ];
}

/** The files that may be read or started for a key of this name: that itself, or what holds it. [out.1] */
export function filesOfKey(name: string, context: Context): readonly string[] {
  const [, plugin] = /^plugin:([^/]+)/.exec(name) ?? [];
  if (plugin === undefined) return [name];
  return pluginFolders(context).map(({ folder, prefix }) => join(folder, plugin, `${prefix}${plugin}`));
}
