// Writes .br and .gz beside every asset and holds the sizes to their budget. Runs after `vite build`.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { checkBudget, firstLoad } from './budget.mjs';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));

const compressed = new Map();
for (const entry of readdirSync(dist, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || /\.(br|gz)$/.test(entry.name)) {
    continue;
  }
  const path = join(entry.parentPath, entry.name);
  const raw = readFileSync(path);
  const br = brotliCompressSync(raw, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: raw.length,
    },
  });
  writeFileSync(`${path}.br`, br);
  writeFileSync(`${path}.gz`, gzipSync(raw, { level: constants.Z_BEST_COMPRESSION }));
  compressed.set(path.slice(dist.length), { raw: raw.length, br: br.length });
}

const read = (path) => readFileSync(join(dist, path), 'utf8');
const pages = {
  'start page': firstLoad('index.html', read),
  'session page': firstLoad('s/index.html', read),
};
const { report, failures } = checkBudget(compressed, pages);
console.log(report);
if (failures.length > 0) {
  console.error(failures.join('\n'));
  process.exitCode = 1;
}
