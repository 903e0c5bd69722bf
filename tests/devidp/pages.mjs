// pages: the HTML that a person sees at the development provider. No scripts but the one that confirms a sign-out.

const CSS = `
:root { color-scheme: light dark; --line: #8884; --accent: #3b5bdb; }
body { font: 15px/22px system-ui, sans-serif; margin: 0; display: grid; place-items: center; min-height: 100vh; }
main { width: min(26rem, calc(100vw - 2rem)); padding: 2rem 0; }
h1 { font-size: 1.4rem; line-height: 1.8rem; margin: 0 0 .25rem; }
p { margin: .25rem 0 1rem; opacity: .8; }
ul { list-style: none; margin: 0 0 1rem; padding: 0; display: grid; gap: .5rem; }
button { font: inherit; border-radius: 8px; border: 1px solid var(--line); background: transparent; color: inherit;
	padding: .6rem .8rem; cursor: pointer; }
li button { width: 100%; display: flex; justify-content: space-between; gap: 1rem; text-align: left; }
li small { opacity: .7; }
button:hover { border-color: var(--accent); }
button:focus-visible, input:focus-visible, a:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.row { display: flex; gap: .5rem; }
input { font: inherit; flex: 1; min-width: 0; border-radius: 8px; border: 1px solid var(--line); padding: .6rem .8rem;
	background: transparent; color: inherit; }
.error { color: #c92a2a; opacity: 1; }
`;

export function escape(s) {
	return String(s).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

export function page(title, body) {
	return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escape(title)}</title><style>${CSS}</style></head><body><main>${body}</main></body></html>
`;
}

/** The sign-in page: one button per demo person, a field for a newcomer, and a way out. */
export function loginPage({ action, people, connection, error, hint }) {
	const via = connection ? ` with ${escape(connection)}` : "";
	return page(
		"Sign in",
		`<h1>Sign in${via}</h1>
<p>Development provider: pick a demo person, no password needed.</p>
${error ? `<p class="error" role="alert">${escape(error)}</p>` : ""}
<form method="post" action="${escape(action)}"><ul>
${people
	.map(
		(p) => `<li><button name="login" value="${escape(p.login)}"><span>${escape(p.claims.name)}</span>
<small>${escape(p.login)}</small></button></li>`,
	)
	.join("\n")}
</ul></form>
<form method="post" action="${escape(action)}" class="row">
<input name="login" aria-label="Another name" placeholder="Another name" autocomplete="off" value="${escape(hint ?? "")}"
 required pattern="[a-z][a-z0-9._\\-]*" maxlength="40"><button>Sign in</button></form>
<form method="post" action="${escape(action)}"><p><button name="cancel" value="1">Cancel</button></p></form>`,
	);
}

/** `form` is the provider's own form with its xsrf field. */
export function logoutPage(form, confirmed) {
	return page(
		"Sign out",
		`<h1>Sign out</h1><p>Sign out of the development provider?</p>${form}
<p><button name="logout" value="yes" form="op.logoutForm" autofocus>Sign out</button></p>
${
	confirmed
		? `<script>const f = document.getElementById("op.logoutForm"), i = document.createElement("input");
i.type = "hidden"; i.name = "logout"; i.value = "yes"; f.append(i); f.submit();</script>`
		: ""
}`,
	);
}

export function messagePage(title, text) {
	return page(title, `<h1>${escape(title)}</h1><p>${escape(text)}</p>`);
}
