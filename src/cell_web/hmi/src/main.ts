import { mount, unmount } from 'svelte';
import App from './App.svelte';
import './app.css';
import Login from './components/Login.svelte';
import { backoff } from './core/backoff';
import type { Session } from './core/cell.svelte';
import { fetchLoginState, firstUserCode } from './core/login';
import { guardTaps } from './core/tapGuard';

/** Show the login until it has succeeded. */
async function askForLogin(target: HTMLElement): Promise<void> {
  const { first } = await fetchLoginState();
  const code = first ? firstUserCode(location.hash) : '';
  target.replaceChildren();
  await new Promise<void>((resolve) => {
    const view = mount(Login, { target, props: { first, code, onDone: () => { void unmount(view).then(resolve); } } });
  });
  history.replaceState(null, '', location.pathname);
}

/** Fetch the session (namespace, role, operator id) from the gateway, after a login where one is required; retry until it responds. */
async function fetchSession(target: HTMLElement): Promise<Session> {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch('./session.json', { cache: 'no-store' });
      if (response.ok) return (await response.json()) as Session;
      if (response.status === 401) {
        await askForLogin(target);
        continue;
      }
    } catch {
      // Gateway not reachable yet: retry.
    }
    await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
  }
}

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app element');
guardTaps(document);
const session = await fetchSession(target);
target.replaceChildren();
mount(App, { target, props: { session } });
