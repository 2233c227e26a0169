/** Says what is wrong with the connection, what happens next, and what is kept meanwhile. */

import { useComputed } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';
import type { Status } from '../session';
import { useSilence } from './silence';
import { banner as text } from './strings';

/** A paste that is smaller than this is gone before anybody could read about it. */
const LONG_PASTE_BYTES = 262_144;

export function Banner({ model }: { readonly model: SessionModel }) {
  const message = useComputed(() => messageOf(model.status.value));
  const waiting = useComputed(() => model.status.value?.phase === 'waiting');
  return (
    <div class="banner-place">
      <div role="status" class="banner-live">
        {message.value !== undefined && (
          <div class="banner" data-tone={waiting.value ? 'bad' : 'busy'}>
            <p class="banner-message">
              <span class="spinner" aria-hidden="true" />
              {message.value}
              <Complaint model={model} />
            </p>
            {waiting.value && <Retry model={model} />}
            <Pending model={model} />
          </div>
        )}
      </div>
      <PasteProgress model={model} />
      <Unanswered model={model} />
    </div>
  );
}

function messageOf(status: Status | undefined): string | undefined {
  switch (status?.phase) {
    case undefined:
    case 'connecting':
    case 'syncing':
      return status?.attached ? text.again : text.first;
    case 'waiting':
      return status?.attached ? text.lost : text.unreachable;
    case 'behind':
      return text.behind;
    default:
      return undefined;
  }
}

function Complaint({ model }: { readonly model: SessionModel }) {
  const complaint = useComputed(() => model.status.value?.complaint);
  return complaint.value === undefined ? null : (
    <span class="banner-detail"> {complaint.value}</span>
  );
}

function Retry({ model }: { readonly model: SessionModel }) {
  const retryAt = useComputed(() => model.status.value?.retryAt);
  const seconds = useCountdown(retryAt.value);
  return (
    <div class="banner-row">
      {/* A screen reader that heard every second would say nothing else. */}
      <span class="banner-detail" aria-hidden="true">
        {seconds !== undefined && seconds > 0 && text.countdown(seconds)}
      </span>
      <button type="button" class="button button-small" onClick={() => model.retryNow()}>
        {text.retryNow}
      </button>
    </div>
  );
}

function Pending({ model }: { readonly model: SessionModel }) {
  const pending = useComputed(() => model.status.value?.pendingInput ?? 0);
  if (pending.value === 0) {
    return null;
  }
  return (
    <div class="banner-row">
      <span>{text.kept(pending.value)}</span>
      <button type="button" class="button button-small" onClick={() => model.dropInput()}>
        {text.drop}
      </button>
    </div>
  );
}

function PasteProgress({ model }: { readonly model: SessionModel }) {
  const left = useComputed(() => {
    const status = model.status.value;
    const long = status?.phase === 'live' && status.pendingInput > LONG_PASTE_BYTES;
    return long ? status.pendingInput : undefined;
  });
  if (left.value === undefined) {
    return null;
  }
  return (
    <div class="banner" data-tone="busy">
      <div class="banner-row">
        <span>{text.sending(left.value)}</span>
        <button type="button" class="button button-small" onClick={() => model.dropInput()}>
          {text.stop}
        </button>
      </div>
    </div>
  );
}

/** What was typed into a link that seems to live and does not answer. */
function Unanswered({ model }: { readonly model: SessionModel }) {
  const silence = useSilence(model);
  const pending = useComputed(() => model.status.value?.pendingInput ?? 0);
  const live = useComputed(() => model.status.value?.phase === 'live');
  if (silence === undefined || pending.value === 0 || !live.value) {
    return null;
  }
  return (
    <div class="banner" data-tone="busy" role="status">
      <div class="banner-row">
        <span>{text.unanswered(pending.value)}</span>
      </div>
    </div>
  );
}

/** Whole seconds until `at`, which is in the clock of `performance.now()`. */
function useCountdown(at: number | undefined): number | undefined {
  const left = () => (at === undefined ? undefined : Math.ceil((at - performance.now()) / 1_000));
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left);
    const timer = setInterval(() => setSeconds(left), 250);
    return () => clearInterval(timer);
  }, [at]);
  return seconds;
}
