"""Hard cuts of a film, told as its frames come."""

import cv2
import numpy as np
from scenedetect.common import FrameTimecode
from scenedetect.detectors import ContentDetector

WIDTH = 256  # of what is looked at: PySceneDetect shrinks films to about as much


class CutDetector:
    """Whether a frame begins a new shot: PySceneDetect's ContentDetector, fed frame by frame. It compares a frame with the
    one before only, so a film can be taken up anywhere."""

    def __init__(self):
        self.detector, self.number = ContentDetector(min_scene_len=0), 0

    def __call__(self, picture: np.ndarray) -> bool:
        """picture: uint8 `(H, W, 3)`, the next frame. The first one begins nothing."""
        height, width = picture.shape[:2]
        if width > WIDTH:
            picture = cv2.resize(picture, (WIDTH, max(1, round(height * WIDTH / width))), interpolation=cv2.INTER_AREA)
        self.number += 1
        return bool(self.detector.process_frame(FrameTimecode(self.number, fps=25.0), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)))
