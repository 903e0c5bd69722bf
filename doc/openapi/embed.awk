# embed: writes doc/openapi.json as C, without the white space between its parts.
BEGIN {
	print "/* Made by doc/openapi/embed.awk; not to be edited. */"
	print "#include \"fcgi/openapi.h\"\nconst char openapi_json[] ="
}
{
	# every other piece between quotes is inside a string, which no line end breaks; an escaped quote ends none
	n = split($0, piece, "\"")
	line = ""
	inside = 0
	for (i = 1; i <= n; i++) {
		if (!inside)
			gsub(/[ \t]/, "", piece[i])
		line = line (i > 1 ? "\"" : "") piece[i]
		match(piece[i], /\\*$/)
		if (!inside || RLENGTH % 2 == 0)
			inside = !inside
	}
	gsub(/\\/, "\\\\&", line)
	gsub(/"/, "\\\"", line)
	printf "\t\"%s\"\n", line
}
END { print "\t;\nconst size_t openapi_json_n = sizeof(openapi_json) - 1;" }
