/** Who is here, and links that let others in. */

import { useEffect, useMemo } from 'preact/hooks';
import type { ShareInfo, ShareLevel, ViewerInfo } from '../app/api';
import { copyText } from '../app/clipboard';
import type { SessionModel } from '../app/session-model';
import { ShareModel } from '../app/share-model';
import { Dialog } from './dialog';
import { share as text } from './strings';

const HOUR = 3_600;

export function ShareDialog({ model }: { readonly model: SessionModel }) {
  const shares = useMemo(() => new ShareModel(model.api, model.id), [model]);
  useEffect(() => void shares.refresh(), [shares]);
  const close = () => {
    model.question.value = undefined;
  };
  return (
    <Dialog title={text.title} look="dialog-share" yes={text.done} onYes={close} onNo={close}>
      {shares.problem.value !== undefined && (
        <div class="login-problem" role="alert">
          {shares.problem.value}
        </div>
      )}
      <NewLink model={shares} />
      <h3>{text.links}</h3>
      {shares.shares.value.length === 0 && <p>{text.noLinks}</p>}
      <ul class="share-list">
        {shares.shares.value.map((share) => (
          <LinkRow key={share.id} share={share} onRevoke={() => void shares.revoke(share.id)} />
        ))}
      </ul>
      <h3>{text.viewers}</h3>
      <ul class="share-list">
        {shares.viewers.value.map((viewer) => (
          <ViewerRow key={viewer.viewer} viewer={viewer} model={shares} />
        ))}
      </ul>
    </Dialog>
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
          level: data.get('level') === 'write' ? 'write' : 'read',
          expiresIn: Number(data.get('hours')) * HOUR,
          label: String(data.get('label')),
          passphrase: String(data.get('passphrase')),
        });
      }}
    >
      <label>
        <span>{text.mayWhat}</span>
        <select class="field" name="level">
          <option value="read">{text.levels.read}</option>
          <option value="write">{text.levels.write}</option>
        </select>
      </label>
      <label>
        <span>{text.ends}</span>
        <select class="field" name="hours">
          {text.lives.map(([hours, label]) => (
            <option key={hours} value={hours} selected={hours === 24}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label>
        <span>{text.label}</span>
        <input
          class="field"
          name="label"
          maxLength={64}
          autocomplete="off"
          placeholder={text.optional}
        />
      </label>
      <label>
        <span>{text.passphraseLabel}</span>
        <input
          class="field"
          name="passphrase"
          type="password"
          autocomplete="new-password"
          placeholder={text.optional}
        />
      </label>
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

function ViewerRow({ viewer, model }: { readonly viewer: ViewerInfo; readonly model: ShareModel }) {
  const other: ShareLevel = viewer.role === 'operator' ? 'read' : 'write';
  return (
    <li>
      <span class="share-name">{viewer.name}</span>
      <span class="share-facts">{text.kinds[other === 'read' ? 'write' : 'read']}</span>
      <button
        type="button"
        class="button button-small"
        onClick={() => void model.setLevel(viewer.viewer, other)}
      >
        {text.set[other]}
      </button>
      <button
        type="button"
        class="button button-small button-quiet-danger"
        onClick={() => void model.sendAway(viewer.viewer)}
        aria-label={text.sendAwayLabel(viewer.name)}
      >
        {text.sendAway}
      </button>
    </li>
  );
}
