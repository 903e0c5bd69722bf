// ini: writes pulsechat.conf. A configuration is {section: {key: value}}; overrides may also say "section.key".

/** Later ones win; null takes a key away. */
export function mergeConf(...parts) {
	const out = {};
	const put = (section, key, value) => {
		out[section] ??= {};
		if (value === null || value === undefined) delete out[section][key];
		else out[section][key] = value;
	};
	for (const part of parts)
		for (const [name, value] of Object.entries(part ?? {})) {
			const dot = name.indexOf(".");
			if (dot > 0) put(name.slice(0, dot), name.slice(dot + 1), value);
			else for (const [key, v] of Object.entries(value)) put(name, key, v);
		}
	return out;
}

export function confText(conf, head) {
	const lines = head.map((l) => `; ${l}`);
	for (const [section, keys] of Object.entries(conf)) {
		lines.push("", `[${section}]`);
		for (const [key, value] of Object.entries(keys)) {
			if (/[\r\n]/.test(String(value))) throw new Error(`a line break in [${section}] ${key}`);
			lines.push(`${key} = ${value}`);
		}
	}
	return `${lines.join("\n")}\n`;
}
