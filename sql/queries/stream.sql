-- The writer's and the stream's own statements.

-- name: write_batch
-- in: channels int8[], hints int8[], kind "char"[], room int4[], nth int4[], sender int8[], client uuid[], digest bytea[], epoch int8[]
-- in: body text[], tail text[], ends int4[], look bool, wait bool, naming int4[], named int8[], filing int4[], files int8[]
-- in: replying int4[], roots int8[], calling int4[], calls int8[], referring int4[], referred int8[]
-- out: status int4, seq int8, id int8, event int8, at_us int8
SELECT status, seq, id, event, at_us FROM write_batch($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
	$19, $20, $21, $22, $23, $24);

-- name: stream_open
-- in: force bool
-- out: mark text
SELECT stream_open($1);

-- name: events_extend
-- out: ahead int4
SELECT events_extend();

-- name: end_holders
-- in: channels int8[]
-- out: ended int4
SELECT end_holders($1);
