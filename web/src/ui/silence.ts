/** How long the server has owed an answer: what a dead link looks like before it is given up. */

import { useComputed } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import type { SessionModel } from '../app/session-model';

/** An answer that is out for so long is worth a word. */
const SILENCE_SHOWN_MS = 2_500;

/** For how many seconds the server has owed an answer, once that is long. */
export function useSilence(model: SessionModel): number | undefined {
  const since = useComputed(() => model.status.value?.silentSince);
  const [seconds, setSeconds] = useState<number>();
  useEffect(() => {
    const start = since.value;
    if (start === undefined) {
      setSeconds(undefined);
      return;
    }
    const timer = setInterval(() => {
      const elapsed = performance.now() - start;
      setSeconds(elapsed < SILENCE_SHOWN_MS ? undefined : Math.round(elapsed / 1_000));
    }, 500);
    return () => clearInterval(timer);
  }, [since.value]);
  return seconds;
}
