# embed: writes sql/ as C. mode=statements: the named statements of sql/queries/ as an enum (to the file `header`) and a table;
# mode=files: migrations and functions as a table of texts.
# A statement starts with `-- name: NAME`, then `-- in: name type, …` and `-- out: name type, …` (either may be absent, or
# go on in a second line of its kind).

function quote(s) {
	gsub(/\\/, "\\\\&", s)
	gsub(/"/, "\\\"", s)
	gsub(/\t/, "\\t", s)
	return "\"" s "\\n\""
}

function end_statement() {
	if (name == "")
		return
	printf "\t{\"%s\", \"%s\", \"%s\",\n%s\t},\n", name, ins, outs, body
	names[++count] = name
	name = ""
}

function types_of(list, parts, n, i, words, result) {
	n = split(list, parts, /, */)
	result = ""
	for (i = 1; i <= n; i++) {
		split(parts[i], words, / +/)
		gsub(/"/, "\\\"", words[2])
		result = result (i > 1 ? "," : "") words[2]
	}
	return result
}

BEGIN {
	print "/* Made by sql/embed.awk; not to be edited. */"
	if (mode == "statements")
		print "#include \"lib/db/stmt.h\"\nconst struct stmt stmts[] = {"
	else
		print "#include \"lib/db/migrations.h\"\nconst struct sql_file sql_files[] = {"
}

mode == "statements" && /^-- name: / {
	end_statement()
	name = $3
	ins = outs = body = ""
	next
}
mode == "statements" && /^-- in: / { ins = ins (ins == "" ? "" : ",") types_of(substr($0, 8)); next }
mode == "statements" && /^-- out: / { outs = outs (outs == "" ? "" : ",") types_of(substr($0, 9)); next }
mode == "statements" && name != "" && !/^ *--/ && NF { body = body "\t\t" quote($0) "\n" }

mode == "files" && FNR == 1 {
	if (NR > 1)
		print "\t},"
	printf "\t{\"%s\",\n", FILENAME
}
mode == "files" { printf "\t\t%s\n", quote($0) }

END {
	if (mode == "statements") {
		end_statement()
		print "};\nconst int stmts_count = sizeof(stmts) / sizeof(stmts[0]);"
		print "/* Made by sql/embed.awk; not to be edited. */\n#pragma once\nenum stmt_id {" > header
		for (i = 1; i <= count; i++)
			printf "\tSTMT_%s,\n", names[i] > header
		print "\tSTMT_COUNT\n};" > header
	} else {
		if (NR)
			print "\t},"
		print "\t{0},\n};"
	}
}
