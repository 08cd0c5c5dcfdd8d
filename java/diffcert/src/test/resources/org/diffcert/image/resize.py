"""Writes resize.safetensors: planes, and what Pillow and PyTorch make of them. Needs numpy, pillow, torch.

python resize.py resize.safetensors
"""
import json
import struct
import sys

import numpy as np
import torch
from PIL import Image

SIZES = [(7, 5, 13, 11), (28, 28, 32, 32), (32, 32, 57, 64), (31, 29, 16, 23), (17, 13, 3, 5), (24, 24, 24, 24), (9, 9, 1, 2), (6, 10, 19, 4)]
FILTERS = [("bicubic", Image.BICUBIC), ("bilinear", Image.BILINEAR)]

rng = np.random.default_rng(20261121)
planes = {}
for case, (height, width, to_height, to_width) in enumerate(SIZES):
    plane = rng.uniform(-1.3, 2.1, (height, width)).astype(np.float32)
    planes[f"{case}.in"] = plane
    for name, pillow in FILTERS:
        planes[f"{case}.{name}.pillow"] = np.asarray(Image.fromarray(plane, mode="F").resize((to_width, to_height), pillow))
        planes[f"{case}.{name}.torch"] = torch.nn.functional.interpolate(
            torch.from_numpy(plane)[None, None], size=(to_height, to_width), mode=name, antialias=True, align_corners=False
        )[0, 0].numpy()

header, offset = {}, 0
for name, plane in planes.items():
    header[name] = {"dtype": "F32", "shape": list(plane.shape), "data_offsets": [offset, offset + plane.nbytes]}
    offset += plane.nbytes
header["__metadata__"] = {"made_with": f"Pillow {Image.__version__} mode F, PyTorch {torch.__version__} interpolate(antialias=True)"}
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(sys.argv[1], "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + b"".join(np.ascontiguousarray(p, dtype="<f4").tobytes() for p in planes.values()))
