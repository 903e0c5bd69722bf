-- For write_batch: whether anybody in a batch is deactivated, without a look at everybody's row.
CREATE INDEX users_deactivated_idx ON users (id) WHERE deactivated_at IS NOT NULL;
