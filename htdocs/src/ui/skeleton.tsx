// What stands where messages will be, until they have come.
export function Skeleton() {
	return (
		<div class="skeleton" aria-hidden="true">
			{[62, 84, 40, 71, 55].map((w, i) => (
				<div key={i} class="bone-row">
					<span class="bone bone-avatar" />
					<span class="bone-lines">
						<span class="bone bone-name" />
						<span class={`bone bone-text bone-${w}`} />
					</span>
				</div>
			))}
		</div>
	);
}
