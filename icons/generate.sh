#!/usr/bin/env bash
# Draws every committed picture of the app's mark again from tokenry.svg. Needs rsvg-convert (librsvg2-bin),
# convert (imagemagick) and png2icns (icnsutils). Nothing but a change of the drawing makes it necessary.
set -euo pipefail
cd "$(dirname "$0")"

draw() { rsvg-convert --width "$2" --height "$2" "$1" --output "$3"; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

draw tokenry.svg 32 32x32.png
draw tokenry.svg 128 128x128.png
draw tokenry.svg 256 128x128@2x.png
draw tokenry.svg 512 icon.png
draw tokenry.svg 64 tray.png

# The tray's mark while the vault is locked: the same shape, without its colour.
sed -e 's/#0f766e/#5f6368/' -e 's/#ffd166/#dadce0/' -e 's/#0b3b38/#303134/' tokenry.svg > "$scratch/locked.svg"
draw "$scratch/locked.svg" 64 tray-locked.png

for size in 16 24 32 48 64 128 256 512; do draw tokenry.svg "$size" "$scratch/$size.png"; done
convert "$scratch"/{16,24,32,48,64,256}.png icon.ico
png2icns icon.icns "$scratch"/{16,32,48,128,256,512}.png > /dev/null
