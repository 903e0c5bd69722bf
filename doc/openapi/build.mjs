// build: makes doc/openapi.json of the sources in this folder (README.md). node doc/openapi/build.mjs writes it (make openapi);
// with --check it says whether it is what they make.

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { int, problems, ref, text } from "./kit.mjs";
import { lineSchemas, realtime } from "./lines.mjs";
import { schemas } from "./schemas.mjs";
import { operations as admin } from "./paths/admin.mjs";
import { operations as channels } from "./paths/channels.mjs";
import { operations as files } from "./paths/files.mjs";
import { operations as keep } from "./paths/keep.mjs";
import { operations as me } from "./paths/me.mjs";
import { operations as messages } from "./paths/messages.mjs";
import { operations as moderation } from "./paths/moderation.mjs";
import { operations as people } from "./paths/people.mjs";
import { operations as live } from "./paths/realtime.mjs";
import { operations as signin } from "./paths/signin.mjs";
import { operations as site } from "./paths/site.mjs";

const all = [...site, ...signin, ...me, ...people, ...channels, ...messages, ...keep, ...files, ...moderation, ...admin, ...live];

const tags = {
	Site: "What anyone may ask",
	"Signing in": "In a browser; programs have tokens",
	Me: "One's own account",
	Bots: "Accounts of programs",
	People: "Who there is, and who is here",
	Channels: "Channels",
	Members: "Who is in a channel",
	Messages: "Sending and history",
	Reading: "How far who has read",
	Files: "Uploads and what came of them",
	Moderation: "Mutes and bans of a channel",
	Reports: "Messages that members report",
	Invitations: "Links that let new people in",
	Administration: "For owners and admins of the site",
	Realtime: "Events and ops",
};

const description = `The REST interface of PulseChat. doc/protocol.md of the sources tells all of it in words, doc/programs.md how to begin.

**Who asks.** Programs send \`Authorization: Bearer pct_…\`, browsers their session's cookie with \`Origin\`, \`Sec-Fetch-Site\` or the header
\`PulseChat-Client\` (403 \`origin_refused\`). Scopes are those of tokens; an operation without \`bearer\` is for browser sessions alone.

**What every path has.** HEAD is GET without the body (405 of the realtime paths); OPTIONS is answered 204 with \`Allow\`; another method 405
\`method_not_allowed\`, an
unknown path 404 \`not_found\`. An answer is never stored (\`Cache-Control: no-store\`), or asked for anew each time. A POST without a body bears
\`Content-Length: 0\`. Unknown members of requests are refused; pass over unknown ones of answers.

**Errors** are \`application/problem+json\`; go by \`code\`.

**Follow.** A list's \`PulseChat-Cursor\` is where the log of events stood: load, then follow from there by \`/api/v1/events\` or \`/api/v1/ws\`.`;

const of = (schema, words, more = {}) => ({ description: words, ...more, schema });

function document() {
	const paths = {};
	for (const { path, method, operation } of all) {
		paths[path] ??= {};
		if (paths[path][method]) throw new Error(`${method} ${path} stands here twice`);
		paths[path][method] = operation;
	}
	return {
		openapi: "3.1.0",
		info: {
			title: "PulseChat",
			version: "1",
			summary: "Self-hosted team chat",
			description,
			license: { name: "MIT", identifier: "MIT" },
		},
		servers: [{ url: "/", description: "this site" }],
		tags: Object.entries(tags).map(([name, words]) => ({ name, description: words })),
		paths,
		"x-realtime": realtime,
		components: {
			securitySchemes: {
				session: {
					type: "apiKey",
					in: "cookie",
					name: "__Host-pulsechat",
					description: "a browser's session (over plain http on a loopback site: `pulsechat_PORT`)",
				},
				bearer: {
					type: "http",
					scheme: "bearer",
					description:
						"a personal access token (`pct_…`), or the provider's access token. " +
						"Scopes: read, write, files, admin; of a token of ours each brings read along.",
				},
			},
			parameters: {
				IfNoneMatch: {
					name: "If-None-Match",
					in: "header",
					description: "an ETag that one has: 304 where nothing has changed",
					schema: text(),
				},
			},
			headers: {
				RequestId: of(ref("RequestId"), "names the request in the server's log", { required: true }),
				Cursor: of(ref("CursorText"), "the log's head as of this answer: follow from there", { required: true }),
				PollCursor: of(ref("CursorText"), "of a poll: the next one's cursor"),
				ETag: of(text(), "of an answer of 64 KiB at most"),
				Link: of(text(), "prev and next page (RFC 8288)"),
				Location: of(text(), "where it is", { required: true }),
				SetCookie: of(text(), "the session"),
				RetryAfter: of(int(1), "seconds", { required: true }),
				RetryAfterMaybe: of(int(1), "seconds, where that helps"),
				Authenticate: of(text(), "how to say who asks", { required: true }),
				Upgrade: of(text(), "websocket; a web server in front may take it away"),
				RateLimit: of(text(), 'what is left of a limit and when all is back: `"session";r=1187;t=1`'),
				RateLimitPolicy: of(text(), 'the limit: `"session";q=1200;w=60`'),
			},
			responses: Object.fromEntries(Object.entries(problems).sort(([a], [b]) => (a < b ? -1 : 1))),
			schemas: { ...schemas, ...lineSchemas },
		},
	};
}

/** JSON for people and for diffs: what fits in a line stands in one. */
function formatted(value, indent = "", before = 0) {
	const line = JSON.stringify(value, null, 1).replace(/\n\s*/g, " ");
	if (typeof value !== "object" || value === null || indent.length * 4 + before + line.length <= 150) return line;
	const inner = `${indent}\t`;
	const [open, close] = Array.isArray(value) ? "[]" : "{}";
	const parts = Array.isArray(value)
		? value.map((v) => formatted(v, inner))
		: Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${formatted(v, inner, k.length + 4)}`);
	return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${indent}${close}`;
}

const file = fileURLToPath(new URL("../openapi.json", import.meta.url));
const wanted = `${formatted(document())}\n`;
if (process.argv[2] !== "--check") writeFileSync(file, wanted);
else if (readFileSync(file, "utf8") !== wanted) console.log("doc/openapi.json is not what doc/openapi/ makes: run make openapi");
