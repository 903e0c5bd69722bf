// A part of the page that is loaded when it is opened first.
import type { ComponentType, FunctionComponent } from 'preact';
import { useContext, useEffect, useReducer, useState } from 'preact/hooks';
import { t } from '../strings';
import { UiContext, useUi } from './context';

/* A page from another file; `late` stands there until it has come, and where it does not `lost`, or `late` goes on. */
export function lazyPage<P extends object>(load: () => Promise<ComponentType<P>>, late: ComponentType, lost = late): FunctionComponent<P> {
	let View: ComponentType<P> | null = null;
	return function LazyPage(props: P) {
		const ui = useContext(UiContext); // at the door there is none
		const [Now, become] = useState<{ of: ComponentType }>({ of: late });
		useEffect(() => {
			if (View) return;
			load().then(
				(v) => {
					View = v;
					become({ of: late });
				},
				() => {
					become({ of: lost });
					ui?.toast(t.partFailed, true);
				},
			);
		}, []);
		return View ? <View {...props} /> : <Now.of />;
	};
}

/* A dialog from another file. Where that cannot be loaded (no network, or a new version is there), it says so and closes. */
export function lazily<P extends { onClose: () => void }>(load: () => Promise<ComponentType<P>>): FunctionComponent<P> {
	let View: ComponentType<P> | null = null;
	return function Lazily(props: P) {
		const { toast } = useUi();
		const [, again] = useReducer((n: number) => n + 1, 0);
		useEffect(() => {
			if (View) return;
			let late = false;
			load().then(
				(v) => {
					View = v;
					if (!late) again(0);
				},
				() => {
					if (late) return;
					toast(t.partFailed, true);
					props.onClose();
				},
			);
			return () => void (late = true);
		}, []);
		return View && <View {...props} />;
	};
}
