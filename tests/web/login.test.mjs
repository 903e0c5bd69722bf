// Signing in where things go wrong: two tabs at once, the back button, a code that is too old, a provider that is stopped, has other
// keys or another clock; and the two other ways in, an invitation and a password of the site.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { client, pickInBrowser } from "../support/http.mjs";
import { startStack, until } from "../support/stack.mjs";
import { makeChannel, ok } from "../api/help.mjs";
import { PHONE, ask, axe, launch, live, ready, signIn, visitor } from "./help.mjs";

let stack, browser, admin, harbour, market, codes;
before(async () => {
	// To a browser the provider is another site than ours, as it is in life.
	stack = await startStack({ realtime: 1, idpHost: "localhost", conf: { registration: { mode: "invite" }, local: { accounts: "yes" } } });
	browser = await launch();
	admin = client(stack, { token: await stack.token("alice", ["read", "write"]) });
	harbour = await makeChannel(admin, { name: "harbour" });
	market = await makeChannel(admin, { name: "market" });
});
after(async () => {
	await browser?.close();
	await stack?.stop();
});

const google = (page) => page.getByRole("link", { name: "Continue with Google" });
/** To the provider's page, from a page of the site. */
async function toProvider(page, path) {
	await page.goto(stack.url + path);
	await google(page).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
}
const told = (page, title) => page.getByRole("heading", { level: 1, name: title }).waitFor();

test("AU-1: two tabs at once: both end signed in, each on its own page; reload and back lead into the app", async () => {
	const { context, page: a, faults } = await visitor(browser);
	const b = await context.newPage();
	await toProvider(a, `/c/${harbour.id}`);
	await toProvider(b, `/c/${market.id}`);
	let callback;
	a.on("request", (r) => r.url().includes("/auth/callback") && (callback = r.url()));
	await pickInBrowser(a, "alice");
	await a.waitForURL(`${stack.url}/c/${harbour.id}`);
	await live(a);
	await pickInBrowser(b, "alice");
	await b.waitForURL(`${stack.url}/c/${market.id}`);
	await live(b);
	await live(a);
	// The callback again, as by reload or from the history: into the app, not a second sign-in, not an error.
	await b.goto(callback);
	await ready(b);
	assert.equal(new URL(b.url()).origin, stack.url);
	// Back to the provider's page, whose sign-in is over, and on to the door: it passes on who is in.
	await a.goBack({ waitUntil: "commit" });
	await a.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await a.evaluate(() => history.back()).catch(() => {}); // the answer is lost where the page is gone before it; where one lands counts
	await a.waitForURL(`${stack.url}/c/${harbour.id}`);
	await ready(a);
	assert.equal((await ask(a, "/api/v1/me")).user.handle, "alice");
	assert.deepEqual(faults, []);
	await context.close();
});

test("a code that is too old: a page that says so, and a new start that works", async () => {
	const { context, page } = await visitor(browser);
	await toProvider(page, `/c/${harbour.id}`);
	await stack.idp({ stale: true });
	await pickInBrowser(page, "alice");
	await told(page, "This sign-in took too long");
	await page.getByText(/^Request \w+$/).waitFor();
	await stack.idp({ stale: false });
	await page.getByRole("link", { name: "Start again" }).click();
	await page.waitForURL(`${stack.url}/c/${harbour.id}`);
	await ready(page);
	await context.close();
});

test("a stopped provider: before and after its page, told as such; once it is back, trying again works", async () => {
	const { context, page } = await visitor(browser);
	await toProvider(page, `/c/${harbour.id}`);
	// It stops while it is asked what the code is worth.
	await stack.idp({ delay: { token: 600000 }, reset: true });
	const picked = pickInBrowser(page, "alice");
	await until(async () => (await stack.idp()).requests.token > 0, { what: "the code has been handed in" });
	await stack.down("devidp");
	await picked;
	await told(page, "Signing in does not work just now");
	await stack.up("devidp");
	await page.getByRole("link", { name: "Start again" }).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await pickInBrowser(page, "alice");
	await page.waitForURL(`${stack.url}/c/${harbour.id}`);
	await ready(page);
	await context.close();
});

test("clocks: half a minute apart works, ten minutes is a page that says so", async () => {
	for (const clock of [30, -30, 600, -600]) {
		const { context, page } = await visitor(browser);
		await stack.idp({ clock });
		await toProvider(page, `/c/${harbour.id}`);
		await pickInBrowser(page, "alice");
		if (Math.abs(clock) === 30) {
			await page.waitForURL(`${stack.url}/c/${harbour.id}`);
			await ready(page);
		} else {
			await told(page, "The clocks do not agree");
			await stack.idp({ clock: 0 });
			await page.getByRole("link", { name: "Start again" }).click();
			await page.waitForURL(`${stack.url}/c/${harbour.id}`);
		}
		await context.close();
	}
	await stack.idp({ clock: 0 });
});

