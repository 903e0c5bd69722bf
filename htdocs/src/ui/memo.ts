// Skips a drawing when `same` says so (Preact's own memo lives in the compatibility package, which we do not carry).
import { Component, h, type ComponentType, type FunctionComponent } from 'preact';

export function memo<P extends object>(view: FunctionComponent<P>, same: (a: P, b: P) => boolean): ComponentType<P> {
	return class Memo extends Component<P> {
		override shouldComponentUpdate(next: P): boolean {
			return !same(this.props as P, next);
		}
		override render(props: P) {
			return h(view, props);
		}
	} as unknown as ComponentType<P>;
}
