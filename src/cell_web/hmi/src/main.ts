import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { backoff } from './core/backoff';
import type { Session } from './core/cell.svelte';
import { guardTaps } from './core/tapGuard';

/** Fetch the session (namespace, role, operator id) from the gateway; retry with back-off until it responds. */
async function fetchSession(): Promise<Session> {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch('./session.json', { cache: 'no-store' });
      if (response.ok) return (await response.json()) as Session;
    } catch {
      // Gateway not reachable yet: retry.
    }
    await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
  }
}

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no #app element');
const session = await fetchSession();
target.replaceChildren();
guardTaps(document);
mount(App, { target, props: { session } });