test("an invitation: its page says where it leads; the newcomer is in, a used one says so", async () => {
	// An owner makes it.
	const owner = await visitor(browser);
	await signIn(stack, owner.page, "alice", `/c/${harbour.id}`);
	await owner.page.getByRole("button", { name: "Your menu" }).click();
	await owner.page.getByRole("menuitem", { name: "Invite people" }).click();
	await owner.page.getByRole("button", { name: "Make a link" }).click();
	const link = await owner.page.getByLabel("The link").inputValue();
	assert.match(link, new RegExp(`^${stack.url}/join#[\\w-]{22}$`));
	await owner.page.getByText("0 of 1 joined").waitFor();
	assert.deepEqual(await axe(owner.page), []);
	await owner.page.setViewportSize(PHONE);
	assert.deepEqual(await axe(owner.page), []);
	const made = { url: link };
	const { context, page, faults } = await visitor(browser);
	const sent = []; // what servers get to see of addresses
	context.on("request", (r) => sent.push(`${r.url().split("#")[0]} ${r.headers().referer ?? ""}`));
	await page.goto(`${stack.url}/sign-in`);
	await page.getByText("New people join this site by invitation").waitFor();
	await google(page).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await pickInBrowser(page, "nina");
	await told(page, "You need an invitation");
	await page.goto(made.url);
	await told(page, "Join PulseChat");
	assert.deepEqual(await axe(page), []);
	await page.setViewportSize(PHONE);
	assert.deepEqual(await axe(page), []);
	await page.getByRole("button", { name: "Join with Google" }).click();
	await page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await pickInBrowser(page, "nina");
	await page.waitForURL((url) => url.origin === stack.url && !url.pathname.startsWith("/auth"));
	await ready(page);
	assert.equal((await ask(page, "/api/v1/me")).user.handle, "nina");
	const other = await visitor(browser);
	await other.page.goto(made.url);
	await other.page.getByText("This invitation is used up").waitFor();
	assert.deepEqual(await axe(other.page), []);
	await other.page.goto(`${stack.url}/join#whatever`);
	await other.page.getByText("This invitation is not valid").waitFor();
	// Who has an account comes in all the same.
	await google(other.page).click();
	await other.page.waitForURL((url) => url.href.startsWith(stack.idpUrl));
	await pickInBrowser(other.page, "bob");
	await other.page.waitForURL((url) => url.origin === stack.url);
	await ready(other.page);
	await other.page.getByRole("button", { name: "Your menu" }).click();
	await other.page.getByRole("menuitem", { name: "Settings" }).waitFor();
	assert.equal(await other.page.getByRole("menuitem", { name: "Invite people" }).count(), 0);
	// And who is in already goes on.
	await other.page.goto(made.url);
	await ready(other.page);
	assert.deepEqual([...faults, ...other.faults], []);
	// Withdrawn, the next one is no good.
	await owner.page.getByRole("button", { name: "Make another" }).click();
	await owner.page.waitForFunction((old) => document.getElementById("invite-link")?.value !== old, link);
	const second = await owner.page.getByLabel("The link").inputValue();
	await owner.page.getByRole("button", { name: "Withdraw" }).first().click();
	await owner.page.getByText("The invitation is withdrawn").waitFor();
	const late = await visitor(browser);
	await late.page.goto(second);
	await late.page.getByText("This invitation was withdrawn").waitFor();
	for (const who of [late, owner, other]) await who.context.close();
	await context.close();
	assert.ok(sent.some((s) => s.includes("/auth/login")) && sent.some((s) => s.includes("/auth/callback")));
	codes = [link, second].map((l) => l.split("#")[1]);
	for (const code of codes) assert.deepEqual(sent.filter((s) => s.includes(code)), []);
});

test("a password of the site: by keyboard, told when wrong, back to where one was", async () => {
	await stack.cli(["user", "add", "lena", "--name", "Lena Local"]);
	const set = stack.cli(["user", "password", "lena"]);
	set.child.stdin.end("a long enough secret\n");
	await set;
	const { context, page, faults } = await visitor(browser);
	await page.goto(`${stack.url}/c/${harbour.id}`);
	const name = page.getByLabel("User name");
	await name.waitFor();
	assert.deepEqual(await axe(page), []);
	await page.setViewportSize(PHONE);
	assert.deepEqual(await axe(page), []);
	await page.getByRole("button", { name: "Sign in" }).click();
	await page.getByRole("alert").filter({ hasText: "Enter your user name" }).waitFor();
	await name.fill("lena");
	await name.press("Tab");
	await page.keyboard.type("not the right one");
	await page.keyboard.press("Enter");
	await page.getByRole("alert").filter({ hasText: "do not fit" }).waitFor();
	for (let i = 0; i < 3; i++) {
		const answered = page.waitForResponse((r) => r.url().endsWith("/auth/local"));
		await page.locator("button[type=submit]:enabled").waitFor();
		await page.keyboard.press("Enter");
		await answered;
	}
	await page.locator("button[type=submit]:enabled").waitFor();
	await page.getByLabel("Password").fill("a long enough secret");
	await page.keyboard.press("Enter");
	await page.getByRole("alert").filter({ hasText: /Too many tries. Try again in [1-5] second/ }).waitFor();
	await page.locator("button[type=submit]:enabled").waitFor();
	await stack.psql("DELETE FROM password_tries", { user: "postgres" });
	await page.keyboard.press("Enter");
	await page.waitForURL(`${stack.url}/c/${harbour.id}`);
	await ready(page);
	assert.equal((await ask(page, "/api/v1/me")).user.handle, "lena");
	assert.deepEqual(faults, []);
	await context.close();
});

