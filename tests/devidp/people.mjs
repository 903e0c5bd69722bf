// people: the demo people of the development OpenID provider. Their subjects never change: PulseChat keys users on
// (issuer, subject). `connection` is the identity provider (fidp) that "federates" a person; null: the provider itself.

export const PEOPLE = [
	person("alice", "Alice", "Moreau", "Google", "2f6c1a50-1f0b-4c9e-9a57-0a11ce000001"),
	person("bob", "Bob", "Okafor", "Google", "2f6c1a50-1f0b-4c9e-9a57-0b0b00000002"),
	person("carol", "Carol", "Lindqvist", "Google", "2f6c1a50-1f0b-4c9e-9a57-0ca401000003"),
	person("dave", "Dave", "Tanaka", "GitHub", "2f6c1a50-1f0b-4c9e-9a57-0da0e0000004"),
	person("erin", "Erin", "O'Neill", "GitHub", "2f6c1a50-1f0b-4c9e-9a57-0e4190000005"),
	person("frank", "Frank", "Müller", "GitHub", "2f6c1a50-1f0b-4c9e-9a57-0f4a0c000006"),
	person("grace", "Grace", "Mbeki", null, "2f6c1a50-1f0b-4c9e-9a57-064ace000007"),
	person("heidi", "Heidi", "Rossi", null, "2f6c1a50-1f0b-4c9e-9a57-0e1d10000008"),
];

function person(login, given, family, connection, sub) {
	return {
		login,
		sub,
		connection,
		claims: {
			name: `${given} ${family}`,
			given_name: given,
			family_name: family,
			preferred_username: login,
			username: login,
			email: `${login}@people.example`,
			email_verified: true,
			picture: null,
		},
	};
}

/** A typed name that is in no list is a newcomer: same name, same subject. Undefined if it cannot be one. */
export function findPerson(login, connection = null) {
	const known = PEOPLE.find((p) => p.login === login);
	if (known) return known;
	if (!/^[a-z][a-z0-9._-]{0,39}$/.test(login)) return undefined;
	return person(login, login[0].toUpperCase() + login.slice(1), "Newcomer", connection, `newcomer-${login}`);
}

/** The person behind a subject, a newcomer too. */
export function personOf(sub) {
	if (sub.startsWith("newcomer-")) return findPerson(sub.slice("newcomer-".length));
	return PEOPLE.find((p) => p.sub === sub);
}
