import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'
import { viteSingleFile } from 'vite-plugin-singlefile'

const MEANT = [
  'state_referenced_locally', // a page gets its figures once
  'a11y_no_noninteractive_tabindex', // a table that scrolls must be reachable by keyboard
]

// The map page is one file that opens from a disk without a network: script, style and MapLibre's worker are in it,
// and slagkracht.reports.map_page writes the figures into its <script id="gegevens">.
export default defineConfig({
  plugins: [svelte({ onwarn: (warning, handle) => MEANT.includes(warning.code) || handle(warning) }), viteSingleFile({ removeViteModuleLoader: true })],
  build: {
    outDir: '../src/slagkracht/web',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 4000,
    rollupOptions: { input: 'kaart.html' },
  },
})
