/** Links that let others in: a new one, and those that there are. */

import type { ShareInfo } from '../app/api';
import { copyText } from '../app/clipboard';
import type { ShareModel } from '../app/share-model';
import { Choice, Field, LevelChoice, levelIn } from './fields';
import { share as text } from './strings';

const HOUR = 3_600;

export function Links({ model }: { readonly model: ShareModel }) {
  return (
    <>
      <NewLink model={model} />
      <h3>{text.links}</h3>
      {model.shares.value.length === 0 && <p>{text.noLinks}</p>}
      <ul class="share-list">
        {model.shares.value.map((share) => (
          <LinkRow key={share.id} share={share} onRevoke={() => void model.revoke(share.id)} />
        ))}
      </ul>
    </>
  );
}

function NewLink({ model }: { readonly model: ShareModel }) {
  const address = model.address.value;
  return (
    <form
      class="share-new"
      aria-label={text.newLink}
      onSubmit={(event) => {
        event.preventDefault();
        const data = new FormData(event.currentTarget);
        void model.create({
          level: levelIn(data),
          expiresIn: Number(data.get('hours')) * HOUR,
          label: String(data.get('label')),
          passphrase: String(data.get('passphrase')),
        });
      }}
    >
      <LevelChoice label={text.mayWhat} />
      <Choice label={text.ends} name="hours">
        {text.lives.map(([hours, label]) => (
          <option key={hours} value={hours} selected={hours === 24}>
            {label}
          </option>
        ))}
      </Choice>
      <Field
        label={text.label}
        name="label"
        maxLength={64}
        autocomplete="off"
        placeholder={text.optional}
      />
      <Field
        label={text.passphraseLabel}
        name="passphrase"
        type="password"
        autocomplete="new-password"
        placeholder={text.optional}
      />
      <button type="submit" class="button button-primary">
        {text.create}
      </button>
      {address !== undefined && (
        <p class="share-address">
          <input class="field" readOnly value={address} aria-label={text.address} />
          <button type="button" class="button" onClick={() => void copyText(address)}>
            {text.copy}
          </button>
        </p>
      )}
    </form>
  );
}

function LinkRow({
  share,
  onRevoke,
}: {
  readonly share: ShareInfo;
  readonly onRevoke: () => void;
}) {
  const name = share.label || text.unnamed;
  return (
    <li>
      <span class="share-name">{name}</span>
      <span class="share-facts">
        {text.kinds[share.level]} · {text.watching(share.viewers)} · {text.until(share.expiresAt)}
      </span>
      <button
        type="button"
        class="button button-small"
        onClick={onRevoke}
        aria-label={text.revokeLabel(name)}
      >
        {text.revoke}
      </button>
    </li>
  );
}
