// What notifications say, and their settings.
import { isolate } from './model/direction';

const list = new Intl.ListFormat('en', { type: 'conjunction' });

export const tn = {
	title: 'Notifications',
	show: 'Notify me in this browser',
	showHint: 'Of direct messages, mentions and threads you follow, and of what you have chosen in a channel’s menu; while PulseChat is open in a tab.',
	asking: 'Your browser asks you now. Choose “Allow”.',
	denied: 'Your browser blocks notifications of this site. Allow them in its settings for this site, beside the address, and turn this on again.',
	notAllowed: 'Your browser was not allowed to show notifications. Turn it on again to be asked once more.',
	insecure: 'Browsers show notifications only of sites with a secure address (https). Ask whoever runs this site.',
	missing: 'This browser cannot show notifications of a page that is open. On a computer it can.',
	hide: 'Hide what is written',
	hideHint: 'Notifications say only who wrote, and where.',
	trialTitle: 'Notifications are on',
	trialText: 'This is how they look.',

	hidden: 'New message',
	whoIn: (who: string, where: string) => `${isolate(who)} in ${isolate(where)}`,
	repliedIn: (who: string, where: string) => `${isolate(who)} replied in a thread${where ? ` in ${isolate(where)}` : ''}`,
	answeredIn: (who: string, where: string) => `${isolate(who)} replied to you${where ? ` in ${isolate(where)}` : ''}`,
	manyIn: (n: number, where: string) => `${n} new messages in ${isolate(where)}`,
	manyFrom: (n: number, who: string) => `${n} new messages from ${isolate(who)}`,
	from: (names: string[]) => `From ${list.format(names.length > 4 ? [...names.slice(0, 3), `${names.length - 3} others`] : names)}`,
	says: (who: string, text: string) => `${isolate(who)}: ${text}`,
	forwarded: 'Forwarded:',
};
