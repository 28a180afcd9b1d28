"""Frames to films: segments, each a whole file, and their joining with the sound of the source."""

import heapq
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from operator import itemgetter
from pathlib import Path

import av
import numpy as np

from ..errors import InputError
from ..files import write_atomically
from ..pictures.images import save_image, to_tensor
from .clips import Film, Frame, readable_packets

X264, VP9 = ("libx264", "aac"), ("libvpx-vp9", "libopus")
# Codecs of pictures, and of sound that the container does not take as it is.
CODECS = {".mp4": X264, ".m4v": X264, ".mov": X264, ".mkv": X264, ".webm": VP9}
# Frames in the order in which they are shown, so that segments can follow each other; near the eye's limit of quality.
OPTIONS = {"libx264": {"crf": "18", "bf": "0"},
           "libvpx-vp9": {"crf": "24", "b": "0", "deadline": "good", "cpu-used": "4", "lag-in-frames": "0"}}
SEGMENT = ".nut"  # takes any time base as it is; Matroska would round times to milliseconds


def check_target(out: Path) -> None:
    """InputError unless a name is that of a film we write or of a folder for frames, one without suffix."""
    if out == Path("-"):
        raise InputError("-o -", "is given, and a film cannot be written to standard output", "name a film or a folder")
    if out.suffix and not out.is_dir() and out.suffix.lower() not in CODECS:
        raise InputError(out, f"unknown film format {out.suffix!r}",
                         f"end the name in {', '.join(CODECS)}, or give a folder for frames")
    if not out.absolute().parent.is_dir():
        raise InputError(out, "lies in no folder", "make the folder first")


def is_film(out: Path) -> bool:
    """Whether a target that passed `check_target` is a film, not a folder."""
    return out.suffix.lower() in CODECS and not out.is_dir()


def write_segment(path: Path, frames: Iterable[Frame], clip, suffix: str) -> None:
    """Encode frames, at least one, for a film that will end in `suffix`. clip: gives time base, rate and aspect."""

    def write(name):
        with av.open(name, "w", format="nut") as container:
            stream = None
            for frame in frames:
                picture = np.pad(frame.picture, [(0, side % 2) for side in frame.picture.shape[:2]] + [(0, 0)], "edge")
                stream = stream or _picture_stream(container, picture, clip, CODECS[suffix.lower()][0])
                container.mux(stream.encode(_encodable(picture, frame, clip)))
            container.mux(stream.encode())

    _written(path, write)


def _picture_stream(container, picture: np.ndarray, clip, codec: str):
    stream = container.add_stream(codec, rate=clip.rate, options=OPTIONS[codec])
    stream.height, stream.width = picture.shape[:2]  # even ones: four pixels share a colour
    stream.pix_fmt, stream.time_base, stream.codec_context.time_base = "yuv420p", clip.time_base, clip.time_base
    stream.codec_context.sample_aspect_ratio = clip.pixel_aspect
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709, as the frames are converted
    context.color_range = 1
    return stream


def _encodable(picture: np.ndarray, frame: Frame, clip) -> av.VideoFrame:
    made = av.VideoFrame.from_ndarray(picture, "rgb24").reformat(format="yuv420p", dst_colorspace="ITU709",
                                                                 dst_color_range="MPEG")
    made.pts, made.duration, made.time_base = frame.pts, frame.duration, clip.time_base
    return made


def write_film(frames: Iterable[Frame], clip, out: Path) -> None:
    """Frames, at least one, as a film, with the sound of the clip where it has any. clip: gives time base, rate and aspect."""
    check_target(out)
    with tempfile.TemporaryDirectory() as folder:
        segment = Path(folder) / f"0{SEGMENT}"
        write_segment(segment, frames, clip, out.suffix)
        join([segment], clip, out)


def beside(films: list[list[Frame]], axis: int = 1) -> Iterator[Frame]:
    """Frames of films of one size and timing side by side (axis 0: one above the other), so that an eye can compare them while
    they move."""
    for together in zip(*films):
        yield replace(together[0], picture=np.concatenate([frame.picture for frame in together], axis=axis))


