/** How a session ended. It stands below the kept screen, which stays whole and can be copied from. */

import { useComputed } from '@preact/signals';
import type { SessionModel } from '../app/session-model';
import type { Closed } from '../session';
import { FreshLink } from './fresh-link';
import { hasLogin, Login } from './login-form';
import { closedText, ended as text } from './strings';

export function EndCard({ model }: { readonly model: SessionModel }) {
  const closed = useComputed(() => model.status.value?.closed);
  if (closed.value === undefined) {
    return null;
  }
  const { title, text: sentence } = model.shared
    ? sharedText(closed.value, model.needsLogin)
    : closedText(closed.value);
  const isOut = closed.value.kind === 'unauthenticated' && !model.shared;
  return (
    <section class="end-card" data-tone={toneOf(closed.value)} role="status">
      <div>
        <h2>{isOut && hasLogin(model.ways.value) ? text.loginTitle : title}</h2>
        {isOut ? <Return model={model} /> : <p>{sentence}</p>}
      </div>
      <Buttons model={model} closed={closed.value} />
    </section>
  );
}

/** How to get in again: the login of this browser has ended. */
function Return({ model }: { readonly model: SessionModel }) {
  const ways = model.ways.value;
  return (
    <>
      <Login api={model.api} ways={ways} session={model.id} onDone={() => location.reload()} />
      <FreshLink before={text.linkBefore} middle={text.linkMiddle} after={text.linkAfter} />
    </>
  );
}

/** What can be done now. Somebody with a share link has nowhere else to go. */
function Buttons({ model, closed }: { readonly model: SessionModel; readonly closed: Closed }) {
  const mayHelp = closed.kind === 'broken' || closed.kind === 'unauthenticated';
  if (model.shared && !mayHelp) {
    return null;
  }
  return (
    <div class="end-buttons">
      {model.needsLogin && (
        <a class="button button-primary" href={model.api.start}>
          {text.logIn}
        </a>
      )}
      {mayHelp ? (
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
  );
}

/** The same, for somebody who came by a share link. */
function sharedText(closed: Closed, needsLogin: boolean): ReturnType<typeof closedText> {
  if (closed.kind !== 'unauthenticated' && closed.kind !== 'session-not-found') {
    return closedText(closed);
  }
  return needsLogin
    ? { title: text.shareLoginTitle, text: text.shareLoginText }
    : { title: text.shareTitle, text: text.shareText };
}

function toneOf(closed: Closed): 'good' | 'bad' | 'off' {
  if (closed.kind === 'exited') {
    return closed.exit.kind === 'code' && closed.exit.code === 0 ? 'good' : 'bad';
  }
  return closed.kind === 'session-closed' ? 'off' : 'bad';
}
