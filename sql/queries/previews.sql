-- Previews of links: what pulsechat-api's thread for it, or `pulsechat maintain`, goes by (lib/preview/preview.c).

-- name: preview_claim
-- out: channel int8, seq int8, sender int8, said text
SELECT channel, seq, sender, said FROM preview_claim();

-- name: preview_page
-- in: hash bytea, host text, who int8, per_host int8, per_user int8
-- out: state text, preview text
SELECT state, preview::text AS preview FROM preview_page($1, $2, $3, $4, $5);

-- name: preview_page_keep
-- in: hash bytea, host text, who int8, preview text, ms int8
-- out: kept bool
SELECT preview_page_keep($1, $2, $3, $4::text::jsonb, $5) IS NULL AS kept;

-- name: preview_set
-- in: channel int8, seq int8, preview text, said text
-- out: set bool
SELECT preview_set($1, $2, $3::text::jsonb, $4) AS set;

-- name: preview_remove
-- in: channel int8, actor int8, seq int8
-- out: code text
SELECT preview_remove($1, $2, $3) AS code;

-- name: previews_sweep
-- out: n int8
SELECT previews_sweep() AS n;
