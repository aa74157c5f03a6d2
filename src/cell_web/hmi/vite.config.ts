import { svelte } from '@sveltejs/vite-plugin-svelte';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { defineConfig } from 'vitest/config';

/** Write `.gz` and `.br` beside each text file of the build; the gateway serves them to browsers that accept them. */
function compressed(): { name: string; apply: 'build'; closeBundle(): void } {
  return {
    name: 'compressed',
    apply: 'build',
    closeBundle: () => {
      for (const file of readdirSync('dist', { recursive: true, encoding: 'utf-8' }).filter((name) => /\.(js|css|html|svg)$/.test(name))) {
        const data = readFileSync(join('dist', file));
        writeFileSync(join('dist', `${file}.gz`), gzipSync(data, { level: 9 }));
        writeFileSync(join('dist', `${file}.br`), brotliCompressSync(data));
      }
    },
  };
}

export default defineConfig({
  plugins: [svelte({ configFile: false }), compressed()],
  base: './',
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  resolve: process.env.VITEST ? { conditions: ['browser'] } : {},
  // `npm run dev` beside a running gateway: everything that is not the page goes there.
  server: {
    proxy: Object.fromEntries(['/session.json', '/last_values.json', '/camera.mjpg', '/overlay.mjpg', '/snapshot.jpg', '/rosbridge'].map(
      (path) => [path, { target: 'http://127.0.0.1:8080', ws: path === '/rosbridge' }])),
  },
  test: { include: ['test/**/*.test.ts'], environment: 'node', testTimeout: 10_000 },
});
