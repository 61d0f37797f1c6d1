#!/usr/bin/env bash
# Runs the Autobahn WebSocket test suite against our client and our server. Called by `make conformance`.
#
# The suite is not part of the project. Say where it is in one of two ways:
#   AUTOBAHN=SCRIPT   a script called as `SCRIPT server URL OUT` (tests the echo server at URL) and as
#                     `SCRIPT client PORT OUT` (a fuzzing server on PORT), which writes OUT/index.json
#   wstest on PATH    the suite's own command (PyPI: autobahntestsuite, for Python 2.7)
# CASES chooses cases, such as '"1.*","7.*"'; the default is 1-7, 9 without 9.9, and 10.
# Ends with 0 when every case passed, 1 when one failed, 69 when the suite cannot be had.
set -euo pipefail
cd "$(dirname "$0")/.."
export CASES=${CASES:-'"1.*","2.*","3.*","4.*","5.*","6.*","7.*","9.*","10.*"'}
export EXCLUDE=${EXCLUDE:-'"9.9.*"'}

if [ -z "${AUTOBAHN:-}" ] && ! command -v wstest >/dev/null; then
    echo "The Autobahn test suite was not found: install autobahntestsuite so that wstest is on the PATH," >&2
    echo "or set AUTOBAHN to a script that runs it (see the head of $0). Nothing was tested." >&2
    exit 69
fi
command -v python3 >/dev/null || { echo "python3 is needed to read the suite's report. Nothing was tested." >&2; exit 69; }

work=$(mktemp -d)
started=()
finish() {
    for pid in "${started[@]:-}"; do if [ -n "$pid" ]; then kill "$pid" 2>/dev/null || true; fi; done
    rm -rf "$work"
}
trap finish EXIT

# suite server URL OUT | suite client PORT OUT
suite() {
    if [ -n "${AUTOBAHN:-}" ]; then exec "$AUTOBAHN" "$@"; fi
    local common="\"outdir\":\"$3\",\"cases\":[$CASES],\"exclude-cases\":[$EXCLUDE],\"exclude-agent-cases\":{}"
    if [ "$1" = server ]; then
        echo "{\"servers\":[{\"agent\":\"oddstream\",\"url\":\"$2\"}],$common}" >"$work/$1.json"
        exec wstest -m fuzzingclient -s "$work/$1.json"
    fi
    echo "{\"url\":\"ws://127.0.0.1:$2\",$common}" >"$work/$1.json"
    exec wstest -m fuzzingserver -s "$work/$1.json"
}

# wait_until SECONDS PID COMMAND...: until the command succeeds; fails when the time or the process is over.
wait_until() {
    local end=$((SECONDS + $1)) pid=$2
    shift 2
    until "$@" 2>/dev/null; do
        if ! kill -0 "$pid" 2>/dev/null || [ $SECONDS -ge $end ]; then return 1; fi
        sleep 0.1
    done
}

# judge TITLE OUT: counts the verdicts and lists what did not pass.
judge() {
    python3 - "$1" "$2/index.json" <<'PY'
import collections, json, sys
failed = total = 0
verdicts = collections.Counter()
for cases in json.load(open(sys.argv[2])).values():
    for name, case in sorted(cases.items()):
        total += 1
        verdicts[case["behavior"]] += 1
        if not {case["behavior"], case["behaviorClose"]} <= {"OK", "INFORMATIONAL", "NON-STRICT"}:
            failed += 1
            print("  failed: case %s, %s, close %s" % (name, case["behavior"], case["behaviorClose"]))
counts = ", ".join("%d %s" % (count, verdict) for verdict, count in sorted(verdicts.items()))
print("%s: %d cases (%s), %d failed" % (sys.argv[1], total, counts, failed))
sys.exit(1 if failed or not total else 0)
PY
}

export ODDSTREAM_CONFORMANCE=1
build=(swift build --configuration "${CONFIGURATION:-debug}" ${TRAITS:+--traits "$TRAITS"})
"${build[@]}" --product WebSocketConformance
program=$("${build[@]}" --show-bin-path)/WebSocketConformance
verdict=0

"$program" server 0 >"$work/server.out" 2>&1 &
server=$!
started+=("$server")
wait_until 20 "$server" grep -q listening "$work/server.out" || { cat "$work/server.out" >&2; exit 1; }
url=ws://127.0.0.1:$(sed -n 's/^listening on //p' "$work/server.out")/
(suite server "$url" "$work/server-report") >"$work/suite.out" 2>&1 || { cat "$work/suite.out" >&2; exit 1; }
judge server "$work/server-report" || verdict=1

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
(suite client "$port" "$work/client-report") >"$work/suite.out" 2>&1 &
fuzzer=$!
started+=("$fuzzer")
wait_until 120 "$fuzzer" bash -c ": </dev/tcp/127.0.0.1/$port" || { cat "$work/suite.out" >&2; exit 1; }
"$program" client "$port"
judge client "$work/client-report" || verdict=1
exit $verdict
