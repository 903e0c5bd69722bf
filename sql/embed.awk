# embed: sql/ as C tables. See the Makefile.
BEGIN{}
