// Says that somebody is at the device: at the first input, then once a minute while there is input; and at once where the server
// has taken us for away. Who has set himself away stays so, in all tabs, until he says otherwise or writes a message.
import type { Input } from '../net/transport';

const EVERY = 60_000; // ms
const AGAIN = 1_000; // ms between two tries while we are taken for away

export interface ActivityEnv {
	now(): number;
	/* False where it could not be told. */
	tell(what: Input): boolean;
	/* As the server shows us. */
	takenForAway(): boolean;
	/* Over reloads, and for all tabs of the profile. */
	isSetAway(): boolean;
	setAway(on: boolean): void;
}

export class Activity {
	private toldAt = -Infinity;

	constructor(private env: ActivityEnv) {}

	/* A key, a click, a touch, a movement. Called very often. */
	input(): void {
		const since = this.env.now() - this.toldAt;
		if (since < AGAIN || (since < EVERY && !this.env.takenForAway())) return;
		if (!this.env.isSetAway() && this.env.tell('active')) this.toldAt = this.env.now();
	}

	setAway(on: boolean): void {
		if (this.env.isSetAway() !== on) this.env.setAway(on);
		this.heard();
	}

	/* It was set, here or in another tab. */
	heard(): void {
		this.toldAt = -Infinity;
		if (this.env.isSetAway()) this.env.tell('idle');
		else this.input();
	}

	/* A new link: that is no input, but what was set away stays so. */
	onLive(): void {
		if (this.env.isSetAway()) this.env.tell('idle');
	}

	/* Whoever writes is there. */
	wrote(): void {
		if (this.env.isSetAway()) this.setAway(false);
	}
}
