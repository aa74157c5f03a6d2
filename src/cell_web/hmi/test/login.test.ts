import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { firstUserCode, knownNames, logIn, logOut, reportUse, sessionEnded } from '../src/core/login';

let requests: { path: string; body: unknown }[];
let answer: () => Promise<Response>;

beforeEach(() => {
  requests = [];
  answer = () => Promise.resolve(new Response('{}'));
  const stored = new Map<string, string>();
  vi.stubGlobal('localStorage', { getItem: (key: string) => stored.get(key) ?? null, setItem: (key: string, value: string) => stored.set(key, value) });
  vi.stubGlobal('fetch', (path: string, options: RequestInit) => {
    requests.push({ path, body: options.body ? JSON.parse(options.body as string) : null });
    return answer();
  });
});
afterEach(() => vi.unstubAllGlobals());

describe('a login', () => {
  it('sends name and password and remembers the name', async () => {
    expect(await logIn(' Ann ', 'secret')).toBe('');
    expect(requests).toEqual([{ path: './login', body: { name: ' Ann ', password: 'secret' } }]);
    await logIn('Bob', 'secret');
    await logIn('Ann', 'secret');
    expect(knownNames()).toEqual(['Ann', 'Bob']);
  });

  it('that is refused shows the reason and remembers nothing', async () => {
    answer = () => Promise.resolve(new Response('{"message": "Name or password is wrong."}', { status: 401 }));
    expect(await logIn('Ann', 'wrong')).toBe('Name or password is wrong.');
    answer = () => Promise.resolve(new Response('Too many logins.', { status: 429 }));
    expect(await logIn('Ann', 'wrong')).toBe('Too many logins.');
    answer = () => Promise.reject(new TypeError('failed'));
    expect(await logIn('Ann', 'wrong')).toContain('does not answer');
    expect(knownNames()).toEqual([]);
  });

  it('with the code of the link makes the first user', async () => {
    expect(firstUserCode('#first=a-b_9')).toBe('a-b_9');
    expect(firstUserCode('#other')).toBe('');
    await logIn('Ann', 'secret', 'a-b_9');
    expect(requests).toEqual([{ path: './login/first', body: { code: 'a-b_9', name: 'Ann', password: 'secret' } }]);
  });
});

describe('a session', () => {
  it('has ended when the gateway asks for a login, not when it does not answer', async () => {
    answer = () => Promise.resolve(new Response('', { status: 401 }));
    expect(await sessionEnded()).toBe(true);
    answer = () => Promise.resolve(new Response('{}'));
    expect(await sessionEnded()).toBe(false);
    answer = () => Promise.reject(new TypeError('failed'));
    expect(await sessionEnded()).toBe(false);
  });

  it('ends with the logout', async () => {
    expect(await logOut()).toBe('');
    expect(requests[0]?.path).toBe('./logout');
  });

  it('is kept by who uses the page, which is reported twice a minute at most', () => {
    const page = new EventTarget();
    let now = 0;
    const stop = reportUse(page as Document, () => now);
    for (now = 0; now <= 120_000; now += 1_000) page.dispatchEvent(new Event(now % 2_000 ? 'keydown' : 'pointerdown'));
    expect(requests.map((request) => request.path)).toEqual(Array(4).fill('./login/touch'));
    stop();
    now = 1e9;
    page.dispatchEvent(new Event('pointerdown'));
    expect(requests.length).toBe(4);
  });
});
