import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig } from 'vite'

// The live maps of the platform: one script and one style sheet that the server gives out as files of its own. They
// run nothing inline and ask nothing of another host.
export default defineConfig({
  plugins: [svelte({ onwarn: (warning, handle) => warning.code === 'state_referenced_locally' || handle(warning) })],
  build: {
    outDir: '../src/slagkracht/web/platform',
    emptyOutDir: true,
    target: 'es2022',
    chunkSizeWarningLimit: 4000,
    cssCodeSplit: false,
    rollupOptions: {
      input: 'src/platform/eilanden.js',
      output: { entryFileNames: 'eilanden.js', assetFileNames: 'eilanden[extname]', codeSplitting: false },
    },
  },
})
