// A part of the page that is loaded when it is opened first.
import type { ComponentType, FunctionComponent } from 'preact';
import { useEffect, useReducer } from 'preact/hooks';
import { t } from '../strings';
import { useUi } from './context';

/* A page from another file; `late` stands there until it has come, and stays where it does not. */
export function lazyPage<P extends object>(load: () => Promise<ComponentType<P>>, late: ComponentType): FunctionComponent<P> {
	let View: ComponentType<P> | null = null;
	return function LazyPage(props: P) {
		const { toast } = useUi();
		const [, again] = useReducer((n: number) => n + 1, 0);
		useEffect(() => {
			if (View) return;
			load().then(
				(v) => {
					View = v;
					again(0);
				},
				() => toast(t.partFailed, true),
			);
		}, []);
		const Late = late;
		return View ? <View {...props} /> : <Late />;
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
