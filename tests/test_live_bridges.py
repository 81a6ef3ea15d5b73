"""The bridges of examples/live: what they hand over, and what they tell.

ROS 2 is not there: messages are real ones, read back from their wire form by rosbags, and a few
lines stand in for rclpy. GStreamer is real where it can be imported.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from checkout import ROOT

import asdkit

AUDIO = {
    "audio_common_msgs/msg/AudioData": "uint8[] data",
    "audio_common_msgs/msg/AudioDataStamped": (
        "std_msgs/Header header\naudio_common_msgs/AudioData audio"
    ),
}
"""The messages of audio_common_msgs, as ROS 2 Humble and Jazzy have them."""


class Feed:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.pictures: list[tuple[float, np.ndarray]] = []
        self.sounds: list[tuple[float, int, np.ndarray]] = []
        self.ended = threading.Event()

    def picture(self, image: np.ndarray, time_s: float) -> None:
        self.pictures.append((time_s, np.array(image)))

    def sound(self, samples: np.ndarray, rate: int, time_s: float) -> None:
        self.sounds.append((time_s, rate, np.array(samples)))

    def end(self) -> None:
        self.ended.set()


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A session that tells of two changes once its feed has ended; the options it was given."""
    options: list[Any] = []

    def live(feed: Feed, overrides: Any) -> Iterator[Any]:
        options.append(overrides)
        assert feed.ended.wait(20)
        same = {"name": "Ann", "probability": 0.75, "box": (1.0, 2.0, 3.0, 4.0)}
        yield SimpleNamespace(event="status", time_s=0.5)
        yield SimpleNamespace(event="speaking", time_s=0.52, certain=False, **same)
        yield SimpleNamespace(event="silent", time_s=1.0, certain=True, **same)

    monkeypatch.setattr(asdkit, "LiveFeed", Feed, raising=False)
    monkeypatch.setattr(asdkit, "live", live, raising=False)
    return options


def example(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"examples/live/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ROS 2


class ShutdownError(Exception):
    """As rclpy.executors.ExternalShutdownException."""


class Node:
    """As much of rclpy.node.Node as the example uses."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.heard: dict[str, tuple[type, Any]] = {}
        self.said: dict[str, list[Any]] = {}

    def declare_parameter(self, name: str, value: Any) -> Any:
        return SimpleNamespace(name=name, value=value)

    def get_logger(self) -> Any:
        return SimpleNamespace(error=self.said.setdefault("log", []).append)

    def destroy_node(self) -> None:
        self.said["over"] = []

    def create_publisher(self, kind: type, topic: str, qos: Any) -> Any:
        return SimpleNamespace(publish=self.said.setdefault(topic, []).append)

    def create_subscription(self, kind: type, topic: str, callback: Any, qos: Any) -> None:
        self.heard[topic] = (kind, callback)


@pytest.fixture
def messages() -> Any:
    """The messages of ROS 2 Jazzy, and of audio_common_msgs."""
    pytest.importorskip("rosbags", reason="needs rosbags")
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in AUDIO.items():
        store.register(get_types_from_msg(text, name))
    return store


@pytest.fixture
def ros(messages: Any, told: list[Any], monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The example, with a stand-in for rclpy."""
    rclpy = ModuleType("rclpy")
    rclpy.init = lambda args: None
    rclpy.over = threading.Event()
    rclpy.try_shutdown = rclpy.over.set
    modules = {
        "rclpy": rclpy,
        "rclpy.executors": SimpleNamespace(ExternalShutdownException=ShutdownError),
        "rclpy.node": SimpleNamespace(Node=Node),
        "rclpy.qos": SimpleNamespace(qos_profile_sensor_data=5),
    }
    for package, names in {
        "std_msgs": ("Header", "String"),
        "sensor_msgs": ("Image",),
        "audio_common_msgs": ("AudioDataStamped",),
    }.items():
        types = {name: messages.types[f"{package}/msg/{name}"] for name in names}
        modules |= {package: ModuleType(package), f"{package}.msg": SimpleNamespace(**types)}
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return example("ros2_node")


def sent(messages: Any, kind: str, **fields: Any) -> Any:
    """A message as a subscriber gets it: written to its wire form, and read back."""
    name = f"{kind.partition('/')[0]}/msg/{kind.partition('/')[2]}"
    return messages.deserialize_cdr(
        messages.serialize_cdr(messages.types[name](**fields), name), name
    )


def header(messages: Any, time_s: float) -> Any:
    stamp = messages.types["builtin_interfaces/msg/Time"](int(time_s), round(time_s % 1 * 1e9))
    return messages.types["std_msgs/msg/Header"](stamp, "camera")


def image_message(messages: Any, image: np.ndarray, encoding: str, time_s: float, fill: int) -> Any:
    height, width = image.shape[:2]
    rows = np.pad(image.reshape(height, 3 * width), ((0, 0), (0, fill)), constant_values=77)
    return sent(
        messages,
        "sensor_msgs/Image",
        header=header(messages, time_s),
        height=height,
        width=width,
        encoding=encoding,
        is_bigendian=0,
        step=3 * width + fill,
        data=rows.ravel(),
    )


IMAGE = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3)


