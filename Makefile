# PulseChat: one non-recursive Makefile. Objects go to build/<variant>/; variants: plain, asan (ASan+UBSan), faults (asan with
# the fault points of lib/base/fault.h), tsan, clang.
# `make` builds the plain variant and links the three programs at build/.

VARIANT ?= plain
PREFIX  ?= /usr/local
STATE   ?= var
PORT    ?= 8080
B       := build/$(VARIANT)

PKGS    := libpq libcurl openssl jansson yajl libuv libargon2 libsodium libutf8proc expat libmagic libxml-2.0
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
WARN    := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla -Wformat=2 -Wundef
CFLAGS_plain := -O2 -g -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
LDFLAGS_plain := -pie -Wl,-z,relro,-z,now
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_asan := -fsanitize=address,undefined
CFLAGS_faults := $(CFLAGS_asan) -DPULSECHAT_FAULTS
LDFLAGS_faults := $(LDFLAGS_asan)
CFLAGS_tsan := -O1 -g -fsanitize=thread
LDFLAGS_tsan := -fsanitize=thread
CFLAGS_clang := -O2 -g
LDFLAGS_clang :=
# what tests/support/fuzz.sh links its targets with
CFLAGS_fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
LDFLAGS_fuzz := -fsanitize=address,undefined
ifneq ($(filter $(VARIANT),clang fuzz),)
CC := clang
endif
CPPFLAGS_ALL = -I. -I$(B) -isystem /usr/share/include/llhttp -D_GNU_SOURCE $(shell pkg-config --cflags $(PKGS) 2>/dev/null) $(CPPFLAGS)
CFLAGS_ALL = -std=gnu17 $(WARN) $(CFLAGS_$(VARIANT)) $(CFLAGS)
LDFLAGS_ALL = $(LDFLAGS_$(VARIANT)) $(LDFLAGS)
LIBS_COMMON := $(shell pkg-config --libs libpq libcurl openssl jansson yajl libargon2 libsodium libutf8proc expat libmagic libxml-2.0 2>/dev/null) -linih -lpthread
LIBS_api := -lfcgi
LIBS_realtime := $(shell pkg-config --libs libuv 2>/dev/null) -lwslay

