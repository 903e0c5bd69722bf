// A message's text on the screen: Markdown's blocks as elements, never HTML. Links open apart from us.
import type { ComponentChildren } from 'preact';
import { isEmojiOnly } from '../model/emoji_only';
import { safeHref } from '../model/links';
import { markdown, type Block, type Inline } from '../model/markdown';
import { splitMentions, type Channels } from '../model/mention';
import { CodeBlock } from './code';
import { useState$, useUi } from './context';
import { withEmoji } from './custom_emoji';
import { groupOf, handleOf } from '../model/groups';
import { myId } from '../model/state';
import type { EmojiState, Name } from '../model/types';
import { apart, personName } from './names';
import { channelPath, navigate } from './route';

/* What words may stand for: people and groups by handle, emoji and channels by name. */
interface Known {
	people?: ReadonlyMap<string, Name>;
	emoji?: EmojiState;
	channels?: Channels;
}
interface Around {
	after?: ComponentChildren; // what stands behind the last word
	tab?: number; // tabIndex of what can be used in it
}

export function MessageText({ text, after, tab = 0, ...known }: { text: string } & Known & Around): ComponentChildren {
	const blocks = markdown(text);
	const tail = after ? <> {after}</> : null;
	const [only] = blocks;
	if (blocks.length === 1 && only?.kind === 'text') return [words(only.of, known, tab), tail];
	const last = blocks.at(-1);
	const inside = last?.kind === 'text' || last?.kind === 'heading';
	return [...blocks.map((b, i) => block(b, known, tab, inside && i === blocks.length - 1 ? tail : null)), inside ? null : tail];
}

function block(b: Block, known: Known, tab: number, after: ComponentChildren): ComponentChildren {
	switch (b.kind) {
		case 'text':
			return (
				<p dir="auto">
					{words(b.of, known, tab)}
					{after}
				</p>
			);
		case 'heading':
			return (
				<p class="md-heading" dir="auto">
					<strong>{words(b.of, known, tab)}</strong>
					{after}
				</p>
			);
		case 'code':
			return <CodeBlock lang={b.lang} text={b.text} tab={tab} />;
		case 'quote':
			return <blockquote>{b.of.map((x) => block(x, known, tab, null))}</blockquote>;
		case 'list': {
			const items = b.items.map((item) => (
				<li dir="auto">
					{item.map((x, i) => (i === 0 && x.kind === 'text' ? words(x.of, known, tab) : block(x, known, tab, null)))}
				</li>
			));
			return b.start === null ? <ul>{items}</ul> : <ol start={b.start}>{items}</ol>;
		}
	}
}

function words(of: readonly Inline[], known: Known, tab: number): ComponentChildren {
	return of.map((i) => {
		if (typeof i === 'string') return said(i, known, tab);
		switch (i.kind) {
			case 'code':
				return <code>{i.text}</code>;
			case 'link':
				return (
					<a href={i.href} {...(says(i) ? {} : { title: i.href })} {...(here(i.href) ?? AWAY)}>
						<bdi>{words(i.of, {}, tab)}</bdi>
					</a>
				);
			default: {
				const Tag = i.kind;
				return <Tag>{words(i.of, known, tab)}</Tag>;
			}
		}
	});
}

const AWAY = { target: '_blank', rel: 'noopener noreferrer nofollow' };

/* A link into a channel of this site opens in its place. */
function here(href: string) {
	const [site, path] = href.split(/(?=\/c\/\d)/);
	if (!path || site !== globalThis.location?.origin) return null;
	const onClick = (e: MouseEvent) => {
		if (e.ctrlKey || e.metaKey || e.shiftKey || e.button) return;
		e.preventDefault();
		navigate(path);
	};
	return { onClick };
}

function said(text: string, { people, emoji, channels }: Known, tab: number): ComponentChildren {
	const plain = (s: string) => {
		if (!channels) return withEmoji(s, emoji);
		return s.split(channels.pattern).map((p, i) => {
			const id = i % 2 && channels.ids.get(p.toLowerCase());
			if (!id) return withEmoji(i % 2 ? `#${p}` : p, emoji);
			const path = channelPath(id);
			return (
				<a class="mention" href={path} tabIndex={tab} {...here(location.origin + path)}>
					#{p}
				</a>
			);
		});
	};
	if (!people?.size) return plain(text);
	return splitMentions(text, people).map((m) => (typeof m === 'string' ? plain(m) : <Mention {...m} tab={tab} />));
}

/* Whether a link's words say where it leads. */
const says = ({ of: [first, more], href }: { of: readonly Inline[]; href: string }) => typeof first === 'string' && !more && safeHref(first) === href;

/* With those whom it names marked. */
export function NamingText({ text, mentions, ...around }: { text: string; mentions: readonly Name[] } & Omit<Known, 'people'> & Around) {
	// A handle holds no space.
	const handles = useState$((s) => mentions.map((n) => handleOf(s, n)).join(' ')).split(' ');
	const people = new Map(mentions.map((id, i) => [handles[i] ?? '', id]));
	people.delete('');
	return <MessageText text={text} people={people} {...around} />;
}

const isPlain = (blocks: readonly Block[]) => blocks.length === 1 && blocks[0]!.kind === 'text';

/* What holds it: a few emoji alone are large; blocks have no line breaks of their own between them. */
export const textClass = (text: string, emoji?: EmojiState): string =>
	isEmojiOnly(text, emoji) ? 'msg-text msg-emoji' : isPlain(markdown(text)) ? 'msg-text' : 'msg-text msg-blocks';

function Mention({ who, text, tab }: { who: Name; text: string; tab: number }) {
	const { openDialog } = useUi();
	const group = useState$((s) => groupOf(s, who));
	if (group)
		return (
			<button class="mention" title={text} tabIndex={tab} onClick={() => openDialog({ groupOf: group.id })}>
				<bdi>@{apart(group.name)}</bdi>
			</button>
		);
	if (typeof who === 'string') return <span class="mention">{text}</span>;
	return <Person user={who} text={text} tab={tab} />;
}

function Person({ user, text, tab }: { user: number; text: string; tab: number }) {
	const name = useState$((s) => personName(s.users[user]));
	const me = useState$((s) => myId(s) === user);
	return (
		<button class={me ? 'mention mention-me' : 'mention'} title={text} data-person={user} aria-haspopup="dialog" tabIndex={tab}>
			<bdi>@{name}</bdi>
		</button>
	);
}
