/** The slim bar: where you are, how the link is, and the menu. */

import { useComputed } from '@preact/signals';
import type { SessionModel } from '../app/session-model';
import type { Status } from '../session';
import { Icon, Mark } from './icons';
import { SessionMenu } from './session-menu';
import { useSilence } from './silence';
import { phaseText, size, session as text, viewers } from './strings';

export function SessionBar({ model }: { readonly model: SessionModel }) {
  return (
    <header class="bar">
      {model.shared ? (
        <span class="bar-home">
          <Mark />
        </span>
      ) : (
        <a
          class="bar-home"
          href={model.api.start}
          title={text.allSessions}
          aria-label={text.allSessions}
        >
          <Mark />
        </a>
      )}
      <h1 class="bar-title">
        <Title model={model} />
      </h1>
      <SizeChip model={model} />
      <ViewersChip model={model} />
      <LinkChip model={model} />
      <SessionMenu model={model} />
    </header>
  );
}

function Title({ model }: { readonly model: SessionModel }) {
  const title = useComputed(() => model.status.value?.title || 'Hither');
  return <>{title.value}</>;
}

function SizeChip({ model }: { readonly model: SessionModel }) {
  const label = useComputed(() => {
    const shown = model.status.value?.size;
    return shown === undefined ? undefined : size(shown);
  });
  if (label.value === undefined) {
    return null;
  }
  return model.framed.value ? (
    <button
      type="button"
      class="chip chip-button"
      title={text.sizeHint}
      onClick={() => model.claimSize()}
    >
      <Icon name="frame" />
      <span class="chip-words">{text.sizeForeign}</span>
      {label.value}
    </button>
  ) : (
    <span class="chip chip-size" title={text.sizeOwn}>
      <Icon name="frame" />
      {label.value}
    </span>
  );
}

function ViewersChip({ model }: { readonly model: SessionModel }) {
  const count = useComputed(() => model.status.value?.viewers ?? 0);
  const role = useComputed(() => model.status.value?.role);
  return (
    <>
      {role.value === 'observer' && <span class="chip chip-warn">{text.viewOnly}</span>}
      {count.value > 1 && (
        <span class="chip" title={viewers(count.value)}>
          <Icon name="viewers" />
          {count.value}
        </span>
      )}
    </>
  );
}

function LinkChip({ model }: { readonly model: SessionModel }) {
  const silence = useSilence(model);
  const tone = useComputed(() => toneOf(model.status.value));
  const label = useComputed(() => {
    const status = model.status.value;
    if (status === undefined) {
      return '';
    }
    return status.phase === 'live' && status.roundTrip !== undefined
      ? text.latency(status.roundTrip)
      : phaseText(status);
  });
  return (
    <span
      class="chip chip-link"
      data-tone={silence === undefined ? tone.value : 'busy'}
      title={text.latencyTitle}
    >
      <span class="dot" />
      {silence === undefined ? label.value : text.silent(silence)}
    </span>
  );
}

function toneOf(status: Status | undefined): 'good' | 'busy' | 'bad' | 'off' {
  switch (status?.phase) {
    case 'live':
      return 'good';
    case 'waiting':
      return 'bad';
    case 'closed':
      return 'off';
    default:
      return 'busy';
  }
}
