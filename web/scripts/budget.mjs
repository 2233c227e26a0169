// How much a browser fetches before a page works, and how much it may be. Sizes are brotli bytes.

import { posix } from 'node:path';

export const FIRST_LOAD_MAX = 110 * 1024;
export const LAZY_CHUNK_MAX = 40 * 1024;
export const TOTAL_MAX = 200 * 1024;

/**
 * The files that `page` fetches by itself: what its HTML names, and what those scripts import statically.
 * `read` answers the text of a file of the build.
 */
export function firstLoad(page, read) {
  const files = new Set([page]);
  const folder = posix.dirname(page);
  for (const [, url] of read(page).matchAll(/(?:src|href)="([^"#:]+)"/g)) {
    addScript(posix.normalize(posix.join(folder, url)), read, files);
  }
  return files;
}

function addScript(file, read, files) {
  if (files.has(file)) {
    return;
  }
  files.add(file);
  if (!file.endsWith('.js')) {
    return;
  }
  const imports = read(file).matchAll(
    /(?:^|[;}\s])(?:import\s*|(?:import|export)[^;"'`()=]*?from\s*)["'](\.[^"']+\.js)["']/g,
  );
  for (const [, url] of imports) {
    addScript(posix.normalize(posix.join(posix.dirname(file), url)), read, files);
  }
}

/** A table for people, and a sentence for every limit that is exceeded. */
export function checkBudget(sizes, pages) {
  const failures = [];
  const lines = [];
  const limit = (name, size, max) => {
    lines.push(`${name.padEnd(42)} ${kib(size)} of ${kib(max)} KiB br`);
    if (size > max) {
      failures.push(`${name} exceeds its budget by ${kib(size - max).trim()} KiB`);
    }
  };
  const loaded = new Set();
  for (const [name, files] of Object.entries(pages)) {
    let sum = 0;
    for (const file of files) {
      const size = sizes.get(file);
      if (size === undefined) {
        failures.push(`${name} names ${file}, which is not in the build`);
      }
      sum += size?.br ?? 0;
      loaded.add(file);
    }
    limit(`${name}, first load`, sum, FIRST_LOAD_MAX);
  }
  let total = 0;
  for (const [file, { br }] of sizes) {
    total += br;
    if (!loaded.has(file)) {
      limit(`lazy ${file}`, br, LAZY_CHUNK_MAX);
    }
  }
  limit('everything', total, TOTAL_MAX);
  return { report: lines.join('\n'), failures };
}

function kib(bytes) {
  return (bytes / 1024).toFixed(1).padStart(6);
}
