/** Parts of forms. */

import type { ComponentChildren, InputHTMLAttributes } from 'preact';
import type { ShareLevel } from '../app/api';
import { share } from './strings';

/** What went wrong, if anything did. */
export function Problem({ text }: { readonly text: string | undefined }) {
  if (text === undefined) {
    return null;
  }
  return (
    <div class="form-problem" role="alert">
      {text}
    </div>
  );
}

/** A line of text, below what it is called. */
export function Field({ label, ...input }: InputHTMLAttributes & { readonly label: string }) {
  return (
    <label>
      <span>{label}</span>
      <input class="field" {...input} />
    </label>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly name: string;
  /** The options. */
  readonly children: ComponentChildren;
}

/** Something to choose, below what it is called. */
export function Choice({ label, name, children }: ChoiceProps) {
  return (
    <label>
      <span>{label}</span>
      <select class="field" name={name}>
        {children}
      </select>
    </label>
  );
}

/** A choice between watching and typing; `levelIn` reads it. */
export function LevelChoice({ label }: { readonly label: string }) {
  return (
    <Choice label={label} name="level">
      <option value="read">{share.levels.read}</option>
      <option value="write">{share.levels.write}</option>
    </Choice>
  );
}

/** What was chosen in a `LevelChoice`. */
export function levelIn(data: FormData): ShareLevel {
  return data.get('level') === 'write' ? 'write' : 'read';
}
