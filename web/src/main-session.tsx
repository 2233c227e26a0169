/** The session page: one terminal and a slim bar. */

import { render } from 'preact';
import { basePath, sessionId } from './app/address';
import { Api } from './app/api';
import { openScheme } from './app/colour-scheme';
import { SessionModel } from './app/session-model';
import { openSettings } from './app/settings';
import { SessionPage } from './ui/session-page';

const settings = openSettings(window);
const model = new SessionModel({
  api: new Api(basePath('session', location.href)),
  id: sessionId(location.href),
  settings,
  scheme: openScheme(settings),
});
const root = document.querySelector('#app');
if (root !== null) {
  render(<SessionPage model={model} />, root);
}
