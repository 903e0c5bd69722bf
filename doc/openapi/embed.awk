# embed: writes doc/openapi.json as C, without its indentation.
BEGIN {
	print "/* Made by doc/openapi/embed.awk; not to be edited. */"
	print "#include \"fcgi/openapi.h\"\nconst char openapi_json[] ="
}
{
	gsub(/^\t+/, "")
	gsub(/\\/, "\\\\&")
	gsub(/"/, "\\\"")
	printf "\t\"%s\"\n", $0
}
END { print "\t;\nconst size_t openapi_json_n = sizeof(openapi_json) - 1;" }
