# emoji: writes the table of lib/chat/emoji.c from Unicode's emoji-test.txt, sorted by key: each emoji that is recommended for general
# interchange (RGI) in its full form, under the same without its variation selectors (U+FE0F).

function byte(n) {
	return sprintf("\\%03o", n)
}

function utf8(code) {
	if (code < 128)
		return byte(code)
	if (code < 2048)
		return byte(192 + int(code / 64)) byte(128 + code % 64)
	if (code < 65536)
		return byte(224 + int(code / 4096)) byte(128 + int(code / 64) % 64) byte(128 + code % 64)
	return byte(240 + int(code / 262144)) byte(128 + int(code / 4096) % 64) byte(128 + int(code / 64) % 64) byte(128 + code % 64)
}

function number(hex, i, n) {
	n = 0
	for (i = 1; i <= length(hex); i++)
		n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
	return n
}

BEGIN {
	sort = "LC_ALL=C sort"
	print "#include \"lib/chat/emoji_table.h\"\n\nconst struct emoji_entry emoji_table[] = {"
	fflush()
}
/^# Version:/ {
	version = $3
}
/; (fully-qualified|component) / {
	full = key = ""
	for (i = 1; $i != ";"; i++) {
		full = full utf8(number($i))
		if ($i != "FE0F")
			key = key utf8(number($i))
	}
	printf "\t{\"%s\", \"%s\"},\n", key, full | sort
	count++
}
END {
	close(sort)
	printf "};\nconst size_t emoji_count = %d;\nconst char emoji_unicode[] = \"%s\";\n", count, version
	if (count < 3000 || version == "")
		exit 1
}
