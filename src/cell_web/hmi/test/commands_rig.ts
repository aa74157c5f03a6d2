// The page's view model against a fake rosbridge, fresh for each test of the file that imports this.
import { afterEach, beforeEach, vi } from 'vitest';
import { Cell } from '../src/core/cell.svelte';
import { Commands } from '../src/core/commands.svelte';
import { FakeRosbridge, until, type Message } from './fake_rosbridge';

export const SESSION = { namespace: '/cell', role: 'operator', operator_id: 'Ada' };
export const NOW = 1_000_000;

export let rosbridge: FakeRosbridge;
export let cell: Cell;
export let commands: Commands;
export let stop: () => void;
export let answers: Record<string, Message>;

export const status = (sec: number, ready = true): void => rosbridge.publish('/cell/status', { stamp: { sec, nanosec: 0 }, ready, subsystems: [] });
export const job = (state: number, job_id = 'j1'): void => rosbridge.publish('/cell/job', { job_id, state, quantity: 5, placed: 0, part_number: 'P' });
export const calls = (name: string): Message[] => rosbridge.received.filter((message) => message.service === name || message.action === name);

export async function begin(session = SESSION): Promise<void> {
  cell = new Cell(session, rosbridge.url);
  commands = new Commands(cell);
  stop = cell.start();
  await until(() => rosbridge.ops('subscribe').length >= 10);
  status(NOW);
  await until(() => cell.live);
}

beforeEach(async () => {
  answers = {};
  rosbridge = await new FakeRosbridge().start();
  rosbridge.answer = (message) => {
    const name = String(message.service ?? message.action);
    if (message.op === 'call_service') return { op: 'service_response', id: message.id, service: name, result: true, values: { code: 0, message: '', ...answers[name] } };
    return message.op === 'send_action_goal' && answers[name] ? { op: 'action_result', id: message.id, action: name, ...answers[name] } : undefined;
  };
});
afterEach(async () => {
  vi.useRealTimers();
  stop();
  await rosbridge.stop();
});
