-- What people say of themselves: a name and a picture in place of what their provider says, which is kept beside them.

ALTER TABLE files DROP CONSTRAINT files_state_check,
	ADD CONSTRAINT files_state_check CHECK (state IN ('pending', 'checking', 'ready', 'attached', 'emoji', 'profile', 'erased'));

ALTER TABLE users ADD own_name boolean NOT NULL DEFAULT false, -- `name` is not what the provider says
	ADD provider_name text CHECK (length(provider_name) BETWEEN 1 AND 80), -- as it said last; null: there is none
	ADD own_picture bigint UNIQUE REFERENCES files;        -- shown in place of `picture`, which is the provider's

UPDATE users u SET provider_name = u.name WHERE EXISTS (SELECT FROM identities i WHERE i.user_id = u.id);