@pytest.mark.parametrize(("encoding", "fill"), [("rgb8", 0), ("rgb8", 1), ("bgr8", 3)])
def test_a_picture_of_ros_is_rgb_without_what_fills_its_rows(ros, messages, encoding, fill):
    stored = IMAGE if encoding == "rgb8" else IMAGE[..., ::-1]
    message = image_message(messages, stored, encoding, 3.5, fill)
    assert np.array_equal(ros.rgb(message), IMAGE)
    assert ros.seconds(message.header) == 3.5


def test_a_picture_of_another_kind_says_what_to_do(ros, messages):
    message = image_message(messages, IMAGE, "yuv422", 0.0, 0)
    with pytest.raises(ValueError, match="encoding yuv422: have image_proc make it rgb8 or bgr8"):
        ros.rgb(message)


def test_the_node_hands_over_and_tells(ros, messages, told):
    """From main to its end by Ctrl-C, with the topics that audio_capture and cameras publish."""
    nodes = []

    def spin(node: Any) -> None:
        nodes.append(node)
        kind, on_image = node.heard["image"]
        assert kind is messages.types["sensor_msgs/msg/Image"]
        on_image(image_message(messages, IMAGE, "rgb8", 1_700_000_000.25, 1))
        kind, on_sound = node.heard["audio_stamped"]
        assert kind is messages.types["audio_common_msgs/msg/AudioDataStamped"]
        audio = messages.types["audio_common_msgs/msg/AudioData"]
        data = audio(np.array([1, -2, 300], "<i2").view(np.uint8))
        stamped = header(messages, 1_700_000_000.125)
        on_sound(sent(messages, "audio_common_msgs/AudioDataStamped", header=stamped, audio=data))
        raise KeyboardInterrupt

    ros.rclpy.spin = spin
    ros.main([])
    (node,) = nodes
    ((time_s, image),) = node.feed.pictures
    assert (time_s, image.tolist()) == (1_700_000_000.25, IMAGE.tolist())
    ((time_s, rate, samples),) = node.feed.sounds
    assert (time_s, rate, samples.tolist()) == (1_700_000_000.125, 16_000, [1, -2, 300])
    assert told == [["experiment=fast"]]
    assert "over" in node.said
    string = messages.types["std_msgs/msg/String"]
    assert all(isinstance(one, string) for one in node.said["who_speaks"])
    begins, ceases = (json.loads(one.data) for one in node.said["who_speaks"])
    assert begins == {
        "who": "Ann",
        "speaks": True,
        "certain": False,
        "stamp_s": 1_700_000_000.77,
        "probability": 0.75,
        "box": [1, 2, 3, 4],
    }
    assert (ceases["speaks"], ceases["certain"], ceases["stamp_s"]) == (
        False,
        True,
        1_700_000_001.25,
    )


def test_the_node_ends_with_its_session_and_says_why(ros, monkeypatch):
    def live(feed: Feed, overrides: Any) -> Iterator[Any]:
        raise asdkit.AsdError("No weights", "Get some")
        yield

    nodes = []

    def spin(node: Any) -> None:
        nodes.append(node)
        assert ros.rclpy.over.wait(20)
        raise ShutdownError

    monkeypatch.setattr(asdkit, "live", live, raising=False)
    ros.rclpy.spin = spin
    ros.main([])
    assert nodes[0].said["log"] == [str(asdkit.AsdError("No weights", "Get some"))]
    assert nodes[0].feed.ended.is_set()


# GStreamer


