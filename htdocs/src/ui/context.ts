// What every view may reach: the client, the store's state, dialogs and toasts.
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import type { State } from '../model/state';
import { useSelect } from '../store';
import type { Client } from '../sync/client';

export type DialogName =
	| 'switcher'
	| 'browse'
	| 'create'
	| 'direct'
	| 'group'
	| 'shortcuts'
	| 'settings'
	| 'status'
	| 'dnd'
	| 'invitations'
	| 'devices'
	| 'password'
	| 'tokens'
	| 'files'
	| 'groups'
	| { groupOf: number }
	| 'emoji'
	/* listed: of those that the panel of files shows. */
	| { lightbox: { channel: number; file: number; listed?: boolean } }
	| { deleteFile: { channel: number; seq: number; file: number; name: string } }
	| { moderate: { channel: number; user: number } }
	| { report: { channel: number; seq: number } }
	| { deleteMessage: { channel: number; seq: number } }
	| { edit: number }
	| { prefs: number }
	| { move: number }
	| { jump: number }
	| { dropSection: string }
	| { links: number }
	| { section: string | null }
	| { restrictions: number }
	| { reports: number }
	| { invite: number }
	| { leave: number }
	| { edits: { channel: number; seq: number } }
	| { insertEmoji: (emoji: string) => void }
	| { react: { channel: number; seq: number } }
	| { forward: { channel: number; seq: number } }
	| { reacted: { channel: number; seq: number; emoji: string } }
	| { readers: { channel: number; seq: number } };

export interface Many {
	people: number | null;
	send: () => void;
}

export interface Ui {
	client: Client;
	openDialog(d: DialogName): void;
	/* Above a dialog that is open; people null: it is not known how many. */
	askMany(q: Many): void;
	toast(text: string, bad?: boolean): void;
	drawer(open: boolean): void;
}

export const UiContext = createContext<Ui>(null as unknown as Ui);
export const useUi = (): Ui => useContext(UiContext);

export function useState$<T>(pick: (s: State) => T): T {
	return useSelect(useUi().client.store, pick);
}
