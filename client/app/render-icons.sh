#!/bin/sh
# Renders the PNG icons from the SVG ones with Chromium. Run it after changing an SVG.
set -eu
cd "$(dirname "$0")/assets"
profile=$(mktemp -d)
trap 'rm -rf "$profile"' EXIT
for size in 192 512; do
  for name in icon icon-maskable; do
    page="$profile/$name-$size.html"
    printf '<style>html,body{margin:0;background:none;overflow:hidden}img{display:block;width:%spx;height:%spx}</style><img src="file://%s/%s.svg">' \
      "$size" "$size" "$PWD" "$name" >"$page"
    # The window is larger than the picture: Chromium's own minimum would cut it.
    chromium --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
      --disable-background-networking --disable-component-update --disable-sync \
      --user-data-dir="$profile/data" --default-background-color=00000000 --hide-scrollbars \
      --window-size="$size,$size" --screenshot="$PWD/$name-$size.png" "file://$page" >/dev/null 2>&1
  done
done
