// faults: what the soak does to the site. Each is {name, weight, run(c)}; c: {stack, relay(op), links, random, pick, sleep}. A fault
// undoes itself before it returns; two may run at once.

const TARGETS = ["api1", "realtime1", "realtime2", "lighttpd"];

async function backend(c, where = "true") {
	const pids = await c.sql(`SELECT pid FROM pg_stat_activity WHERE datname = 'pulsechat' AND usename = 'pulsechat'
		AND pid <> pg_backend_pid() AND ${where}`);
	return pids.length ? Number(c.pick(pids)) : 0;
}

function signal(pid, name) {
	try {
		if (pid) process.kill(pid, name);
	} catch {
		// gone
	}
}

const still = new Set(); // processes of the database that were stopped

async function stopped(c, pid, ms) {
	signal(pid, "SIGSTOP");
	await c.sleep(ms);
	signal(pid, "SIGCONT");
}

export const FAULTS = [
	{
		name: "kill",
		weight: 6,
		async run(c) {
			const name = c.pick([...TARGETS, "realtime1", "realtime2", "api1"]);
			c.note(name);
			if (c.stack.pids[name]) await c.stack.kill(name, "SIGKILL");
		},
	},
	{
		name: "kill database process",
		weight: 1,
		async run(c) {
			const pid = await backend(c);
			c.note(`backend ${pid}`);
			signal(pid, "SIGKILL"); // the server ends all others and recovers
		},
	},
	{
		name: "kill database server",
		weight: 1,
		async run(c) {
			// One that stands still would outlive the server, and keep the next one out.
			for (const pid of still) signal(pid, "SIGCONT");
			if (c.stack.pids.postgres) await c.stack.kill("postgres", "SIGKILL");
		},
	},
	{
		name: "stop",
		weight: 6,
		async run(c) {
			const name = c.pick(TARGETS);
			const ms = 300 + c.random() * 4000;
			c.note(`${name} ${Math.round(ms)} ms`);
			await stopped(c, c.stack.pids[name], ms);
		},
	},
	{
		name: "stop database process",
		weight: 2,
		async run(c) {
			const ms = 300 + c.random() * 3500;
			const pid = await backend(c);
			c.note(`backend ${pid} ${Math.round(ms)} ms`);
			still.add(pid);
			await stopped(c, pid, ms);
			still.delete(pid);
		},
	},
	{
		name: "restart database",
		weight: 2,
		async run(c) {
			const how = c.pick(["SIGINT", "SIGQUIT"]);
			const downtime = c.random() * 2500;
			c.note(`${how} ${Math.round(downtime)} ms`);
			await c.stack.restartPostgres({ downtime, signal: how });
		},
	},
	{
		name: "end listener",
		weight: 4,
		async run(c) {
			await c.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = 'pulsechat' AND pid <> pg_backend_pid() AND (query ~* '^\\s*listen' OR application_name ~ 'listen')`);
		},
	},
	{
		name: "end connection",
		weight: 2,
		async run(c) {
			const pid = await backend(c);
			await c.sql(`SELECT pg_terminate_backend(${pid})`);
		},
	},
	{
		name: "reload web server",
		weight: 2,
		async run(c) {
			signal(c.stack.pids.lighttpd, "SIGUSR1");
		},
	},
	{
		name: "cut",
		weight: 6,
		async run(c) {
			const link = c.pick(c.links);
			const share = c.pick([0.1, 0.5, 1]);
			const how = c.pick(["reset", "end"]);
			c.note(`${link} ${share} ${how}`);
			c.relay({ op: "cut", link, share, how });
		},
	},
	{
		name: "delay",
		weight: 4,
		async run(c) {
			const link = c.pick(c.links);
			const ms = 20 + c.random() * (link === "db" ? 80 : 400);
			c.note(`${link} ${Math.round(ms)} ms`);
			c.relay({ op: "delay", link, ms });
			await c.sleep(1000 + c.random() * 3000);
			c.relay({ op: "delay", link, ms: 0 });
		},
	},
	{
		name: "freeze",
		weight: 4,
		async run(c) {
			const link = c.pick(c.links);
			const share = c.pick([0.2, 0.6]);
			c.note(`${link} ${share}`);
			c.relay({ op: "freeze", link, share });
			await c.sleep(1000 + c.random() * 5000);
			c.relay({ op: "thaw", link });
		},
	},
	{
		name: "database away, then a process killed",
		weight: 2,
		async run(c) {
			const name = c.pick(["api1", "realtime1", "realtime2"]);
			c.note(name);
			c.relay({ op: "freeze", link: "db", share: 1 });
			await c.sleep(500 + c.random() * 1000);
			if (c.stack.pids[name]) await c.stack.kill(name, "SIGKILL");
			c.relay({ op: "thaw", link: "db" });
		},
	},
];
