-- Roles (doc/roles.md): who stands above whom, what guests may know of, and what the audit log keeps.

-- actor 0: the pulsechat command.
CREATE OR REPLACE FUNCTION acting_of(actor bigint, admin boolean, request text, address text) RETURNS acting LANGUAGE sql IMMUTABLE AS $$
	SELECT ROW(nullif(actor, 0), admin, request, nullif(address, ''))::acting
$$;

CREATE OR REPLACE FUNCTION role_rank(role text) RETURNS int LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE role WHEN 'owner' THEN 3 WHEN 'admin' THEN 2 WHEN 'member' THEN 1 ELSE 0 END
$$;

CREATE OR REPLACE FUNCTION is_guest(person bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM users u WHERE u.id = person AND u.role = 'guest');
END $$;

-- The rank by which somebody acts on the site: 3 owner, 2 admin, else 0. The pulsechat command stands where an owner does.
CREATE OR REPLACE FUNCTION acting_rank(who acting) RETURNS int LANGUAGE plpgsql STABLE AS $$
BEGIN
	IF NOT who.admin THEN
		RETURN 0;
	ELSIF who.user_id IS NULL THEN
		RETURN 3;
	END IF;
	RETURN coalesce((SELECT role_rank(u.role) FROM users u
		WHERE u.id = who.user_id AND u.role IN ('owner', 'admin') AND u.deactivated_at IS NULL), 0);
END $$;

-- Whether two people share a channel. From the one with fewer memberships it is the quicker.
CREATE OR REPLACE FUNCTION share_channel(one bigint, other bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN EXISTS (SELECT FROM members a JOIN members b ON b.channel_id = a.channel_id WHERE a.user_id = one AND b.user_id = other);
END $$;

-- Whether somebody may know of a person: everyone of everyone, but a guest only of those with whom he shares a channel, and of
-- those who have said something in one of his.
CREATE OR REPLACE FUNCTION knows_person(viewer bigint, person bigint) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN viewer = person OR NOT is_guest(viewer) OR share_channel(viewer, person) OR EXISTS (
		SELECT FROM members m WHERE m.user_id = viewer AND EXISTS (
			SELECT FROM messages o WHERE o.channel_id = m.channel_id AND o.sender = person));
END $$;

-- A channel's kind as somebody sees it who may not be in it: for a guest a public one is as closed as any other.
CREATE OR REPLACE FUNCTION kind_for(kind text, member_role text, viewer bigint) RETURNS text LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN kind = 'public' AND member_role IS NULL AND is_guest(viewer) THEN 'private' ELSE kind END
$$;

-- The lowest seq of a channel that somebody may see; 1 where he is not in: then others judge whether he may see anything.
CREATE OR REPLACE FUNCTION visible_from(channel bigint, who bigint) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
BEGIN
	RETURN coalesce((SELECT m.first_seq FROM members m WHERE m.channel_id = channel AND m.user_id = who), 1);
END $$;

-- One line of the audit log. Never a message's text nor a secret.
CREATE OR REPLACE FUNCTION audit_add(who acting, action text, target bigint, channel bigint, details jsonb DEFAULT '{}') RETURNS void
LANGUAGE sql VOLATILE AS $$
	INSERT INTO audit (at, actor, action, target, channel_id, details, request_id, address)
	VALUES (clock_timestamp(), who.user_id, action, target, channel, jsonb_strip_nulls(details), who.request, who.address)
$$;
