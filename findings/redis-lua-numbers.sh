#!/usr/bin/env bash
# Redis' Lua: cjson keeps 14 digits of an integer, and a script returns another number than the one the key holds.
#
# Guessed: a double carries integers up to 2^53, so 1764324000123456 (a time in microseconds) survives cjson and tostring, and
# what INCRBY gives inside a script is what the key holds.
# Seen 2026-11-28, redis 7.0.15 of Debian 12 (redis-tools and redis-server 5:7.0.15-1~deb12u10):
#   cjson.encode(cjson.decode('{"c":1764324000123456}'))   {"c":1.7643240001235e+15}; an empty array comes back as {}
#   tostring(1764324000123456)                              1.7643240001235e+15
#   redis.call("SET", k, 1764324000123456)                  exact; but 0.1 is stored as 0.10000000000000001
#   return redis.call("INCRBY", n, "9007199254740993")      returns ...992, the key holds ...993
#   INCRBYFLOAT of 0.1 and 0.2                              0.3, and ZINCRBY 0.30000000000000004
# Means for us: times in microseconds and ids pass through a script as text or packed bytes, never through cjson.
set -euo pipefail
dir=$(mktemp -d); server=; trap '[ -z "$server" ] || { kill "$server"; wait "$server" 2>/dev/null || true; }; rm -rf "$dir"' EXIT
(cd "$dir" && apt-get -qq download redis-tools=5:7.0.15-1~deb12u10 liblzf1 libjemalloc2 2>/dev/null)
for package in "$dir"/*.deb; do dpkg-deb -x "$package" "$dir/root"; done
export LD_LIBRARY_PATH="$dir/root/usr/lib/x86_64-linux-gnu"
cli() { "$dir/root/usr/bin/redis-cli" -s "$dir/socket" "$@"; }
cp "$dir/root/usr/bin/redis-check-rdb" "$dir/redis-server"  # one program, told apart by its name
"$dir/redis-server" --port 0 --unixsocket "$dir/socket" --dir "$dir" --save '' >/dev/null & server=$!
for _ in $(seq 100); do [ -S "$dir/socket" ] && break; sleep 0.1; done
want() {
  local expected=$1 got; shift
  got=$(cli "$@")
  echo "$* -> $got"
  [ "$got" = "$expected" ] || { echo "expected $expected" >&2; exit 1; }
}
want '{"c":1.7643240001235e+15}' EVAL 'return cjson.encode(cjson.decode(ARGV[1]))' 0 '{"c":1764324000123456}'
want '{"b":{}}' EVAL 'return cjson.encode(cjson.decode(ARGV[1]))' 0 '{"b":[]}'
want '1.7643240001235e+15' EVAL 'return tostring(1764324000123456)' 0
want 1764324000123456 EVAL 'redis.call("SET", "k", 1764324000123456) return redis.call("GET", "k")' 0
want 0.10000000000000001 EVAL 'redis.call("SET", "k", 0.1) return redis.call("GET", "k")' 0
want 9007199254740992 EVAL 'return redis.call("INCRBY", "n", ARGV[1])' 0 9007199254740993
want 9007199254740993 GET n
want 0.1 INCRBYFLOAT f 0.1
want 0.3 INCRBYFLOAT f 0.2
want 0.10000000000000001 ZINCRBY z 0.1 m
want 0.30000000000000004 ZINCRBY z 0.2 m
