# What the launchers share: the tools (installed where apt-get can), the Maven command, and a build that is skipped when nothing changed.
# Sourced by bin/diffcert and bin/test; ROOT is the checkout.
ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }

# The first JDK of version 17 or later: JAVA_HOME's, then the PATH's. Prints its home.
find_jdk() {
  local javac
  for javac in "${JAVA_HOME:+$JAVA_HOME/bin/javac}" "$(command -v javac)"; do
    [ -n "$javac" ] && [ -x "$javac" ] || continue
    [ "$("$javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p')" -ge 17 ] 2>/dev/null || continue
    dirname "$(dirname "$(readlink -f "$javac")")"
    return 0
  done
  return 1
}

# Makes sure of a JDK, a C++ compiler, CMake and make. On Debian and Ubuntu, as root or with sudo, what is missing is installed.
need_tools() {
  local missing=()
  find_jdk >/dev/null || missing+=(openjdk-17-jdk-headless)
  command -v g++ >/dev/null || missing+=(g++)
  command -v cmake >/dev/null || missing+=(cmake)
  command -v make >/dev/null || missing+=(make)
  if [ ${#missing[@]} -gt 0 ]; then
    local as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo)
    if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! sudo -n true 2>/dev/null; }; then
      say "diffcert needs ${missing[*]}: install them (Debian, Ubuntu: apt-get install ${missing[*]}) and run this again."
      exit 1
    fi
    say "diffcert: installing ${missing[*]} with apt-get (once, about a minute)"
    mkdir -p "$ROOT/target"
    if ! { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update &&
           "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
           >"$ROOT/target/apt.log" 2>&1 </dev/null; then
      tail -5 "$ROOT/target/apt.log" >&2
      say "diffcert: apt-get could not install ${missing[*]}; the log is target/apt.log."
      exit 1
    fi
  fi
  JAVA_HOME=$(find_jdk) || { say "diffcert: no JDK of version 17 or later was found."; exit 1; }
  export JAVA_HOME
}

# An installed Maven of version 3.8 or later, else the wrapper, which fetches one from Maven Central.
find_maven() {
  local version
  MAVEN=("$ROOT/mvnw")
  version=$(command -v mvn >/dev/null && mvn -v 2>/dev/null | sed -n 's/.*Apache Maven \([0-9]*\)\.\([0-9]*\).*/\1 \2/p' || true)
  if [ -n "$version" ]; then
    # shellcheck disable=SC2086
    set -- $version
    if [ "$1" -gt 3 ] || { [ "$1" = 3 ] && [ "$2" -ge 8 ]; }; then MAVEN=(mvn); fi
  fi
  MAVEN+=(--batch-mode --no-transfer-progress -f "$ROOT/pom.xml")
}

# run_logged LABEL LOG COMMAND...: a dot-free progress line on a terminal, silence elsewhere, the log's end when it fails.
run_logged() {
  local label=$1 log=$2 start=$SECONDS pid
  shift 2
  mkdir -p "$(dirname "$log")"
  say "$label (log: ${log#"$ROOT"/})"
  "$@" >"$log" 2>&1 </dev/null &
  pid=$!
  if [ -t 2 ]; then
    while kill -0 "$pid" 2>/dev/null; do
      printf '\r\033[K  %4d s  %.100s' $((SECONDS - start)) \
        "$(tail -n 1 "$log" 2>/dev/null | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g')" >&2
      sleep 1
    done
    printf '\r\033[K' >&2
  fi
  if wait "$pid"; then
    say "  done in $((SECONDS - start)) s"
  else
    local code=$?
    grep -E '^\[ERROR\]|error:|Error|FAIL' "$log" | head -20 >&2
    say "$label failed after $((SECONDS - start)) s; the whole log is ${log#"$ROOT"/}."
    return $code
  fi
}

# CUDA is told about, never required.
say_cuda() {
  if [ -d "$ROOT/cuda-kernels" ]; then
    command -v nvcc >/dev/null && say "CUDA: $(nvcc --version | tail -1)" || say "CUDA: no nvcc, skipped"
  else
    say "CUDA: this version has no CUDA part; everything runs on the CPU"
  fi
}