LIB_SRC := $(wildcard lib/*/*.c)
CLI_SRC := $(filter lib/cli/%,$(LIB_SRC))
LIB_SRC := $(filter-out lib/cli/%,$(LIB_SRC))
API_SRC := $(wildcard fcgi/*.c)
RT_SRC  := $(wildcard ws/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
DB_SRC  := $(wildcard tests/db/test_*.c)
# llhttp comes as sources, in Debian's package node-llhttp
LLHTTP  := /usr/share/llhttp
LLHTTP_OBJ := $(addprefix $(B)/llhttp/,api.o http.o llhttp.o)
GEN_SRC := $(B)/gen/stmt_table.c $(B)/gen/migration_table.c $(B)/gen/emoji_table.c
# Debian's package unicode-data
UNICODE_EMOJI := /usr/share/unicode/emoji/emoji-test.txt

LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o) $(GEN_SRC:.c=.o)
API_OBJ := $(API_SRC:%.c=$(B)/%.o) $(B)/gen/openapi.o
RT_OBJ  := $(RT_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
DB_HELP := $(patsubst %.c,$(B)/%.o,$(filter-out $(DB_SRC),$(wildcard tests/db/*.c)))
UNIT_BIN := $(UNIT_SRC:%.c=$(B)/%)
DB_BIN  := $(DB_SRC:%.c=$(B)/%)
PROGRAMS := $(B)/pulsechat-api $(B)/pulsechat-realtime $(B)/pulsechat

.PHONY: all programs variant unit-bins db-bins files-bins bench-bins soak clean format openapi lint run check check-long bench fuzz install client
.DELETE_ON_ERROR:
.SECONDARY:

all: programs
ifeq ($(VARIANT),plain)
programs: build/pulsechat-api build/pulsechat-realtime build/pulsechat
build/%: build/plain/%
	@ln -f $< $@
else
programs: $(PROGRAMS)
endif
unit-bins: $(UNIT_BIN)
db-bins: $(DB_BIN)

ifeq ($(V),1)
Q :=
else
Q := @
endif

# --- generated: the named statements, the migrations and the functions of sql/ as C tables; the description of the REST interface
$(B)/gen/stmt_table.c: sql/embed.awk $(wildcard sql/queries/*.sql)
	@mkdir -p $(@D)
	$(Q)awk -v mode=statements -v header=$(B)/gen/stmt_ids.h -f sql/embed.awk $(sort $(wildcard sql/queries/*.sql)) > $@
$(B)/gen/stmt_ids.h: $(B)/gen/stmt_table.c ;
$(B)/gen/migration_table.c: sql/embed.awk $(wildcard sql/migrations/*.sql) $(wildcard sql/functions/*.sql)
	@mkdir -p $(@D)
	$(Q)awk -v mode=files -f sql/embed.awk $(sort $(wildcard sql/migrations/*.sql)) $(sort $(wildcard sql/functions/*.sql)) > $@
# --- and which sequences are emoji
$(B)/gen/emoji_table.c: lib/chat/emoji.awk $(UNICODE_EMOJI)
	@mkdir -p $(@D)
	$(Q)awk -f lib/chat/emoji.awk $(UNICODE_EMOJI) > $@

$(B)/gen/openapi.c: doc/openapi/embed.awk doc/openapi.json
	@mkdir -p $(@D)
	$(Q)awk -f doc/openapi/embed.awk doc/openapi.json > $@

$(B)/%.o: %.c | $(B)/gen/stmt_ids.h
	@mkdir -p $(@D)
	@echo '  CC $@'
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<
$(B)/gen/%.o: $(B)/gen/%.c
	@echo '  CC $@'
	$(Q)$(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

$(B)/libpulsechat.a: $(LIB_OBJ)
	@rm -f $@
	$(Q)ar rcs $@ $^
$(B)/pulsechat-api: $(API_OBJ) $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_COMMON) $(LIBS_api)
$(B)/llhttp/%.o: $(LLHTTP)/%.c
	@mkdir -p $(@D)
	@echo '  CC $@'
	$(Q)$(CC) -I/usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1 $(CFLAGS_$(VARIANT)) -O2 -w -c -o $@ $<
$(B)/pulsechat-realtime: $(RT_OBJ) $(LLHTTP_OBJ) $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_COMMON) $(LIBS_realtime)
$(B)/pulsechat: $(CLI_OBJ) $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_COMMON)

# A unit test may need objects of fcgi/ or ws/: it names them in a line `// needs: fcgi/route.o`.
$(B)/tests/unit/%: $(B)/tests/unit/%.o $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $< $(addprefix $(B)/,$(shell sed -n 's|^// needs: ||p' tests/unit/$*.c)) $(B)/libpulsechat.a $(LIBS_COMMON) -lcmocka -lm
$(B)/tests/unit/test_http_head: $(B)/ws/http_head.o $(LLHTTP_OBJ)
$(B)/tests/unit/test_ws_frames: $(B)/ws/ws_frames.o
$(B)/tests/unit/test_ws_frames: LIBS_COMMON += -lwslay
# Tests against a real PostgreSQL (tests/db/run.sh).
$(B)/tests/db/%: $(B)/tests/db/%.o $(DB_HELP) $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_COMMON) -lcmocka

# lib/store at the hand of tests/files
FILES_BIN := $(B)/tests/files/store_tool
files-bins: $(FILES_BIN)
$(FILES_BIN): $(B)/tests/files/store_tool.o $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_COMMON)

# --- measuring (tests/bench)
BENCH_BIN := $(B)/tests/bench/load $(B)/tests/bench/floor $(B)/tests/bench/listener
LOAD_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/bench/load_*.c))
bench-bins: $(BENCH_BIN) $(B)/tests/bench/presign
$(B)/tests/bench/presign: $(B)/tests/bench/presign.o $(B)/libpulsechat.a
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ $(LIBS_COMMON)
$(B)/tests/bench/load: $(LOAD_OBJ)
$(BENCH_BIN): $(B)/tests/bench/%: $(B)/tests/bench/%.o $(B)/tests/bench/net.o
	@echo '  LD $@'
	$(Q)$(CC) $(LDFLAGS_ALL) -o $@ $^ -lcrypto -lpq
bench: programs bench-bins
	@conf/run/npm.sh tests/devidp tests
	@node tests/bench/run.mjs $(BENCH)
# Random faults under load, then a comparison of what each client got with the table: make soak SECONDS=600 SEED=1
soak: programs
	@conf/run/npm.sh tests/devidp tests
	@node tests/chaos/soak.mjs --variant $(VARIANT) --seconds $(or $(SECONDS),600) $(if $(SEED),--seed $(SEED))

clean:
	rm -rf build

format:
	clang-format -i $(wildcard lib/*/*.[ch] fcgi/*.[ch] ws/*.[ch] tests/*/*.[ch])

