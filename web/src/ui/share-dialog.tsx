/** Who is here, who may come, and links that let others in. */

import { useEffect, useMemo } from 'preact/hooks';
import type { ShareLevel, ViewerInfo } from '../app/api';
import type { SessionModel } from '../app/session-model';
import { ShareModel } from '../app/share-model';
import { Dialog } from './dialog';
import { Problem } from './fields';
import { Grants } from './share-grants';
import { Links } from './share-links';
import { share as text } from './strings';

export function ShareDialog({ model }: { readonly model: SessionModel }) {
  const shares = useMemo(() => new ShareModel(model.api, model.id), [model]);
  useEffect(() => void shares.refresh(), [shares]);
  const close = () => {
    model.question.value = undefined;
  };
  return (
    <Dialog title={text.title} look="dialog-share" yes={text.done} onYes={close} onNo={close}>
      <Problem text={shares.problem.value} />
      <Links model={shares} />
      <Grants model={shares} />
      <h3>{text.viewers}</h3>
      <ul class="share-list">
        {shares.viewers.value.map((viewer) => (
          <ViewerRow key={viewer.viewer} viewer={viewer} model={shares} />
        ))}
      </ul>
    </Dialog>
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
