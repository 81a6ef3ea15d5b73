"""A ROS 2 node that tells who speaks: docs/live-bridges.md says how it is run."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence

import numpy as np
import rclpy
from audio_common_msgs.msg import AudioDataStamped
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String

import asdkit


class WhoSpeaks(Node):
    """Hands pictures and sound to a live session, and publishes what it tells."""

    def __init__(self) -> None:
        super().__init__("who_speaks")
        self.options = self.declare_parameter("options", ["experiment=fast"]).value
        self.rate = self.declare_parameter("sample_rate", 16_000).value
        self.first_s: float | None = None
        self.feed = asdkit.LiveFeed()
        self.told = self.create_publisher(String, "who_speaks", 10)
        self.create_subscription(Image, "image", self.on_image, qos_profile_sensor_data)
        self.create_subscription(AudioDataStamped, "audio_stamped", self.on_sound, 100)
        self.session = threading.Thread(target=self.tell)
        self.session.start()

    def on_image(self, message: Image) -> None:
        """Hand over a picture, with the time when it was taken."""
        time_s = seconds(message.header)
        self.first_s = time_s if self.first_s is None else self.first_s
        self.feed.picture(rgb(message), time_s)

    def on_sound(self, message: AudioDataStamped) -> None:
        """Hand over sound: 16 bits little-endian, one channel."""
        samples = np.frombuffer(message.audio.data, "<i2")
        self.feed.sound(samples, self.rate, seconds(message.header))

    def tell(self) -> None:
        """Publish who begins and who ceases to speak, until the feed ends."""
        try:
            for event in asdkit.live(self.feed, self.options):
                if event.event in ("speaking", "silent"):
                    said = {
                        "who": event.name,
                        "speaks": event.event == "speaking",
                        "certain": event.certain,
                        "stamp_s": (self.first_s or 0.0) + event.time_s,
                        "probability": event.probability,
                        "box": event.box,
                    }
                    self.told.publish(String(data=json.dumps(said)))
        except asdkit.AsdError as error:
            self.get_logger().error(str(error))
        finally:
            rclpy.try_shutdown()


def seconds(header: Header) -> float:
    """The stamp of a message in seconds."""
    return header.stamp.sec + header.stamp.nanosec / 1e9


def rgb(message: Image) -> NDArray[np.uint8]:
    """(height, width, 3) uint8, RGB, without what fills up the rows."""
    if message.encoding not in ("rgb8", "bgr8"):
        raise ValueError(f"encoding {message.encoding}: have image_proc make it rgb8 or bgr8")
    rows = np.frombuffer(message.data, np.uint8).reshape(message.height, message.step)
    image = rows[:, : 3 * message.width].reshape(message.height, message.width, 3)
    return image if message.encoding == "rgb8" else image[..., ::-1]


def main(words: Sequence[str] | None = None) -> None:
    """Run the node until Ctrl-C, or until its session fails."""
    rclpy.init(args=words)
    node = WhoSpeaks()
    try:
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.feed.end()
        node.session.join()
        node.destroy_node()
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