# doc/openapi.json of its sources (doc/openapi/README.md); by Node, so it is kept
openapi:
	node doc/openapi/build.mjs

-include $(LIB_OBJ:.o=.d) $(API_OBJ:.o=.d) $(RT_OBJ:.o=.d) $(CLI_OBJ:.o=.d) $(UNIT_BIN:=.d) $(DB_BIN:=.d) $(FILES_BIN:=.d) $(DB_HELP:.o=.d) $(BENCH_BIN:=.d) $(B)/tests/bench/presign.d $(LOAD_OBJ:.o=.d) $(B)/tests/bench/net.d

# --- the web client, by npm and its lock file
CLIENT_SRC := $(shell find htdocs -name node_modules -prune -o -type f -print 2>/dev/null)
client: build/htdocs/.stamp
build/htdocs/.stamp: $(CLIENT_SRC)
	conf/run/npm.sh htdocs
	cd htdocs && OUT="$(CURDIR)/build/htdocs" npm run --silent build
	@touch $@

# --- running and testing: conf/run/ and tests/support/ hold what these do
run:
	@exec conf/run/run.sh "$(STATE)" "$(PORT)"
check:
	@tests/support/check.sh check
check-long:
	@tests/support/check.sh long
lint:
	@tests/support/check.sh lint
fuzz:
	@tests/support/fuzz.sh $(or $(SECONDS),300)

# --- installing: make install [PREFIX=/usr/local] [SYSCONFDIR=/etc] [DESTDIR=]
SYSCONFDIR ?= /etc
SHARE = $(DESTDIR)$(PREFIX)/share/pulsechat
UNITS = $(DESTDIR)$(PREFIX)/lib/systemd/system
install: programs client
	install -d $(DESTDIR)$(PREFIX)/bin $(SHARE)/htdocs/assets $(UNITS) $(DESTDIR)$(SYSCONFDIR)/pulsechat
	install -d $(SHARE)/lighttpd/errors $(SHARE)/nginx $(SHARE)/apache $(SHARE)/cgi $(SHARE)/s3
	install -m 755 build/pulsechat build/pulsechat-api build/pulsechat-realtime $(DESTDIR)$(PREFIX)/bin/
	find build/htdocs/assets -type f -exec install -m 644 -t $(SHARE)/htdocs/assets {} +
	find build/htdocs -maxdepth 1 -type f ! -name '.*' -exec install -m 644 -t $(SHARE)/htdocs {} +
	for file in lighttpd/*.conf nginx/*.conf apache/*.conf cgi/*.cgi; do \
		for from in conf/$$file; do \
			to="$(SHARE)/$${from#conf/}"; \
			sed -e 's|/usr/local/share/|$(PREFIX)/share/|' -e 's|/usr/local/bin/|$(PREFIX)/bin/|' \
				-e 's|/etc/pulsechat/|$(SYSCONFDIR)/pulsechat/|' "$$from" > "$$to" || exit 1; \
			case $$to in *.cgi) chmod 755 "$$to" ;; *) chmod 644 "$$to" ;; esac; \
		done; \
	done
	install -m 644 conf/s3/* $(SHARE)/s3/
	install -m 644 conf/lighttpd/errors/* $(SHARE)/lighttpd/errors/
	for unit in conf/systemd/pulsechat*; do \
		sed -e 's|@BINDIR@|$(PREFIX)/bin|' -e 's|@CONF@|$(SYSCONFDIR)/pulsechat/pulsechat.conf|' "$$unit" \
			> "$(UNITS)/$$(basename "$$unit")" || exit 1; \
	done
	install -m 644 conf/pulsechat.conf.example $(DESTDIR)$(SYSCONFDIR)/pulsechat/pulsechat.conf.example
	[ -e $(DESTDIR)$(SYSCONFDIR)/pulsechat/pulsechat.conf ] || \
		install -m 640 conf/pulsechat.conf.example $(DESTDIR)$(SYSCONFDIR)/pulsechat/pulsechat.conf
