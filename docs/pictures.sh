#!/usr/bin/env bash
# The pictures in docs/pictures/, of the bundled sample: make pictures. Needs LibreOffice, pdftoppm and Chromium.
set -euo pipefail
cd "$(dirname "$0")/.."
made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
export SOURCE_DATE_EPOCH=1577836800 PROBESHEETS_DUCKDB="$made/pictures.duckdb"
.venv/bin/probesheets run --out "$made/out" --quiet
.venv/bin/probesheets export --only pages --out "$made/pages" --quiet

# picture NAME FILE DPI WIDTH HEIGHT: the top left of a workbook's first page, as it prints; the size is in pixels
picture() {
  soffice --headless -env:UserInstallation="file://$made/profile" --convert-to pdf --outdir "$made" "$2" >/dev/null 2>&1
  pdftoppm -png -r "$3" -x 20 -y 20 -W "$4" -H "$5" -singlefile "$made/$(basename "${2%.xlsx}").pdf" "docs/pictures/$1"
}

# screenshot NAME FILE: a page in a browser
screenshot() {
  chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$made/chromium" --window-size=1000,700 \
    --screenshot="$PWD/docs/pictures/$1.png" "file://$2" >/dev/null 2>&1
}

mkdir -p docs/pictures
picture with_links "$(ls "$made"/out/with_links/masks-are-96*.xlsx)" 110 860 240
picture left_out "$made/out/left_out.xlsx" 90 860 240
picture links "$made/out/links.xlsx" 90 860 200
picture index "$made/out/index.xlsx" 75 780 560
screenshot pages "$(ls "$made"/pages/pages/masks-are-96*.html)"
du -ck docs/pictures/*.png | tail -1
