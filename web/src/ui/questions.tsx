/** The dialogs of the session page. */

import type { SessionModel } from '../app/session-model';
import { countLines, previewPaste } from '../terminal';
import { Dialog } from './dialog';
import { paste, start } from './strings';

const PREVIEW_LINES = 8;

export function Questions({ model }: { readonly model: SessionModel }) {
  const question = model.question.value;
  const answer = (act?: () => void) => () => {
    model.question.value = undefined;
    act?.();
  };
  switch (question?.kind) {
    case 'paste': {
      const { text } = question;
      return (
        <Dialog
          title={paste.title(countLines(text))}
          yes={paste.yes}
          no={paste.no}
          onYes={answer(() => model.paste(text))}
          onNo={answer()}
        >
          <p>{paste.text}</p>
          <Preview text={text} />
        </Dialog>
      );
    }
    case 'close':
      return (
        <Dialog
          title={start.closeTitle(model.status.value?.title || start.unnamed)}
          yes={start.closeYes}
          no={start.closeNo}
          danger
          onYes={() => void model.closeSession()}
          onNo={answer()}
        >
          <p>{start.closeText}</p>
        </Dialog>
      );
    case undefined:
      return null;
  }
}

function Preview({ text }: { readonly text: string }) {
  const lines = previewPaste(text, PREVIEW_LINES);
  const more = countLines(text) - lines.length;
  return (
    <>
      <pre class="paste-preview">{lines.map((line) => line.slice(0, 500)).join('\n')}</pre>
      {more > 0 && <p class="paste-more">{paste.more(more)}</p>}
    </>
  );
}
