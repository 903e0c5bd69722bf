-- Who follows a thread, asked where its first reply comes: by the thread, whose channel may have many members.

CREATE INDEX thread_followers_thread_idx ON thread_followers (channel_id, root) WHERE following;
