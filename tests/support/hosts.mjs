// hosts: the rest of a test file under a hosts file of its own: in a mount namespace, so that it counts for every program that it starts and
// for nobody else.
//
//   import { underHosts } from "../support/hosts.mjs";
//   underHosts("::1 localhost\n127.0.0.1 localhost\n");     // before all else. Comes back in the namespace alone
//
// Where there can be none the file fails, and says why: by root, or where users may have namespaces of their own.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export function underHosts(text) {
	if (process.env.PC_HOSTS === text) return;
	const dir = mkdtempSync(join(tmpdir(), "pulsechat-hosts-"));
	const file = join(dir, "hosts");
	writeFileSync(file, text, { mode: 0o644 });
	// who is not root becomes himself again behind the mount
	const [uid, gid] = [process.getuid(), process.getgid()];
	const own = uid === 0 ? [] : ["--user", "--map-root-user"];
	const again = uid === 0 ? [] : ["unshare", "--user", `--map-user=${uid}`, `--map-group=${gid}`];
	const argv = [...own, "--mount", "--", "sh", "-c", 'mount --bind "$1" /etc/hosts && shift && exec "$@"', "sh", file, ...again];
	const end = spawnSync("unshare", [...argv, process.execPath, ...process.execArgv, ...process.argv.slice(1)], {
		stdio: "inherit",
		env: { ...process.env, PC_HOSTS: text },
	});
	rmSync(dir, { recursive: true });
	if (end.error) throw end.error;
	if (end.status !== 0) console.error(`under another hosts file (unshare --mount): status ${end.status}, signal ${end.signal}`);
	process.exit(end.status ?? 1);
}
