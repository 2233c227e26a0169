/** Keys that touch keyboards lack. Shown where the pointer is coarse. */

import type { SessionModel } from '../app/session-model';
import type { BarKey, Modifiers } from '../terminal';
import { Icon, type IconName } from './icons';
import { keyBar as text } from './strings';

const ARROWS: readonly (readonly [BarKey & keyof typeof text.keys, IconName])[] = [
  ['ArrowLeft', 'left'],
  ['ArrowDown', 'down'],
  ['ArrowUp', 'up'],
  ['ArrowRight', 'right'],
];

export function KeyBar({ model }: { readonly model: SessionModel }) {
  return (
    <div class="key-bar" role="toolbar" aria-label={text.label}>
      <Key label={text.keys.Escape} onPress={() => model.pressKey('Escape')} />
      <Key label={text.keys.Tab} onPress={() => model.pressKey('Tab')} />
      <HeldKey model={model} modifier="ctrl" />
      <HeldKey model={model} modifier="alt" />
      {ARROWS.map(([key, icon]) => (
        <Key key={key} label={text.keys[key]} icon={icon} onPress={() => model.pressKey(key)} />
      ))}
    </div>
  );
}

interface KeyProps {
  readonly label: string;
  readonly icon?: IconName;
  readonly pressed?: boolean;
  readonly onPress: () => void;
}

function Key({ label, icon, pressed, onPress }: KeyProps) {
  return (
    <button
      type="button"
      class="key"
      aria-label={label}
      {...(pressed === undefined ? {} : { 'aria-pressed': pressed })}
      // The terminal keeps the focus, and the touch keyboard stays where it is.
      onPointerDown={(event) => event.preventDefault()}
      onClick={onPress}
    >
      {icon === undefined ? label : <Icon name={icon} />}
    </button>
  );
}

/** Ctrl and Alt stay down until the next key. */
function HeldKey({
  model,
  modifier,
}: {
  readonly model: SessionModel;
  readonly modifier: keyof Modifiers;
}) {
  const held = model.held.value;
  return (
    <Key
      label={text[modifier]}
      pressed={held[modifier]}
      onPress={() => {
        model.held.value = { ...held, [modifier]: !held[modifier] };
      }}
    />
  );
}
