import { describe, expect, it } from 'vitest';
import { clock, lineOf, queryOf, stepsOf, type Filters, type PieceFacts, type Row } from '../src/core/history';

const ALL: Filters = { kind: 'pieces', hours: 0, day: '', part: '', job: '', text: '', faults: false };
const PIECE: Row = { job_id: 'j', piece: 7, part_number: 'X1', outcome: 'REJECTED', verdict: 'MISMATCH', recognized: 'X2', reason: 'wrong part', booked: '2026-11-30T14:03:12Z' };

describe('queryOf', () => {
  it('has only what is asked for', () => {
    expect(queryOf(ALL, 0)).toBe('');
    expect(queryOf({ ...ALL, hours: 1, part: ' X1 ', faults: true }, 3_600_000, 'c')).toBe('since=1970-01-01T00%3A00%3A00.000Z&part=X1&faults=1&cursor=c');
  });

  it('takes a whole local day, whatever the hours are', () => {
    const query = new URLSearchParams(queryOf({ ...ALL, hours: 8, day: '2026-11-29' }, 0));
    expect(Date.parse(query.get('until')!) - Date.parse(query.get('since')!)).toBe(86_400_000);
    expect(new Date(query.get('since')!).getHours()).toBe(0);
  });
});

describe('lineOf', () => {
  it('shows a rejected piece with what was read', () => {
    expect(lineOf('pieces', PIECE)).toMatchObject({ key: 'j/7', title: 'Piece 7 · X1', detail: 'MISMATCH, read X2 · wrong part', label: { shape: 'cross', text: 'REJECTED' } });
    expect(lineOf('pieces', { ...PIECE, verdict: '', outcome: 'PLACED', reason: '' })).toMatchObject({ detail: 'not read', label: { shape: 'check' } });
  });

  it.each([
    ['jobs', { job_id: 'j', part_number: 'X1', placed: 2, quantity: 3, rejected: 1, operator_id: 'ann', state: 'FAILED', reason: '' }, 'X1 · 2 of 3 placed', 'cross'],
    ['bags', { bag_id: 4, bag_number: 0, weight: '1.0', unit: 'kg', station: 'A', scale_id: '1', outcome: 'NO_ACTIVE_JOB' }, 'Bag 4 · 1.0 kg', 'triangle'],
    ['alarms', { alarm_id: 'a', text: 'Lost', source: 'robot', state: 'RETURNED', acknowledged_by: '', cleared: '' }, 'Lost', 'triangle'],
    ['commands', { sequence: 1, command: 'set_job', operator_id: '', code: 4, message: 'no' }, 'set_job · no name', 'cross'],
    ['commands', { sequence: 1, command: 'set_job', operator_id: 'ann', code: null, message: '' }, 'set_job · ann', 'triangle'],
  ] as const)('shows %s', (kind, row, title, shape) => {
    expect(lineOf(kind, row as unknown as Row)).toMatchObject({ title, label: { shape } });
  });

  it('shows the sign of a stock entry', () => {
    const row: Row = { sequence: 1, kind: 'RELOAD', part_number: 'X1', tray: 2, delta: 5, count_after: 9, operator_id: 'ann', reason: '' };
    expect(lineOf('stock', row).title).toBe('RELOAD X1 tray 2: +5 → 9');
  });
});

describe('stepsOf', () => {
  it('orders readings, triggers and bookings by time', () => {
    const facts = {
      readings: [{ attempt: 1, verdict: 'MATCH', text: '', matched: '2026-11-30T14:00:02Z' }],
      triggers: [{ event: 'PLACE', outcome: '', sent: '2026-11-30T14:00:03Z', finished: '' }, { event: 'PART_X1', outcome: 'SUCCEEDED', sent: '2026-11-30T14:00:01Z', finished: '2026-11-30T14:00:02Z' }],
      bookings: [{ kind: 'PLACE', tray: 1, sequence: 3, stamp: '2026-11-30T14:00:04Z' }],
    } as unknown as PieceFacts;
    expect(stepsOf(facts).map((step) => step.title)).toEqual(['Robot: PART_X1', 'Reading 1: MATCH', 'Robot: PLACE', 'Booked: PLACE, tray 1']);
    expect(stepsOf(facts)[2]!.detail).toBe('no outcome');
  });
});

it('shows a dash for no time', () => {
  expect(clock('')).toBe('–');
  expect(clock('x')).toBe('–');
});
