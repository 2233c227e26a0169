/** How a session ended. It stands below the kept screen, which stays whole and can be copied from. */

import { useComputed } from '@preact/signals';
import type { SessionModel } from '../app/session-model';
import type { Closed } from '../session';
import { FreshLink } from './fresh-link';
import { closedText, ended as text } from './strings';

export function EndCard({ model }: { readonly model: SessionModel }) {
  const closed = useComputed(() => model.status.value?.closed);
  if (closed.value === undefined) {
    return null;
  }
  const { title, text: sentence } = closedText(closed.value);
  return (
    <section class="end-card" data-tone={toneOf(closed.value)} role="status">
      <div>
        <h2>{title}</h2>
        {closed.value.kind === 'unauthenticated' ? (
          <FreshLink before={text.linkBefore} middle={text.linkMiddle} after={text.linkAfter} />
        ) : (
          <p>{sentence}</p>
        )}
      </div>
      <div class="end-buttons">
        {closed.value.kind === 'broken' || closed.value.kind === 'unauthenticated' ? (
          <button type="button" class="button" onClick={() => location.reload()}>
            {text.reload}
          </button>
        ) : (
          <>
            <a class="button" href={model.api.start}>
              {text.allSessions}
            </a>
            <button
              type="button"
              class="button button-primary"
              onClick={() => void model.openAnother()}
            >
              {text.newSession}
            </button>
          </>
        )}
      </div>
    </section>
  );
}

function toneOf(closed: Closed): 'good' | 'bad' | 'off' {
  if (closed.kind === 'exited') {
    return closed.exit.kind === 'code' && closed.exit.code === 0 ? 'good' : 'bad';
  }
  return closed.kind === 'session-closed' ? 'off' : 'bad';
}
