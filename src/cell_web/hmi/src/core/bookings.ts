import { InventoryEvent } from '../generated/messages';
import { milliseconds } from './clock';

/** How long a manual booking can be undone from the page, ms. */
export const UNDO_MS = 15 * 60_000;

/** One booking of an operator; a reload of all trays has one ledger entry for each tray. */
export interface ManualBooking {
  sequences: number[];
  part_number: string;
  /** Ledger counts before and after, by tray. */
  changes: { tray: number; before: number; after: number }[];
  operator_id: string;
  kind: number;
  atMs: number;
}

const MANUAL: number[] = [InventoryEvent.ADJUST, InventoryEvent.RELOAD, InventoryEvent.RESET];

/** Return the manual bookings that can still be undone, newest first. `events` is the ledger, newest first. */
export function manualBookings(events: InventoryEvent[], cellMs: number): ManualBooking[] {
  const undone = new Set(events.filter((event) => event.kind === InventoryEvent.UNDO).map((event) => event.undoes));
  const found: ManualBooking[] = [];
  for (const event of events) {
    const atMs = milliseconds(event.stamp);
    if (!MANUAL.includes(event.kind) || undone.has(event.sequence) || cellMs - atMs > UNDO_MS) continue;
    const change = { tray: event.tray, before: event.count_after - event.delta, after: event.count_after };
    const last = found.at(-1);
    // A reload of all trays writes its entries with one time stamp.
    if (last && last.atMs === atMs && last.part_number === event.part_number && last.operator_id === event.operator_id) {
      last.sequences.push(event.sequence);
      last.changes.unshift(change);
    } else {
      found.push({ sequences: [event.sequence], part_number: event.part_number, changes: [change], operator_id: event.operator_id, kind: event.kind, atMs });
    }
  }
  return found;
}

/** Describe a booking: "EM1-2U1 tray 2: 4 → 24". */
export const bookingText = (booking: ManualBooking): string =>
  `${booking.part_number} ${booking.changes.map((change) => `tray ${change.tray}: ${change.before} → ${change.after}`).join(', ')}`;

/** Describe an undone booking: "EM1-2U1 tray 2: back from 24 to 4". */
export const undoneText = (booking: ManualBooking): string =>
  `${booking.part_number} ${booking.changes.map((change) => `tray ${change.tray}: back from ${change.after} to ${change.before}`).join(', ')}`;
