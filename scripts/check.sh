#!/usr/bin/env bash
# Types (one compiler run per realm), lint, format. No build graph to understand.
set -euo pipefail
cd "$(dirname "$0")/.."

realms=(src src/platform/web src/platform/node src/app src/server src/cli src/eval workers workers/audio test test/app test/browser test/page scripts)
node scripts/compile-messages.mjs
# Lint takes as long as all the types: both at once.
lint=$(mktemp)
npx --no-install eslint --max-warnings 0 . >"$lint" 2>&1 &
linting=$!
trap 'kill $linting 2>/dev/null || true; rm -f "$lint"' EXIT
for realm in "${realms[@]}"; do
  [ -f "$realm/tsconfig.json" ] || continue
  # A realm that nobody has moved into yet has no files; the compiler would call that an error.
  find "$realm" \( -name '*.ts' -o -name '*.svelte' \) -print -quit | grep -q . || continue
  npx --no-install tsc -p "$realm" || { echo "types: $realm" >&2; exit 1; }
done
if [ -f src/app/App.svelte ]; then npx --no-install svelte-check --tsconfig src/app/tsconfig.json --fail-on-warnings --output human; fi
npx --no-install prettier --check --log-level warn .
wait $linting || { cat "$lint" >&2; exit 1; }
