// Icons of the lucide package as inline SVG, in the colour of the text around. They carry no meaning by themselves: what
// they stand beside, or the control's label, says it.
import { h } from 'preact';
import type { IconNode } from 'lucide';

export function Icon({ of, size = 18 }: { of: IconNode; size?: number }) {
	return (
		<svg
			class="icon"
			width={size}
			height={size}
			viewBox="0 0 24 24"
			fill="none"
			stroke="currentColor"
			stroke-width="2"
			stroke-linecap="round"
			stroke-linejoin="round"
			aria-hidden="true"
		>
			{of.map(([tag, attrs]) => h(tag, attrs as Record<string, string>))}
		</svg>
	);
}
