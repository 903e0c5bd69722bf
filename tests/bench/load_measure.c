/* load_measure: counts, histograms, and the report. */
#include "tests/bench/load.h"
#include <stdio.h>
#include <string.h>

struct measures m;
struct cpu_watch cpu[CPU_MAX + 1];
size_t cpu_n;

void hist_add(struct hist *h, int64_t us)
{
	uint64_t v = us < 0 ? 0 : (uint64_t)us;
	int shift = 0;

	while (v >> shift >= 128)
		shift++;
	h->at[shift ? (size_t)shift * 64 + (v >> shift) : v]++;
	h->n++;
	if (us > h->max)
		h->max = us;
}

static double hist_ms(const struct hist *h, double share)
{
	uint64_t want = (uint64_t)((double)h->n * share), sum = 0;

	for (size_t k = 0; k < sizeof(h->at) / sizeof(h->at[0]); k++) {
		sum += h->at[k];
		if (sum > want && h->at[k]) {
			size_t shift = k < 128 ? 0 : k / 64 - 1;

			return (double)((k - shift * 64) << shift) / 1000;
		}
	}
	return (double)h->max / 1000;
}

void note(const char *what, const void *p, size_t n)
{
	if (!m.trouble[0]) {
		snprintf(m.trouble, sizeof(m.trouble), "%s: %.*s", what, (int)(n > 150 ? 150 : n), (const char *)p);
		for (char *c = m.trouble; *c; c++)
			if (*c == '"' || *c == '\\' || *c < ' ')
				*c = '\'';
	}
}

void count_ack(int64_t due, int64_t now)
{
	int64_t second = (now - m.from) / 1000000;

	if (now >= m.from && now < m.to) {
		m.acked++;
		hist_add(&m.ack, now - due);
		if (second < SERIES_MAX)
			m.series[second]++;
	}
}

void measure_begin(int64_t warm_us, int64_t seconds_us)
{
	int64_t now = now_us();

	memset(&m, 0, sizeof(m));
	for (int k = 0; k < rooms_n; k++)
		rooms[k].acked = 0;
	m.from = now + warm_us;
	m.to = m.from + seconds_us;
}

void look(struct look *l)
{
	memcpy(l->cpu, cpu, sizeof(cpu));
	cpu_look(l->cpu, cpu_n + 1);
	cpu_machine(&l->busy, &l->stolen);
	l->at = now_us();
}

void report(const struct look *a, const struct look *b, uint64_t left)
{
	double seconds = (double)(b->at - a->at) / 1e6, known = 0;

	printf("{\"seconds\":%.3f,\"sent\":%llu,\"acked\":%llu,\"refused\":%llu,\"arrived\":%llu,\"delivered\":%llu,"
	       "\"lost\":%llu,\"backward\":%llu,\"foreign\":%llu,\"unordered\":%llu,\"resets\":%llu,\"byes\":%llu,"
	       "\"closes\":%llu,"
	       "\"answers\":%llu,\"bad_answers\":%llu,\"body_bytes\":%llu,\"late_ms\":%.1f,",
	       seconds, (unsigned long long)m.sent, (unsigned long long)m.acked, (unsigned long long)m.refused,
	       (unsigned long long)m.arrived, (unsigned long long)m.delivered, (unsigned long long)(m.gaps + left),
	       (unsigned long long)m.backward, (unsigned long long)m.foreign, (unsigned long long)m.unordered,
	       (unsigned long long)m.resets, (unsigned long long)m.byes, (unsigned long long)m.closes,
	       (unsigned long long)m.answers, (unsigned long long)m.bad_answers, (unsigned long long)m.bytes,
	       (double)m.late / 1000);
	printf("\"p50\":%.2f,\"p90\":%.2f,\"p99\":%.2f,\"max\":%.2f,\"ack_p50\":%.2f,\"ack_p99\":%.2f,\"ack_max\":%."
	       "2f,",
	       hist_ms(&m.delivery, 0.5), hist_ms(&m.delivery, 0.9), hist_ms(&m.delivery, 0.99),
	       (double)m.delivery.max / 1000, hist_ms(&m.ack, 0.5), hist_ms(&m.ack, 0.99), (double)m.ack.max / 1000);
	printf("\"cpu\":{");
	for (size_t k = 0; k <= cpu_n; k++) {
		double s = (double)(b->cpu[k].ns - a->cpu[k].ns) / 1e9;

		known += s;
		printf("%s\"%s\":%.4f", k ? "," : "", b->cpu[k].name, s);
	}
	printf("},\"other_cpu\":%.2f,\"stolen\":%.2f,\"series\":[", (double)(b->busy - a->busy) / 1e9 - known,
	       (double)(b->stolen - a->stolen) / 1e9);
	for (int k = 0; k < SERIES_MAX && (m.to - m.from) / 1000000 > k; k++)
		printf("%s%u", k ? "," : "", m.series[k]);
	printf("],\"trouble\":\"%s\"}\n", m.trouble);
}
