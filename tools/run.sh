#!/bin/sh
# `make run`: the window with the sample, or, without a display, the same job headless with a report and a screenshot.
set -eu
workbench="$VENV/bin/workbench"
if [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || [ "$(uname -s)" = Darwin ]; then
    exec "$workbench" "$SAMPLE"
fi
mkdir -p "$OUT"
OUT=$(cd "$OUT" && pwd)
export WORKBENCH_HOME="${WORKBENCH_HOME:-$OUT/home}" QT_QPA_PLATFORM=offscreen OMP_WAIT_POLICY=PASSIVE
echo "There is no display: comparing precisions on $SAMPLE without a window."
"$workbench" compare "$SAMPLE" --backends openvino,onnxruntime --precisions fp32,bf16,fp16,int8 --seconds 2 \
    --report "$OUT/report.html"
"$workbench" "$SAMPLE" --screenshot "$OUT/window.png"
echo "Report:     $OUT/report.html"
echo "Screenshot: $OUT/window.png"
