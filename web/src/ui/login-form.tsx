/** Name and password, where they are a way in. */

import { useState } from 'preact/hooks';
import { type Api, ApiError } from '../app/api';
import { login as text } from './strings';

interface LoginFormProps {
  readonly api: Api;
  /** The browser has a cookie now. */
  readonly onDone: () => void;
}

export function LoginForm({ api, onDone }: LoginFormProps) {
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const submit = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    setBusy(true);
    setProblem(undefined);
    try {
      await api.login(String(data.get('username')), String(data.get('password')));
      onDone();
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <form
      class="login"
      aria-label={text.title}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <label>
        <span>{text.name}</span>
        <input
          class="field"
          name="username"
          autocomplete="username"
          autocapitalize="none"
          required
        />
      </label>
      <label>
        <span>{text.password}</span>
        <input
          class="field"
          name="password"
          type="password"
          autocomplete="current-password"
          required
        />
      </label>
      {problem !== undefined && (
        <div class="login-problem" role="alert">
          {problem}
        </div>
      )}
      <button type="submit" class="button button-primary" disabled={busy}>
        {busy ? text.busy : text.submit}
      </button>
    </form>
  );
}
