import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte({ configFile: false })],
  base: './',
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  // `npm run dev` beside a running gateway: everything that is not the page goes there.
  server: {
    proxy: Object.fromEntries(['/session.json', '/camera.mjpg', '/overlay.mjpg', '/snapshot.jpg', '/rosbridge'].map(
      (path) => [path, { target: 'http://127.0.0.1:8080', ws: path === '/rosbridge' }])),
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node', testTimeout: 10_000 },
});
