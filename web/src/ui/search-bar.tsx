/** Search in the scrollback. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';
import type { Search } from '../terminal';
import { Icon } from './icons';
import { search as text } from './strings';

export function SearchBar({ model }: { readonly model: SessionModel }) {
  const search = model.search.value;
  return search === undefined ? null : (
    <SearchForm search={search} close={() => model.closeSearch()} />
  );
}

function SearchForm({ search, close }: { readonly search: Search; readonly close: () => void }) {
  const field = useRef<HTMLInputElement>(null);
  const [result, setResult] = useState('');
  useEffect(() => {
    field.current?.focus();
    search.onResult = (index, total) =>
      setResult(total === 0 ? text.none : index < 0 ? String(total) : text.results(index, total));
  }, [search]);
  const find = (direction: 'next' | 'previous') => {
    const term = field.current?.value ?? '';
    if (term === '') {
      setResult('');
    } else {
      search[direction](term);
    }
  };
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          find('previous');
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') {
            close();
          } else if (event.key === 'Enter' && event.shiftKey) {
            event.preventDefault();
            find('next');
          }
        }}
      >
        <input
          ref={field}
          class="search-field"
          type="text"
          aria-label={text.label}
          placeholder={text.placeholder}
          autocomplete="off"
          spellcheck={false}
          onInput={() => find('previous')}
        />
        <output class="search-result">{result}</output>
        <button type="submit" class="icon-button" aria-label={text.previous} title={text.previous}>
          <Icon name="up" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={text.next}
          title={text.next}
          onClick={() => find('next')}
        >
          <Icon name="down" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label={text.close}
          title={text.close}
          onClick={close}
        >
          <Icon name="close" />
        </button>
      </form>
    </search>
  );
}
