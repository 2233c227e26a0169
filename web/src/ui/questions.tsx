/** The dialogs of the session page. */

import { useEffect, useRef } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';
import { countLines, previewPaste } from '../terminal';
import { Dialog } from './dialog';
import { ShareDialog } from './share-dialog';
import { paste, share, start } from './strings';

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
    case 'passphrase':
      return <Passphrase wrong={question.wrong} onGive={(word) => model.givePassphrase(word)} />;
    case 'share':
      return <ShareDialog model={model} />;
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

function Passphrase({
  wrong,
  onGive,
}: {
  readonly wrong: boolean;
  readonly onGive: (word: string) => void;
}) {
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  const give = () => onGive(field.current?.value ?? '');
  return (
    <Dialog title={share.passphraseTitle} yes={share.passphraseYes} onYes={give}>
      <p>{wrong ? share.passphraseWrong : share.passphraseText}</p>
      <input
        ref={field}
        class="field"
        type="password"
        autocomplete="off"
        aria-label={share.passphraseLabel}
        onKeyDown={(event) => {
          if (event.key === 'Enter') {
            // The focus goes back to the terminal, and would take the key along.
            event.preventDefault();
            give();
          }
        }}
      />
    </Dialog>
  );
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
