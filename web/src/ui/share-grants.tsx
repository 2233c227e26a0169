/** Users of this server who may see the session, or type in it. */

import type { GrantInfo } from '../app/api';
import type { ShareModel } from '../app/share-model';
import { Field, LevelChoice, levelIn } from './fields';
import { share as text } from './strings';

export function Grants({ model }: { readonly model: ShareModel }) {
  const grants = model.grants.value;
  return (
    <>
      <h3>{text.users}</h3>
      <NewGrant model={model} />
      {grants.length === 0 && <p>{text.noUsers}</p>}
      <ul class="share-list">
        {grants.map((grant) => (
          <GrantRow key={grant.user} grant={grant} model={model} />
        ))}
      </ul>
    </>
  );
}

function NewGrant({ model }: { readonly model: ShareModel }) {
  const submit = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const user = String(data.get('user')).trim();
    if (await model.grant(user, levelIn(data))) {
      form.reset();
    }
  };
  return (
    <form
      class="share-grant"
      aria-label={text.userForm}
      onSubmit={(event) => {
        event.preventDefault();
        void submit(event.currentTarget);
      }}
    >
      <Field
        label={text.user}
        name="user"
        maxLength={64}
        autocomplete="off"
        autocapitalize="none"
        required
      />
      <LevelChoice label={text.may} />
      <button type="submit" class="button">
        {text.userAdd}
      </button>
    </form>
  );
}

function GrantRow({ grant, model }: { readonly grant: GrantInfo; readonly model: ShareModel }) {
  const { user, level } = grant;
  const other = level === 'write' ? 'read' : 'write';
  return (
    <li>
      <span class="share-name">{user}</span>
      <span class="share-facts">{text.kinds[level]}</span>
      <button
        type="button"
        class="button button-small"
        onClick={() => void model.grant(user, other)}
        aria-label={text.setUserLabel(user, other)}
      >
        {text.set[other]}
      </button>
      <button
        type="button"
        class="button button-small button-quiet-danger"
        onClick={() => void model.removeGrant(user)}
        aria-label={text.removeUserLabel(user)}
      >
        {text.removeUser}
      </button>
    </li>
  );
}
