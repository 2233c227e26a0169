/** Single sign-on, and name and password, where they are ways in. */

import { useState } from 'preact/hooks';
import { type Api, ApiError, type Ways } from '../app/api';
import { Field, Problem } from './fields';
import { refusedText, login as text } from './strings';

interface LoginProps extends LoginFormProps {
  readonly ways: Ways;
  /** Where single sign-on comes back to; else the start page. */
  readonly session?: string | undefined;
  /** The code by which a sign-on was refused a moment ago. */
  readonly refused?: string | undefined;
}

/** Whether there is a way in that needs no link. */
export function hasLogin({ passwords, signOn }: Ways): boolean {
  return passwords || signOn !== undefined;
}

/** Every such way. */
export function Login({ api, ways, session, refused, onDone }: LoginProps) {
  if (!hasLogin(ways)) {
    return null;
  }
  const { passwords, signOn } = ways;
  return (
    <div class="login">
      <Problem text={refused && refusedText(refused)} />
      {signOn !== undefined && (
        <a class={passwords ? 'button' : 'button button-primary'} href={api.signOn(session)}>
          {text.signOn(signOn)}
        </a>
      )}
      {signOn !== undefined && passwords && <div class="login-or">{text.or}</div>}
      {passwords && <LoginForm api={api} onDone={onDone} />}
    </div>
  );
}

interface LoginFormProps {
  readonly api: Api;
  /** The browser has a cookie now. */
  readonly onDone: () => void;
}

function LoginForm({ api, onDone }: LoginFormProps) {
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
      class="login-form"
      aria-label={text.title}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <Field
        label={text.name}
        name="username"
        autocomplete="username"
        autocapitalize="none"
        required
      />
      <Field
        label={text.password}
        name="password"
        type="password"
        autocomplete="current-password"
        required
      />
      <Problem text={problem} />
      <button type="submit" class="button button-primary" disabled={busy}>
        {busy ? text.busy : text.submit}
      </button>
    </form>
  );
}
