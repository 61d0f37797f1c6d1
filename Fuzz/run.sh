#!/usr/bin/env bash
# Fuzzes everything that reads bytes from strangers. Called by `make fuzz`.
#   run.sh 60s        each fuzzer for 60 seconds (the default)
#   run.sh 10000000   each fuzzer for ten million inputs
# FUZZERS="WebSocketFuzzer" chooses fuzzers; the default is all. An input that breaks something is kept in .build/fuzz
# and named at the end; run the fuzzer's program with its path to see it again.
set -euo pipefail
cd "$(dirname "$0")/.."
amount=${1:-60s}
case $amount in
    *[!0-9]*s | s) echo "usage: $0 SECONDSs | RUNS" >&2; exit 64 ;;
    *s) bound=-max_total_time=${amount%s} ;;
    *[!0-9]* | "") echo "usage: $0 SECONDSs | RUNS" >&2; exit 64 ;;
    *) bound=-runs=$amount ;;
esac
fuzzers=${FUZZERS:-$(cd Fuzz && echo *Fuzzer)}

scratch=.build/fuzz
export ODDSTREAM_FUZZ=1
# A crash would wait for the backtracer's questions, the standard library's caches look like leaks, and to keep where
# all memory came from takes a third of the time.
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=32:malloc_context_size=1
build=(swift build --configuration release --scratch-path "$scratch" -Xswiftc -sanitize=fuzzer,address)
# The default linker of some Linux systems stumbles over the debug information.
if command -v ld.lld >/dev/null; then build+=(-Xswiftc -use-ld=lld); fi
for fuzzer in $fuzzers; do
    "${build[@]}" --product "$fuzzer"
done
programs=$("${build[@]}" --show-bin-path)
for fuzzer in $fuzzers; do
    found=$scratch/corpus/$fuzzer
    mkdir -p "$found"
    case $fuzzer in
        MarketFrameFuzzer) seeds=(Tests/OddsCoreTests/Fixtures) ;;
        WebSocketFuzzer) seeds=("Fuzz/Corpus/$fuzzer") ;;
        *) seeds=() ;;  # its inputs are choices, not texts
    esac
    words=()
    if [ -f "Fuzz/Words/$fuzzer" ]; then words=(-dict="Fuzz/Words/$fuzzer"); fi
    echo "$fuzzer, $amount"
    # New inputs go into the first directory; those of the project are only read.
    "$programs/$fuzzer" "$bound" -max_len=2048 -timeout=10 -print_final_stats=1 "${words[@]}" \
        -artifact_prefix="$scratch/$fuzzer-" "$found" "${seeds[@]}"
done
