/** A question that must be answered first. The browser's own dialog traps focus and closes on Escape. */

import type { ComponentChildren } from 'preact';
import { useId, useLayoutEffect, useRef } from 'preact/hooks';

interface DialogProps {
  readonly title: string;
  readonly yes: string;
  /** Absent: there is nothing else to answer. */
  readonly no?: string;
  readonly danger?: boolean;
  /** A class besides `dialog`. */
  readonly look?: string;
  readonly onYes: () => void;
  readonly onNo?: () => void;
  readonly children: ComponentChildren;
}

export function Dialog(props: DialogProps) {
  const { title, yes, no, danger = false, look = '', onYes, onNo, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const safe = useRef<HTMLButtonElement>(null);
  const wanted = useRef<HTMLButtonElement>(null);
  const heading = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // Enter must not be able to destroy something that was only glanced at.
    (danger ? safe : wanted).current?.focus();
    // Closing gives the focus back to where it came from; leaving the document would not.
    return () => element?.close();
  }, [danger]);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${look}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onNo?.();
      }}
    >
      <h2 id={heading}>{title}</h2>
      {children}
      <div class="dialog-buttons">
        {no !== undefined && (
          <button type="button" ref={safe} class="button" onClick={() => onNo?.()}>
            {no}
          </button>
        )}
        <button
          type="button"
          ref={wanted}
          class={danger ? 'button button-danger' : 'button button-primary'}
          onClick={onYes}
        >
          {yes}
        </button>
      </div>
    </dialog>
  );
}
