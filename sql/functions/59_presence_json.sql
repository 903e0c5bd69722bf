-- How one person's presence looks to another, by what was published last.

CREATE OR REPLACE FUNCTION presence_json(viewer bigint, u users) RETURNS jsonb LANGUAGE sql STABLE AS $$
	SELECT jsonb_build_object('user', u.id, 'state', coalesce(p.state, 'offline'), 'last_active', time_text(p.last_active),
		'dnd', false, 'status', NULL)
	FROM (SELECT) one LEFT JOIN presence p ON p.user_id = u.id
$$;
