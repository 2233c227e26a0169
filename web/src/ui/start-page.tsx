/** Markup of the start page. */

import { useEffect, useState } from 'preact/hooks';
import type { SessionInfo } from '../app/api';
import type { StartModel } from '../app/start-model';
import { Dialog } from './dialog';
import { FreshLink } from './fresh-link';
import { Icon, Mark } from './icons';
import { hasLogin, Login } from './login-form';
import { age, endingText, login, size, start as text, viewers } from './strings';

export function StartPage({ model }: { readonly model: StartModel }) {
  const state = model.state.value;
  const problem = model.problem.value;
  return (
    <>
      <header class="start-header">
        <div class="wordmark">
          <Mark />
          <span>hither</span>
        </div>
        {state.kind !== 'unauthenticated' && <NewSession model={model} />}
      </header>
      <main class="start-main">
        {problem !== undefined && (
          <p class="problem" role="alert">
            <span>{problem}</span>
            <button
              type="button"
              class="icon-button"
              aria-label={text.dismiss}
              onClick={() => {
                model.problem.value = undefined;
              }}
            >
              <Icon name="close" />
            </button>
          </p>
        )}
        <Content model={model} />
      </main>
      <footer class="start-footer">
        <span>{text.tagline}</span>
        <LogOut model={model} />
        {model.version.value !== '' && <span>{model.version.value}</span>}
      </footer>
      <CloseDialog model={model} />
    </>
  );
}

function LogOut({ model }: { readonly model: StartModel }) {
  const name = model.loggedIn.value;
  return name === undefined ? null : (
    <button
      type="button"
      class="button button-small"
      title={text.loggedInAs(name)}
      onClick={() => void model.logOut()}
    >
      {text.logOut}
    </button>
  );
}

function NewSession({ model }: { readonly model: StartModel }) {
  return (
    <button
      type="button"
      class="button button-primary"
      disabled={model.creating.value}
      onClick={() => void model.openNew()}
    >
      <Icon name="plus" />
      {model.creating.value ? text.opening : text.newSession}
    </button>
  );
}

function Content({ model }: { readonly model: StartModel }) {
  const state = model.state.value;
  switch (state.kind) {
    case 'loading':
      return <div class="skeleton" aria-busy="true" />;
    case 'unauthenticated':
      return (
        <section class="empty">
          <h1>{hasLogin(state.ways) ? login.title : text.unauthenticatedTitle}</h1>
          <Login
            api={model.api}
            ways={state.ways}
            refused={model.refused.value}
            onDone={() => void model.refresh()}
          />
          <FreshLink
            before={hasLogin(state.ways) ? text.otherwiseBefore : text.unauthenticatedBefore}
            middle={text.unauthenticatedMiddle}
            after={text.unauthenticatedAfter}
          />
        </section>
      );
    case 'list':
    case 'unreachable':
      return (
        <>
          {state.kind === 'unreachable' && (
            <p class="problem" role="status">
              {text.unreachable}
            </p>
          )}
          {state.sessions.length === 0 && state.kind === 'list' ? (
            <section class="empty">
              <h1>{text.emptyTitle}</h1>
              <p>{text.emptyText}</p>
              <NewSession model={model} />
            </section>
          ) : (
            <SessionList model={model} sessions={state.sessions} />
          )}
        </>
      );
  }
}

function SessionList({
  model,
  sessions,
}: {
  readonly model: StartModel;
  readonly sessions: readonly SessionInfo[];
}) {
  const now = useNow();
  return (
    <section>
      <h1 class="start-heading">
        {text.heading}
        <span class="count">{sessions.length}</span>
      </h1>
      <ul class="cards">
        {sessions.map((session) => (
          <SessionCard key={session.id} session={session} model={model} now={now} />
        ))}
      </ul>
    </section>
  );
}

function SessionCard({
  session,
  model,
  now,
}: {
  readonly session: SessionInfo;
  readonly model: StartModel;
  readonly now: number;
}) {
  const name = session.title || session.command || text.unnamed;
  return (
    <li class="card" data-state={stateOf(session)}>
      <a class="card-link" href={model.api.page(session.id)}>
        <span class="card-title">{name}</span>
        <span class="card-state">
          <span class="dot" />
          {session.ended === undefined ? text.running : endingText(session.ended)}
        </span>
        <code class="card-command">{session.command}</code>
        <span class="card-facts">
          <span>
            <Icon name="folder" />
            <span class="path">{session.cwd}</span>
          </span>
          <span>
            <Icon name="frame" />
            {size(session.size)}
          </span>
          <span>
            <Icon name="clock" />
            {age(session.createdAt, now)}
          </span>
          <span>
            <Icon name="viewers" />
            {viewers(session.viewers)}
          </span>
        </span>
      </a>
      <button
        type="button"
        class="icon-button card-close"
        aria-label={text.closeLabel(name)}
        title={text.close}
        onClick={() => {
          model.closing.value = session;
        }}
      >
        <Icon name="close" />
      </button>
    </li>
  );
}

function stateOf({ ended }: SessionInfo): 'running' | 'ended' | 'failed' {
  if (ended === undefined) {
    return 'running';
  }
  return ended.kind === 'code' && ended.code === 0 ? 'ended' : 'failed';
}

function CloseDialog({ model }: { readonly model: StartModel }) {
  const session = model.closing.value;
  if (session === undefined) {
    return null;
  }
  const running = session.ended === undefined;
  return (
    <Dialog
      title={text.closeTitle(session.title || session.command || text.unnamed)}
      yes={running ? text.closeYes : text.removeYes}
      no={text.closeNo}
      danger
      onYes={() => void model.close(session)}
      onNo={() => {
        model.closing.value = undefined;
      }}
    >
      <p>{running ? text.closeText : text.removeText}</p>
    </Dialog>
  );
}

/** The time, twice a minute: ages are shown in minutes. */
function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
