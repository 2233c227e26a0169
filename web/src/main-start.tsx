/** The start page: sessions of this machine, and a way to a new one. */

import { render } from 'preact';
import { basePath, launchSecret, loginProblem } from './app/address';
import { Api } from './app/api';
import { openScheme } from './app/colour-scheme';
import { openSettings } from './app/settings';
import { StartModel } from './app/start-model';
import { StartPage } from './ui/start-page';

const secret = launchSecret(location.hash);
const refused = loginProblem(location.hash);
if (location.hash !== '') {
  // At once: the address bar, the history and anything that reads them must not keep a secret.
  history.replaceState(null, '', location.pathname + location.search);
}
openScheme(openSettings(window));
const model = new StartModel(new Api(basePath('start', location.href)));
model.refused.value = refused;
const root = document.querySelector('#app');
if (root !== null) {
  render(<StartPage model={model} />, root);
}
void model.start(secret);
