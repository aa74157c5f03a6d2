import type { Cell } from './cell.svelte';
import type { Commands } from './commands.svelte';

/** What every dialog needs; passed by context, because the components between have no use for it. */
export interface Page {
  cell: Cell;
  commands: Commands;
}
