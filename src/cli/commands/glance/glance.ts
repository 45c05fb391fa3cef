import type { Command } from 'commander';
import type { Context, Exit } from '../../context.ts';
import { glanceSignCommand } from './sign.ts';
import { glanceStoreCommand } from './store.ts';
import { glanceVerifyCommand } from './verify.ts';

/** `bulla glance sign | verify | store-certificate` */
export function glanceCommand(program: Command, context: Context, exit: Exit): void {
  const glance = program
    .command('glance')
    .helpCommand(false)
    .summary('sign and verify images as OpenStack does')
    .description(
      'Signs images with the img_signature properties of OpenStack, and verifies them like Glance and Nova.',
    );
  glanceSignCommand(glance, context, exit);
  glanceVerifyCommand(glance, context, exit);
  glanceStoreCommand(glance, context, exit);
}
