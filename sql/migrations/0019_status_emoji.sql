-- A status' emoji may be `:name:` of a custom one, whose name has up to 32 characters.

ALTER TABLE user_settings DROP CONSTRAINT user_settings_status_emoji_check,
	ADD CONSTRAINT user_settings_status_emoji_check CHECK (length(status_emoji) BETWEEN 1 AND 34);
