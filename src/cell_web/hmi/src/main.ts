import { mount } from 'svelte';
import App from './App.svelte';
import './app.css';
import { backoff } from './core/backoff';
import type { Session } from './core/cell.svelte';

/** Ask the gateway which cell this is and who we are, until it answers. */
async function session(): Promise<Session> {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch('./session.json', { cache: 'no-store' });
      if (response.ok) return (await response.json()) as Session;
    } catch {
      // The gateway is not there yet.
    }
    await new Promise((resolve) => setTimeout(resolve, backoff(attempt)));
  }
}

const target = document.getElementById('app');
if (!target) throw new Error('index.html holds no #app');
const found = await session();
target.replaceChildren();
mount(App, { target, props: { session: found } });
