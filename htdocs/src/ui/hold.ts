// What a finger that stays does: no browser tells it alike, and one of them not at all.
import { useEffect, useRef } from 'preact/hooks';

const LONG = 500; // ms

/* Handlers of an element: act() is called while the finger is still there, and no click follows. */
export function useHold(act: () => void) {
	const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
	const held = useRef(false);
	const stop = () => clearTimeout(timer.current);
	useEffect(() => stop, []);
	return {
		onPointerDown: (e: PointerEvent) => {
			stop();
			held.current = false;
			if (e.pointerType !== 'touch') return;
			timer.current = setTimeout(() => {
				held.current = true;
				act();
			}, LONG);
		},
		onPointerUp: stop,
		onPointerCancel: stop,
		// Else it would be a click, on whatever stands there by now.
		onTouchEnd: (e: TouchEvent) => held.current && e.preventDefault(),
	};
}
