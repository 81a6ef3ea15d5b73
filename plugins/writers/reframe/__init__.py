"""Reframes a video to another shape, such as 9:16, with a crop that follows who speaks.

`people` says who is seen where in a shot, `direction` who is to be shown when, `camera` moves a
crop smoothly, and `planning` puts these together as `paths`: all without a picture. `document`
writes the path as JSON, `rendering` draws the pictures, and `writer` is the component.
"""
