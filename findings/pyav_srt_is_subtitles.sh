#!/usr/bin/env bash
# PyAV's wheels (18.1.0) and SRT, the transport that live production sends pictures by.
#
# One would guess that a wheel whose list of formats holds "srt" opens srt:// addresses, as FFmpeg on most
# systems does. In fact that format is SubRip, the subtitles; the protocols SRT and RIST are not built in.
# RTMP, RTMPS and RTSP are: nobody listens at these ports, and so the connection is refused.
#
# Output seen:
#   format srt: SubRip subtitle
#   srt://: ProtocolNotFoundError
#   rist://: ProtocolNotFoundError
#   rtmp://: ConnectionRefusedError
#   rtmps://: ConnectionRefusedError
#   rtsp://: ConnectionRefusedError
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/env"
"$work/env/bin/python" -m pip install --quiet av==18.1.0
"$work/env/bin/python" - <<'END' 2>/dev/null | tee "$work/seen"
import socket

import av

print("format srt:", av.ContainerFormat("srt").long_name)
with socket.socket() as taken:
    taken.bind(("127.0.0.1", 0))
    port = taken.getsockname()[1]
for scheme in ("srt", "rist", "rtmp", "rtmps", "rtsp"):
    try:
        av.open(f"{scheme}://127.0.0.1:{port}/live", timeout=10)
    except Exception as error:
        print(f"{scheme}://:", type(error).__name__)
END
diff "$work/seen" - <<'END'
format srt: SubRip subtitle
srt://: ProtocolNotFoundError
rist://: ProtocolNotFoundError
rtmp://: ConnectionRefusedError
rtmps://: ConnectionRefusedError
rtsp://: ConnectionRefusedError
END
echo "as stated"