test("an invitation and a password of one's own: joined by keyboard, told what is wrong; and the password changed", async () => {
	const made = ok(await client(stack, { token: await stack.token("alice", ["write", "admin"]) }).post("/api/v1/invites", { max_uses: 1 }), 201);
	codes.push(made.code);
	const { context, page, faults } = await visitor(browser);
	await page.goto(made.url);
	const name = page.getByLabel("Your name");
	await name.waitFor();
	for (const size of [PHONE, page.viewportSize()]) {
		await page.setViewportSize(size);
		assert.deepEqual(await axe(page), []);
	}
	const alert = (text) => page.getByRole("alert").filter({ hasText: text }).waitFor();
	await page.getByRole("button", { name: "Join", exact: true }).click();
	await alert("Fill in all three");
	await name.fill("Pia Local");
	await name.press("Tab");
	await page.keyboard.type("bob");
	await page.keyboard.press("Tab");
	await page.keyboard.type("short");
	await page.keyboard.press("Enter");
	await alert("10 characters at least");
	await page.getByLabel("Password").fill("a long enough secret");
	await page.keyboard.press("Enter");
	await alert("Somebody has this user name");
	await page.getByLabel("User name").fill("pia");
	await page.keyboard.press("Enter");
	await page.waitForURL((url) => url.origin === stack.url && url.pathname !== "/join");
	await ready(page);
	assert.equal((await ask(page, "/api/v1/me")).user.handle, "pia");
	await page.getByRole("button", { name: "Your menu" }).click();
	await page.getByRole("menuitem", { name: "Settings" }).click();
	await page.getByRole("button", { name: "Change password" }).click();
	await page.getByLabel("Present password").fill("not the right one");
	await page.getByLabel("New password", { exact: true }).fill("another long secret");
	await page.getByLabel("New password again").fill("another long secre");
	assert.deepEqual(await axe(page), []);
	const save = page.getByRole("button", { name: "Change password" });
	await save.click();
	await alert("The two new ones differ");
	await page.getByLabel("New password again").fill("another long secret");
	await save.click();
	await alert("This is not your present password");
	await page.getByLabel("Present password").fill("a long enough secret");
	await save.click();
	await page.getByText("Your password is changed").waitFor();
	assert.equal((await ask(page, "/api/v1/me")).user.handle, "pia");
	const again = await visitor(browser);
	await again.page.goto(made.url);
	await again.page.getByText("This invitation is used up").waitFor();
	await again.page.getByLabel("User name").fill("pia");
	await again.page.getByLabel("Password").fill("another long secret");
	await again.page.keyboard.press("Enter");
	await ready(again.page);
	assert.deepEqual([...faults, ...again.faults], []);
	await again.context.close();
	await context.close();
});

// Of other web servers: nothing in an address differs.
const skip = Boolean(process.env.PC_FRONT) && process.env.PC_FRONT !== "lighttpd";
test("TR-5 no log has the code of an invitation", { skip }, async () => {
	await stack.down("lighttpd"); // it writes what it still has
	for (const file of ["access", ...stack.names]) {
		const text = readFileSync(join(stack.state, "log", `${file}.log`), "utf8");
		for (const code of codes) assert.ok(!text.includes(code), `${file}.log has it`);
		if (file === "access") assert.match(text, /GET \/join /);
	}
	await stack.up("lighttpd");
});

// The last: afterwards the provider has other keys than it would start with.
test("the provider has new keys: the next sign-in works, without a restart of anything", async () => {
	const { context, page } = await visitor(browser);
	await signIn(stack, page, "alice", `/c/${harbour.id}`);
	await stack.idp({ rotate: true });
	const other = await visitor(browser);
	await signIn(stack, other.page, "bob", `/c/${harbour.id}`);
	assert.equal((await ask(other.page, "/api/v1/me")).user.handle, "bob");
	await context.close();
	await other.context.close();
});
