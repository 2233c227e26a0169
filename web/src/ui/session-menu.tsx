/** The menu of a session: opened by click or key, walked with the arrows. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';
import type { ThemeChoice } from '../app/settings';
import { Icon } from './icons';
import { session as text } from './strings';

const THEMES: readonly ThemeChoice[] = ['auto', 'dark', 'light'];

export function SessionMenu({ model }: { readonly model: SessionModel }) {
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    setOpen(false);
    model.focus();
  };
  return (
    <div class="menu-anchor">
      <button
        type="button"
        ref={button}
        class="icon-button"
        aria-label={text.menu}
        title={text.menu}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        <Icon name="menu" />
      </button>
      {open && <MenuItems model={model} close={close} opener={button.current} />}
    </div>
  );
}

interface MenuItemsProps {
  readonly model: SessionModel;
  readonly close: () => void;
  readonly opener: HTMLElement | null;
}

function MenuItems({ model, close, opener }: MenuItemsProps) {
  const menu = useRef<HTMLDivElement>(null);
  const { theme, screenReader, fontSize } = model.settings.value;
  useEffect(() => {
    items(menu.current)[0]?.focus();
    const leave = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!menu.current?.contains(target) && !opener?.contains(target)) {
        close();
      }
    };
    document.addEventListener('pointerdown', leave, { capture: true });
    return () => document.removeEventListener('pointerdown', leave, { capture: true });
  }, [close, opener]);
  const pick = (action: () => void) => () => {
    close();
    action();
  };
  return (
    <div
      class="menu"
      role="menu"
      tabIndex={-1}
      aria-label={text.menu}
      ref={menu}
      onKeyDown={(event) => handleMenuKey(event, menu.current, close)}
    >
      {!model.shared && <OwnItems model={model} pick={pick} />}
      <Item
        label={text.search}
        hint={text.searchKey}
        onPick={pick(() => void model.openSearch())}
      />
      <hr />
      <Item label={text.fontLarger} onPick={() => model.changeFontSize(1)} />
      <Item label={text.fontSmaller} onPick={() => model.changeFontSize(-1)} />
      <Item
        label={text.fontReset}
        hint={`${fontSize} px`}
        onPick={() => model.changeFontSize('reset')}
      />
      <hr />
      {/* biome-ignore lint/a11y/useSemanticElements: a fieldset is not allowed inside a menu */}
      <div role="group" aria-label={text.theme} class="menu-choices">
        {THEMES.map((choice) => (
          <button
            key={choice}
            type="button"
            class="menu-choice"
            role="menuitemradio"
            tabIndex={-1}
            aria-checked={theme === choice}
            onClick={() => model.change({ theme: choice })}
          >
            {text.themes[choice]}
          </button>
        ))}
      </div>
      <button
        type="button"
        class="menu-item"
        role="menuitemcheckbox"
        tabIndex={-1}
        aria-checked={screenReader}
        onClick={() => model.change({ screenReader: !screenReader })}
      >
        {text.screenReader}
        {screenReader && <Icon name="check" />}
      </button>
      {!model.shared && (
        <>
          <hr />
          <Item
            label={text.closeSession}
            danger
            onPick={pick(() => {
              model.question.value = { kind: 'close' };
            })}
          />
        </>
      )}
    </div>
  );
}

/** What is only for people with an account: a share link shows its session and nothing else. */
function OwnItems({
  model,
  pick,
}: {
  readonly model: SessionModel;
  readonly pick: (action: () => void) => () => void;
}) {
  return (
    <>
      <Item label={text.newSession} onPick={pick(() => void model.openAnother())} />
      <a class="menu-item" role="menuitem" tabIndex={-1} href={model.api.start}>
        {text.allSessions}
      </a>
      <Item
        label={text.share}
        onPick={pick(() => {
          model.question.value = { kind: 'share' };
        })}
      />
      <Item label={text.copyLink} onPick={pick(() => void model.copyLink())} />
    </>
  );
}

interface ItemProps {
  readonly label: string;
  readonly hint?: string;
  readonly danger?: boolean;
  readonly onPick: () => void;
}

function Item({ label, hint, danger = false, onPick }: ItemProps) {
  return (
    <button
      type="button"
      class={danger ? 'menu-item menu-danger' : 'menu-item'}
      role="menuitem"
      tabIndex={-1}
      onClick={onPick}
    >
      {label}
      {hint !== undefined && <span class="menu-hint">{hint}</span>}
    </button>
  );
}

function items(menu: HTMLElement | null): HTMLElement[] {
  return Array.from(menu?.querySelectorAll<HTMLElement>('[role^="menuitem"]') ?? []);
}

function handleMenuKey(event: KeyboardEvent, menu: HTMLElement | null, close: () => void): void {
  const all = items(menu);
  const at = all.indexOf(document.activeElement as HTMLElement);
  const moves: Record<string, number> = {
    ArrowDown: (at + 1) % all.length,
    ArrowRight: (at + 1) % all.length,
    ArrowUp: (at - 1 + all.length) % all.length,
    ArrowLeft: (at - 1 + all.length) % all.length,
    Home: 0,
    End: all.length - 1,
  };
  const to = moves[event.key];
  if (to !== undefined) {
    event.preventDefault();
    all[to]?.focus();
  } else if (event.key === 'Escape' || event.key === 'Tab') {
    event.preventDefault();
    close();
  }
}
