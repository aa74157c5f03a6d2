import type { Cell } from './cell.svelte';
import { errorText } from './commandTexts';

const DEADLINE_MS = 6_000;
const SHOWN = 200;

/** Return where the delivery of a bag to the web application stands, or why that is not known. */
export async function bagDelivery(cell: Cell, bag_id: number): Promise<string> {
  try {
    const answer = await cell.connection.call(cell.name('weighing/get_bag'), 'cell_interfaces/srv/GetBag', { bag_id }, DEADLINE_MS);
    return answer.response ? `${answer.message} Its answer: ${answer.response.slice(0, SHOWN)}` : answer.message;
  } catch (error) {
    return errorText(error);
  }
}
