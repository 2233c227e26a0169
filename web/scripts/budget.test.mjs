import { expect, test } from 'vitest';
import { checkBudget, FIRST_LOAD_MAX, firstLoad, LAZY_CHUNK_MAX, TOTAL_MAX } from './budget.mjs';

const BUILD = {
  's/index.html':
    '<link rel="icon" href="../favicon.svg"><script type="module" src="../assets/a.js"></script>',
  'favicon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'assets/a.js': 'import{x}from"./b.js";import"./c.js";const lazy=()=>import("./lazy.js");',
  'assets/b.js': 'export{y}from"./d.js";export const x="./not-imported.js";',
  'assets/c.js': '',
  'assets/d.js': 'import{x}from"./b.js"',
};

test('the first load is what the page names and what that imports, each once', () => {
  expect([...firstLoad('s/index.html', (path) => BUILD[path])].sort()).toEqual([
    'assets/a.js',
    'assets/b.js',
    'assets/c.js',
    'assets/d.js',
    'favicon.svg',
    's/index.html',
  ]);
});

const sizes = (entries) =>
  new Map(Object.entries(entries).map(([file, br]) => [file, { raw: br, br }]));

test('a build within its budget passes', () => {
  const { failures } = checkBudget(sizes({ a: FIRST_LOAD_MAX, b: LAZY_CHUNK_MAX }), {
    page: new Set(['a']),
  });
  expect(failures).toEqual([]);
});

test.each([
  ['a page that is too heavy', { a: FIRST_LOAD_MAX + 1 }, /page, first load exceeds/],
  ['a lazy chunk that is too heavy', { a: 1, b: LAZY_CHUNK_MAX + 1 }, /lazy b exceeds/],
  ['too much in all', { a: 1, ...lazyChunks() }, /everything exceeds/],
  ['a file that is missing', { b: 1 }, /names a, which is not in the build/],
])('%s fails', (_, files, failure) => {
  const { failures } = checkBudget(sizes(files), { page: new Set(['a']) });
  expect(failures.join('\n')).toMatch(failure);
});

function lazyChunks() {
  const count = Math.ceil(TOTAL_MAX / LAZY_CHUNK_MAX);
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, LAZY_CHUNK_MAX]));
}