def stacked(films: list[list[Frame]], repeats: int = 1) -> Iterator[Frame]:
    """Films one above the other, played so many times in a row."""
    frames = list(beside(films, axis=0))
    for turn in range(repeats):
        for frame in frames:
            yield replace(frame, pts=frame.pts + turn * (frames[-1].pts + frames[-1].duration))


def picture_name(frame: Frame) -> str:
    """What a frame's file is called."""
    return f"{frame.name}.png"


def write_pictures(folder: Path, frames: Iterable[Frame]) -> None:
    """Frames as PNG files of their names in a folder that is there."""
    for frame in frames:
        save_image(to_tensor(frame.picture), folder / picture_name(frame))


def join(segments: list[Path], clip, out: Path) -> None:
    """Segments, in order, as one film, with the sound of the clip where it has any. All of it or nothing."""
    _, sound = CODECS[out.suffix.lower()]

    def write(name):
        with ExitStack() as files:
            options = {"movflags": "+faststart"} if out.suffix.lower() in (".mp4", ".m4v", ".mov") else {}
            target = files.enter_context(av.open(name, "w", options=options))
            with av.open(str(segments[0])) as first:
                tracks = [_joined(segments, target.add_stream_from_template(first.streams.video[0]))]
            if isinstance(clip, Film):
                source, _ = files.enter_context(clip.opened())
                tracks.append(_sound(clip, source, target, sound))
            for _, packet in heapq.merge(*tracks, key=itemgetter(0)):
                target.mux(packet)

    _written(out, write)


def _written(path: Path, write) -> None:
    try:
        write_atomically(path, write)
    except (av.FFmpegError, OSError) as error:
        raise InputError(path, f"cannot be written ({error.strerror})", "choose another place or format by -o") from None


def _joined(segments: list[Path], stream) -> Iterator[tuple[float, av.Packet]]:
    """Packets of all segments for a stream, with their times in seconds."""
    for file in segments:
        with av.open(str(file)) as segment:
            for packet in segment.demux(segment.streams.video[0]):
                if packet.pts is not None:
                    packet.stream, packet.dts = stream, packet.pts  # in the order shown; NUT does not keep times of decoding
                    yield float(packet.dts * packet.time_base), packet


def _sound(clip: Film, source, target, codec: str) -> Iterator[tuple[float, av.Packet]]:
    """Packets of all sound of an open film, with their times: as they are where the target's format takes them."""
    known, taken = [track for track in source.streams.audio if track.codec_context], target.supported_codecs
    copied = {track: target.add_stream_from_template(track) for track in known if track.codec_context.name in taken}
    recoded = {track: target.add_stream(codec, rate=48000, layout="mono" if track.codec_context.channels == 1 else "stereo")
               for track in known if track not in copied}
    for track, stream in (copied | recoded).items():
        stream.metadata.update(track.metadata)
    return _timed(clip, _sound_packets(source, copied, recoded)) if known else iter(())


def _sound_packets(source, copied: dict, recoded: dict) -> Iterator[av.Packet]:
    for packet in readable_packets(source, *copied, *recoded):
        if packet.stream in copied:
            packet.stream = copied[packet.stream]
            yield packet
            continue
        stream = recoded[packet.stream]
        try:
            frames = packet.decode()
        except av.FFmpegError:  # a gap
            continue
        for frame in [*frames, *([None] if packet.size == 0 else [])]:  # None, at the end: what the encoder holds back
            yield from stream.encode(frame)


def _timed(clip: Film, packets) -> Iterator[tuple[float, av.Packet]]:
    """Packets with their times in seconds, from the clip's start."""
    for packet in packets:
        if packet.dts is not None:
            shift = round(clip.start / packet.time_base)
            packet.dts, packet.pts = packet.dts - shift, packet.pts - shift
            yield float(packet.dts * packet.time_base), packet
