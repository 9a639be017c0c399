#!/usr/bin/env bash
# Writes, builds, checks and tests the same provider in each language, in an empty folder, as its author would: with the program
# alone. Takes cargo, node with npm, and their registries.
#
#   tests/languages.sh target/release/perennial
set -euo pipefail
program=$(realpath "$1")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for language in table rust javascript; do
    mkdir "$language"
    (
        cd "$language"
        "$program" plugin new nimbus --language "$language"
        case $language in
            table) file=nimbus/nimbus.toml ;;
            javascript) file=nimbus/nimbus.wasm; (cd nimbus && npm install --silent --no-audit --no-fund) ;;
            *) file=nimbus/nimbus.wasm ;;
        esac
        "$program" plugin build nimbus
        "$program" plugin check "$file"
        "$program" plugin test "$file"
        echo "$language: $(sha256sum "$file" | cut -c1-64)"
        "$program" plugin bench "$file"
    )
    cmp "$language/nimbus/cases.toml" table/nimbus/cases.toml
done
