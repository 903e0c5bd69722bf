// Copying from a message gives its source back, as far as it is selected: Markdown again, with "@handle" for who is named.

const INLINE: Record<string, string> = { EM: '*', STRONG: '**', DEL: '~~' };

/* As many backticks as the text needs round it. */
function ticked(text: string): string {
	const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map((m) => m[0].length));
	const mark = '`'.repeat(longest + 1);
	const space = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
	return mark + space + text + space + mark;
}

function inline(node: Node): string {
	if (node.nodeType === 3) return node.textContent ?? '';
	if (!(node instanceof Element)) return '';
	const all = [...node.childNodes].map(inline).join('');
	if (node.matches('.mention')) return node.getAttribute('title') ?? all;
	if (node.matches('button, .sr-only')) return '';
	if (node.tagName === 'CODE') return ticked(all);
	if (node.tagName === 'A') return node.hasAttribute('title') ? `[${all}](${node.getAttribute('href')})` : all;
	if (node.matches('.md-heading > strong')) return `# ${all}`;
	const mark = INLINE[node.tagName];
	return mark && all.trim() ? mark + all + mark : all;
}

const BLOCKS = 'p, ul, ol, li, blockquote, .code, pre';
const after = (text: string, mark: string) => text.replace(/\n/g, `\n${mark}`);

function block(el: Element): string {
	if (el.matches('.code, pre')) {
		const pre = el.matches('pre') ? el : el.querySelector('pre');
		const text = pre?.textContent ?? '';
		const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map((m) => m[0].length + 1)));
		return `${fence}${pre?.getAttribute('data-lang') ?? ''}\n${text}\n${fence}`;
	}
	if (el.tagName === 'BLOCKQUOTE') return `> ${after(blocks(el), '> ')}`;
	if (el.tagName === 'UL') return [...el.children].map((li) => `- ${after(blocks(li), '  ')}`).join('\n');
	if (el.tagName === 'OL') {
		const first = Number(el.getAttribute('start') ?? 1);
		return [...el.children].map((li, i) => `${first + i}. ${after(blocks(li), '   ')}`).join('\n');
	}
	return blocks(el);
}

/* Blocks stand on lines of their own. */
function blocks(parent: Node): string {
	let out = '';
	let open = false; // words on the last line
	for (const n of parent.childNodes) {
		if (n instanceof Element && n.matches(BLOCKS)) {
			const text = block(n);
			if (text) out += (out ? '\n' : '') + text;
			open = false;
		} else {
			const text = inline(n);
			if (text) out += (out && !open ? '\n' : '') + text;
			open ||= text !== '';
		}
	}
	return out;
}

/* The Markdown of what is drawn within a message's text. */
export const sourceOf = (drawn: Node): string => blocks(drawn).trimEnd();

/* For the list of messages: what is copied from within one message's text. Anything wider is the browser's. */
export function copySource(e: ClipboardEvent): void {
	const selection = getSelection();
	if (!selection || selection.isCollapsed || !e.clipboardData) return;
	const range = selection.getRangeAt(0);
	const common = range.commonAncestorContainer;
	const text = (common instanceof Element ? common : common.parentElement)?.closest('.msg-text');
	if (!text) return;
	const code = (common instanceof Element ? common : common.parentElement)?.closest('pre, code');
	if (code) return; // a part of code is itself
	e.preventDefault();
	const piece = document.createElement('div');
	piece.append(range.cloneContents());
	e.clipboardData.setData('text/plain', sourceOf(piece));
	e.clipboardData.setData('text/html', piece.innerHTML);
}
