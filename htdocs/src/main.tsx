// The entry: one store, one client, one tree of views.
import { render } from 'preact';
import { createStore } from './store';
import { api } from './net/api';
import { Client } from './sync/client';
import { followEmoji } from './sync/emoji';
import { App } from './ui/app';
import { isDoor, parseRoute } from './ui/route';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/messages.css';
import './styles/markdown.css';
import './styles/changes.css';
import './styles/files.css';
import './styles/previews.css';
import './styles/dialogs.css';
import './styles/people.css';
import './styles/access.css';
import './styles/roles.css';
import './styles/search.css';
import './styles/threads.css';
import './styles/keep.css';
import './styles/channel_files.css';
import './styles/quotes.css';
import './styles/emoji.css';

const store = createStore();
const root = document.getElementById('app')!;

// How the connection is, for style sheets, support and tests: <html data-connection="live" data-rung="poll">.
store.subscribe(() => {
	const { status, rung } = store.get().connection;
	document.documentElement.dataset.connection = status;
	if (rung) document.documentElement.dataset.rung = rung;
});

const client = isDoor(parseRoute(location.pathname, location.search)) ? null : new Client(store);
render(<App store={store} client={client} />, root);
void client?.start();
if (client) followEmoji(store, async () => (await api.emoji()).data);
