"""Writes each speaking turn of each face as a video of its own, with its sound, and an index.

`turns` says which turns there are and what their files are called, `recording` cuts them out in
one pass over the source, and `writer` is the component.
"""
