/** A short word at the bottom that goes away by itself. */

import { useEffect } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';
import { noticeText } from './strings';

const SHOWN_MS = 6_000;

export function NoticeToast({ model }: { readonly model: SessionModel }) {
  const notice = model.notice.value;
  useEffect(() => {
    if (notice === undefined) {
      return;
    }
    const timer = setTimeout(() => {
      model.notice.value = undefined;
    }, SHOWN_MS);
    return () => clearTimeout(timer);
  }, [notice, model]);
  return (
    <div class="notice-place" role="status">
      {notice !== undefined && (
        <div class="notice" data-kind={notice.kind}>
          {noticeText(notice)}
        </div>
      )}
    </div>
  );
}
