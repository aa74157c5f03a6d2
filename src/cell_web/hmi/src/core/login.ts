import { localSettings } from './localSettings';

/** A session goes on while the page is touched; reported to the gateway at most this often, ms. */
const TOUCH_PERIOD_MS = 30_000;
const MAX_NAMES = 8;

/** What the login view shows. */
export interface LoginState {
  /** No user exists yet: the link of the gateway's log makes the first one. */
  first: boolean;
}

/** Return whether the first user is to be made; false when the gateway does not answer. */
export async function fetchLoginState(): Promise<LoginState> {
  try {
    const response = await fetch('./login.json', { cache: 'no-store' });
    if (response.ok) return (await response.json()) as LoginState;
  } catch {
    // Gateway not reachable: the next request says so.
  }
  return { first: false };
}

/** Return the code of the link for the first user, "" without one. It is in the part of the address that browsers never send. */
export function firstUserCode(hash: string): string {
  return /^#first=([\w-]+)$/.exec(hash)?.[1] ?? '';
}

/** Log in, or make the first user with the code of its link; return "" or the reason why not. */
export async function logIn(name: string, password: string, code = ''): Promise<string> {
  const reason = await post(code ? './login/first' : './login', code ? { code, name, password } : { name, password });
  if (!reason) rememberName(name.trim());
  return reason;
}

/** End the session; return "" or the reason why not. */
export function logOut(): Promise<string> {
  return post('./logout', {});
}

/** Return whether the session of this page has ended: the gateway asks for a login. */
export async function sessionEnded(): Promise<boolean> {
  try {
    return (await fetch('./session.json', { cache: 'no-store' })).status === 401;
  } catch {
    return false; // not reachable: the session may still hold
  }
}

/** Names that have logged in at this panel, the last one first: with gloves a tap is easier than typing. */
export function knownNames(): string[] {
  return localSettings.get('names').split('\n').filter(Boolean);
}

/** Report to the gateway that the page is in use, so that the session does not end as idle. Returns a function that ends it. */
export function reportUse(page: Document, now: () => number = () => performance.now()): () => void {
  let last = now();
  const onUse = (): void => {
    if (now() - last < TOUCH_PERIOD_MS) return;
    last = now();
    void post('./login/touch', {});
  };
  const ended = new AbortController();
  for (const kind of ['pointerdown', 'keydown']) page.addEventListener(kind, onUse, { capture: true, signal: ended.signal });
  return () => ended.abort();
}

function rememberName(name: string): void {
  localSettings.set('names', [name, ...knownNames().filter((one) => one !== name)].slice(0, MAX_NAMES).join('\n'));
}

async function post(path: string, body: Record<string, string>): Promise<string> {
  try {
    const response = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
    if (response.ok) return '';
    const text = await response.text();
    return messageIn(text) || text || `The gateway answered ${response.status}.`;
  } catch {
    return 'The gateway does not answer. Try again.';
  }
}

function messageIn(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: string }).message ?? '');
  } catch {
    return '';
  }
}
