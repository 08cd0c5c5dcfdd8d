# What the end-to-end scripts share. Sourced; each script prints the commands that it runs and the figures that came out.
# DIFFCERT: the command to test (default: bin/diffcert of this checkout). WORK: where files go (default: a new temporary folder).
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.." && pwd)
SHARED=$ROOT/../shared
# All ten thousand test digits, where they are; else the repository's first thousand.
DIGITS=$ROOT/data/mnist
[ ! -d "$SHARED/data/mnist" ] || DIGITS=$SHARED/data/mnist
DIFFCERT=${DIFFCERT:-$ROOT/bin/diffcert}
CLASSES=${DIFFCERT_JAR:-$ROOT/java/diffcert-cli/target/diffcert.jar}
if [ -z "${WORK:-}" ]; then
  WORK=$(mktemp -d)
  trap 'rm -rf "$WORK"' EXIT
fi
FAILED=0

# Runs diffcert and shows the command, shortened by the folders that nobody needs to read.
d() {
  local line="diffcert $*"
  line=${line//$WORK\//}
  line=${line//$ROOT\//}
  printf '$ %s\n' "$line" >&2
  $DIFFCERT "$@"
}

fail() { printf 'FAILED: %s\n' "$*"; FAILED=$((FAILED + 1)); }

# compare ARGUMENTS: the numeric comparisons, in Java because a JDK is always here.
compare() { java -cp "$CLASSES" "$ROOT/tests/end-to-end/Compare.java" "$@" || fail "compare $1"; }

# A log without what may differ between two runs of one job.
timeless() { sed 's/"time":{[^}]*}//' "$1"; }

finish() {
  if [ "$FAILED" -gt 0 ]; then printf '%s failed\n' "$FAILED"; exit 1; fi
  echo "all passed"
}