@pytest.fixture(scope="module")
def gst(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """Have GStreamer's bindings be found: PyGObject's, or Debian's if they fit this Python."""
    debian = Path("/usr/lib/python3/dist-packages/gi")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        site = None
        if importlib.util.find_spec("gi") is None and debian.exists():
            # Nothing but this package: the rest of the folder is for another environment.
            site = tmp_path_factory.mktemp("site")
            (site / "gi").symlink_to(debian)
            patch.syspath_prepend(site)
        try:
            import gi

            for name in ("Gst", "GstApp", "GstVideo"):
                gi.require_version(name, "1.0")
            from gi.repository import Gst
        except (ImportError, ValueError) as error:
            pytest.skip(
                f"{error}; needs python3-gi gir1.2-gst-plugins-base-1.0 "
                "gstreamer1.0-plugins-base, and Debian's own version of Python"
            )
        Gst.init(None)
        for name in ("videotestsrc", "audiotestsrc", "videoconvert", "audioresample", "appsink"):
            if Gst.ElementFactory.find(name) is None:
                pytest.skip(f"GStreamer has no {name}; needs gstreamer1.0-plugins-base")
        yield site


@pytest.fixture
def appsink(gst: Path | None, told: list[Any]) -> ModuleType:
    """The example."""
    return example("gstreamer_appsink")


COLOURS = [[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]
PICTURE = "videotestsrc num-buffers=5 pattern=solid-color foreground-color=0xff{:02x}{:02x}{:02x}"
SOUND = "audiotestsrc num-buffers=4 samplesperbuffer=640 wave=square volume=0.5"


@pytest.mark.parametrize("colour", COLOURS)
def test_gstreamers_pictures_and_sound_are_handed_over_with_their_times(
    appsink, told, monkeypatch, capsys, colour
):
    """Width 65: rows are filled up from 195 to 196 bytes."""
    feeds = []
    monkeypatch.setattr(asdkit, "LiveFeed", lambda: feeds.append(Feed()) or feeds[0])
    form = "video/x-raw,format=RGB,width=65,height=48,framerate=25/1"
    appsink.main([f"{PICTURE.format(*colour)} ! {form}", SOUND, "scorer=lip_motion"])
    (feed,) = feeds
    assert [round(time_s, 6) for time_s, _ in feed.pictures] == [0, 0.04, 0.08, 0.12, 0.16]
    for _, image in feed.pictures:
        assert image.shape == (48, 65, 3)
        assert (image == colour).all()
    assert {rate for _, rate, _ in feed.sounds} == {16_000}
    assert feed.sounds[0][0] == 0
    ends = [time_s + len(samples) / rate for time_s, rate, samples in feed.sounds]
    begins = [time_s for time_s, _, _ in feed.sounds]
    assert begins[1:] == pytest.approx(ends[:-1], abs=1e-4)
    samples = np.concatenate([samples for _, _, samples in feed.sounds])
    assert samples.dtype == np.int16
    assert 15_000 < np.abs(samples.astype(int)).max() < 18_000
    assert told == [["scorer=lip_motion"]]
    assert capsys.readouterr().out.splitlines() == [
        "0.52 s: Ann is speaking (provisional)",
        "1.00 s: Ann is silent",
    ]


def test_gstreamers_own_layout_of_a_picture_is_heeded(appsink):
    """As cameras and hardware decoders have it: the picture begins later, rows are longer."""
    from gi.repository import Gst, GstVideo

    rows = np.full((2, 32), 77, np.uint8)
    rows[:, :15] = IMAGE.reshape(2, 15)
    buffer = Gst.Buffer.new_wrapped(bytes(8) + rows.tobytes())
    strides, offsets = [32, 0, 0, 0], [8, 0, 0, 0]
    GstVideo.buffer_add_video_meta_full(
        buffer, GstVideo.VideoFrameFlags.NONE, GstVideo.VideoFormat.RGB, 5, 2, 1, offsets, strides
    )
    caps = Gst.Caps.from_string("video/x-raw,format=RGB,width=5,height=2,framerate=25/1")
    assert np.array_equal(appsink.rgb(Gst.Sample.new(buffer, caps, None, None)), IMAGE)


def test_what_gstreamer_cannot_play_ends_in_its_own_words(appsink, tmp_path):
    source = f"uridecodebin name=from uri={(tmp_path / 'no.mp4').as_uri()}"
    with pytest.raises(SystemExit, match="GStreamer: "):
        appsink.main([source, "from."])


def test_the_page_names_what_the_examples_take():
    page = (ROOT / "docs/live-bridges.md").read_text()
    for topic in ("image", "audio_stamped", "who_speaks", "options", "sample_rate"):
        assert f"`{topic}`" in page, topic
    examples = [path.name for path in (ROOT / "examples/live").glob("*.py")]
    assert len(examples) == 2
    for name in examples:
        assert name in page
