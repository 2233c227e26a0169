/** Markup of the session page: bar, terminal, and what lies over it. */

import { useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';
import { Banner } from './banner';
import { EndCard } from './end-card';
import { KeyBar } from './key-bar';
import { NoticeToast } from './notice';
import { Questions } from './questions';
import { SearchBar } from './search-bar';
import { SessionBar } from './session-bar';
import { session as text } from './strings';

export function SessionPage({ model }: { readonly model: SessionModel }) {
  useDocumentTitle(model);
  return (
    <>
      <SessionBar model={model} />
      <main class="screen" aria-label={text.terminal}>
        <Stage model={model} />
        <Banner model={model} />
        <SearchBar model={model} />
        <LinkTarget model={model} />
        <NoticeToast model={model} />
      </main>
      <EndCard model={model} />
      <KeyBar model={model} />
      <Questions model={model} />
    </>
  );
}

/** The place of the terminal. Rendered once: what is inside belongs to the emulator. */
function Stage({ model }: { readonly model: SessionModel }) {
  const stage = useRef<HTMLDivElement>(null);
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (stage.current !== null && host.current !== null) {
      model.open({ stage: stage.current, host: host.current });
    }
  }, [model]);
  useSignalEffect(() => {
    if (model.bells.value > 0) {
      flash(stage.current);
    }
  });
  return (
    <div class="stage" ref={stage}>
      <div class="host" ref={host} />
    </div>
  );
}

/** The visual bell. People who asked for less motion get a still frame, by style sheet. */
function flash(stage: HTMLElement | null): void {
  if (stage === null) {
    return;
  }
  stage.removeAttribute('data-bell');
  // Reading layout between the two lets the animation start again.
  void stage.offsetWidth;
  stage.setAttribute('data-bell', '');
}

/** Where a link leads, before it is followed. */
function LinkTarget({ model }: { readonly model: SessionModel }) {
  const url = model.hoveredLink.value;
  return url === undefined ? null : <div class="link-target">{url}</div>;
}

function useDocumentTitle(model: SessionModel): void {
  useSignalEffect(() => {
    const title = model.status.value?.title || 'Hither';
    document.title = model.unseenBell.value ? `● ${title}` : title;
  });
}
