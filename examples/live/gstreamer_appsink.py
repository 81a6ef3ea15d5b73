"""GStreamer to asdkit: who speaks in any pipeline with a picture and a sound.

python gstreamer_appsink.py PICTURE SOUND [OPTION=VALUE ...]

PICTURE and SOUND are what stands before the converters in a pipeline, as gst-launch-1.0 takes it,
such as v4l2src and pulsesrc. Who speaks is printed. docs/live-bridges.md has more of them.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Sequence

import gi
import numpy as np
from numpy.typing import NDArray

import asdkit

for name in ("Gst", "GstApp", "GstVideo"):
    gi.require_version(name, "1.0")
from gi.repository import Gst, GstApp, GstVideo  # noqa: E402 - their versions come first

RATE = 16_000
TO_RGB = "videoconvert ! queue ! video/x-raw,format=RGB ! appsink name=picture"
TO_SOUND = (
    "audioconvert ! audioresample ! queue ! "
    f"audio/x-raw,format=S16LE,channels=1,rate={RATE},layout=interleaved ! appsink name=sound"
)


def data(sample: Gst.Sample) -> bytes:
    """The bytes of a sample."""
    return sample.get_buffer().extract_dup(0, sample.get_buffer().get_size())


def rgb(sample: Gst.Sample) -> NDArray[np.uint8]:
    """(height, width, 3) uint8, RGB, without what fills up the rows."""
    info = GstVideo.VideoInfo.new_from_caps(sample.get_caps())
    layout = GstVideo.buffer_get_video_meta(sample.get_buffer()) or info
    shape, steps = (info.height, info.width, 3), (layout.stride[0], 3, 1)
    return np.ndarray(shape, np.uint8, data(sample), layout.offset[0], steps)


def seconds(sample: Gst.Sample) -> float:
    """When a sample is due: the running time, which picture and sound have in common."""
    time = sample.get_segment().to_running_time(Gst.Format.TIME, sample.get_buffer().pts)
    return time / Gst.SECOND


def pull(sink: GstApp.AppSink, hand_over: Callable[[Gst.Sample], None]) -> None:
    """Hand over all samples of a sink."""
    while (sample := sink.pull_sample()) is not None:
        hand_over(sample)


def main(words: Sequence[str]) -> None:
    """Play the pipeline and print who speaks."""
    picture, sound, *options = words
    Gst.init(None)
    pipeline = Gst.parse_launch(f"{picture} ! {TO_RGB}  {sound} ! {TO_SOUND}")
    feed = asdkit.LiveFeed()
    pulls = [
        threading.Thread(target=pull, args=(pipeline.get_by_name(name), hand_over))
        for name, hand_over in {
            "picture": lambda sample: feed.picture(rgb(sample), seconds(sample)),
            "sound": lambda sample: feed.sound(
                np.frombuffer(data(sample), "<i2"), RATE, seconds(sample)
            ),
        }.items()
    ]
    failed: list[str] = []

    def watch() -> None:
        ends = Gst.MessageType.EOS | Gst.MessageType.ERROR
        message = pipeline.get_bus().timed_pop_filtered(Gst.CLOCK_TIME_NONE, ends)
        if message.type == Gst.MessageType.ERROR:
            failed.append(message.parse_error()[0].message)
            pipeline.set_state(Gst.State.NULL)
        for thread in pulls:
            thread.join()
        feed.end()

    pipeline.set_state(Gst.State.PLAYING)  # before they pull: a sink that stands still has no more
    for thread in (*pulls, threading.Thread(target=watch, daemon=True)):
        thread.start()
    try:
        for event in asdkit.live(feed, options):
            if event.event in ("speaking", "silent"):
                surely = "" if event.certain else " (provisional)"
                print(f"{event.time_s:.2f} s: {event.name} is {event.event}{surely}", flush=True)
    finally:
        pipeline.set_state(Gst.State.NULL)
    if failed:
        sys.exit(f"GStreamer: {failed[0]}")


if __name__ == "__main__":
    main(sys.argv[1:])
