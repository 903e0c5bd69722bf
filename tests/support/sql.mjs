// sql: runs tests/sql/*.sql by pg_prove against a private database, migrated by `pulsechat migrate`, with pgTAP in it.
//   node tests/support/sql.mjs [FILE...]

import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT, startStack } from "./stack.mjs";

const dir = join(ROOT, "tests/sql");
const files = process.argv.length > 2 ? process.argv.slice(2) : readdirSync(dir).filter((f) => f.endsWith(".sql")).sort().map((f) => join(dir, f));
const stack = await startStack({ only: ["postgres"] });
await stack.psql("CREATE EXTENSION IF NOT EXISTS pgtap", { user: "postgres" });
const env = { ...process.env, PGOPTIONS: "-c client_min_messages=warning" };
const prove = spawn("pg_prove", ["-v", "-h", stack.pgSocket, "-U", "postgres", "-d", "pulsechat", ...files], { stdio: "inherit", env });
const code = await new Promise((ok) => prove.on("exit", ok));
await stack.stop();
process.exit(code ?? 1);
