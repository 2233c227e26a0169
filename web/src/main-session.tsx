/** The session page: one terminal and a slim bar. */

import { render } from 'preact';
import { basePath, sessionId, shareSecret } from './app/address';
import { Api } from './app/api';
import { openScheme } from './app/colour-scheme';
import { SessionModel } from './app/session-model';
import { openSettings } from './app/settings';
import { SessionPage } from './ui/session-page';

/** The secret of a share link. It leaves the address bar at once, and stays good for a reload. */
function takeShare(): string | undefined {
  const secret = shareSecret(location.hash);
  if (secret !== undefined) {
    history.replaceState({ share: secret }, '', location.pathname + location.search);
    return secret;
  }
  const kept = (history.state as { readonly share?: unknown } | null)?.share;
  return typeof kept === 'string' ? kept : undefined;
}

const settings = openSettings(window);
const model = new SessionModel({
  api: new Api(basePath('session', location.href)),
  id: sessionId(location.href),
  settings,
  scheme: openScheme(settings),
  share: takeShare(),
});
const root = document.querySelector('#app');
if (root !== null) {
  render(<SessionPage model={model} />, root);
}
