import type { StateLabel } from './labels';

/** The lists of the history, as in the gateway's paths. */
export const KINDS = ['pieces', 'jobs', 'bags', 'alarms', 'commands', 'stock'] as const;
export type Kind = (typeof KINDS)[number];
export type Row = Record<string, string | number | boolean | null>;

export interface Filters {
  kind: Kind;
  /** Hours back from now; 0 = all. */
  hours: number;
  /** A day of the calendar, "2026-11-29"; "" = by hours. */
  day: string;
  part: string;
  job: string;
  text: string;
  faults: boolean;
}

export interface HistoryPage {
  items: Row[];
  /** Cursor of the next page; "" = this is the last one. */
  next: string;
}

/** All that the gateway knows of one piece. */
export interface PieceFacts {
  id: string;
  piece: Row;
  readings: Row[];
  triggers: Row[];
  bookings: Row[];
  pictures: Row[];
  clip: string;
  why: string[];
}

/** What a line of the list shows. */
export interface Line {
  key: string;
  /** ISO 8601. */
  time: string;
  title: string;
  detail: string;
  label: StateLabel | null;
}

const DAY_MS = 86_400_000;
const GOOD: StateLabel = { shape: 'check', tone: 'normal', text: '' };
const BAD: StateLabel = { shape: 'cross', tone: 'alarm', text: '' };
const OPEN: StateLabel = { shape: 'triangle', tone: 'warn', text: '' };

/** Return the query of a list, without a leading "?". */
export function queryOf(filters: Filters, nowMs: number, cursor = ''): string {
  const query = new URLSearchParams();
  if (filters.day) {
    const start = new Date(`${filters.day}T00:00:00`).getTime();
    query.set('since', new Date(start).toISOString());
    query.set('until', new Date(start + DAY_MS).toISOString());
  } else if (filters.hours > 0) {
    query.set('since', new Date(nowMs - filters.hours * 3_600_000).toISOString());
  }
  for (const name of ['part', 'job', 'text'] as const) if (filters[name].trim()) query.set(name, filters[name].trim());
  if (filters.faults) query.set('faults', '1');
  if (cursor) query.set('cursor', cursor);
  return query.toString();
}

/** Fetch a page of a list; an error text on failure. */
export async function fetchPage(filters: Filters, nowMs: number, cursor = ''): Promise<HistoryPage | string> {
  return get<HistoryPage>(`./api/history/${filters.kind}?${queryOf(filters, nowMs, cursor)}`);
}

/** Fetch all that is known of a piece; an error text on failure. */
export async function fetchPiece(job: string, piece: number): Promise<PieceFacts | string> {
  return get<PieceFacts>(`./api/history/pieces/${encodeURIComponent(job)}/${piece}`);
}

async function get<T>(path: string): Promise<T | string> {
  try {
    const response = await fetch(path, { cache: 'no-store' });
    if (response.ok) return (await response.json()) as T;
    return response.status === 404 ? 'The history is not there: the gateway has no database.' : await response.text();
  } catch {
    return 'The gateway does not respond.';
  }
}

const join = (...parts: unknown[]): string => parts.filter((part) => part !== '' && part !== null && part !== undefined).join(' · ');
const words = (name: unknown): string => String(name ?? '').replaceAll('_', ' ');

/** Return how a row is shown. */
export function lineOf(kind: Kind, row: Row): Line {
  switch (kind) {
    case 'pieces': {
      const rejected = row.outcome === 'REJECTED';
      const read = row.verdict ? `${row.verdict}${row.recognized ? `, read ${row.recognized}` : ''}` : 'not read';
      const label = { ...(rejected ? BAD : GOOD), text: words(row.outcome) };
      return { key: `${row.job_id}/${row.piece}`, time: String(row.booked), title: `Piece ${row.piece} · ${row.part_number}`, detail: join(read, row.reason), label };
    }
    case 'jobs':
      return {
        key: String(row.job_id), time: String(row.created), title: `${row.part_number} · ${row.placed} of ${row.quantity} placed`,
        detail: join(`${row.rejected} rejected`, row.operator_id, row.reason), label: { ...(row.state === 'FAILED' ? BAD : GOOD), text: words(row.state) },
      };
    case 'bags': {
      const label = { ...(row.outcome === 'IN_TOLERANCE' ? GOOD : row.outcome === 'NO_ACTIVE_JOB' ? OPEN : BAD), text: words(row.outcome) };
      return { key: String(row.bag_id), time: String(row.weighed), title: `Bag ${row.bag_number || row.bag_id} · ${row.weight} ${row.unit}`, detail: join(`station ${row.station}`, `scale ${row.scale_id}`, row.message), label };
    }
    case 'alarms': {
      const seen = row.acknowledged_by ? `acknowledged by ${row.acknowledged_by} ${clock(String(row.acknowledged))}` : 'not acknowledged';
      const over = row.cleared ? `cleared ${clock(String(row.cleared))}` : 'not cleared';
      return { key: String(row.alarm_id), time: String(row.raised), title: String(row.text || row.key), detail: join(row.source, seen, over), label: row.state === 'CLOSED' ? null : { ...OPEN, text: words(row.state) } };
    }
    case 'commands': {
      const label = row.code === 0 ? { ...GOOD, text: 'OK' } : row.code === null ? { ...OPEN, text: 'no answer' } : { ...BAD, text: `refused (${row.code})` };
      return { key: String(row.sequence), time: String(row.received), title: `${row.command} · ${row.operator_id || 'no name'}`, detail: join(row.role, row.origin, row.arguments, row.message), label };
    }
    case 'stock': {
      const delta = Number(row.delta);
      return { key: String(row.sequence), time: String(row.stamp), title: `${row.kind} ${row.part_number} tray ${row.tray}: ${delta > 0 ? '+' : ''}${delta} → ${row.count_after}`, detail: join(row.operator_id, row.reason), label: null };
    }
  }
}

/** Format a time of ISO 8601 in local time: "29 Nov 14:03:12"; a dash when there is none. */
export function clock(iso: string): string {
  const at = new Date(iso);
  if (!iso || Number.isNaN(at.getTime())) return '–';
  return `${at.toLocaleDateString(undefined, { day: 'numeric', month: 'short' })} ${at.toLocaleTimeString(undefined, { hour12: false })}`;
}

const duration = (from: string, to: string): string => `${((Date.parse(to) - Date.parse(from)) / 1000).toFixed(1)} s`;

/** Return the steps of a piece in the order of time. */
export function stepsOf(facts: PieceFacts): Line[] {
  const readings = facts.readings.map((row, index) => ({ key: `r${index}`, time: String(row.matched), title: `Reading ${row.attempt}: ${row.verdict}`, detail: join(row.text || 'no text', row.reason), label: null }));
  const triggers = facts.triggers.map((row, index) => ({ key: `t${index}`, time: String(row.sent), title: `Robot: ${row.event}`, detail: join(row.outcome || 'no outcome', row.message, row.finished && `after ${duration(String(row.sent), String(row.finished))}`), label: null }));
  const bookings = facts.bookings.map((row, index) => ({ key: `b${index}`, time: String(row.stamp), title: `Booked: ${row.kind}, tray ${row.tray}`, detail: `entry ${row.sequence}`, label: null }));
  return [...readings, ...triggers, ...bookings].sort((a, b) => a.time.localeCompare(b.time));
}
