#!/usr/bin/env python3
"""Randomized smoothing of an ONNX classifier, written straight from Cohen et al. (2019): float noise from numpy, CERTIFY with a Clopper-Pearson
bound, ONNX Runtime. It shares no code with diffcert and is what e01-plain-smoothing holds diffcert against. Writes idx, label, predict, radius, correct, time.

    e01_peer.py MODEL.onnx MNIST-DIR OUT.tsv --images 0:500 --sigma 0.5 --n0 100 --n 10000 --alpha 0.001 --seed 1 --threads 1
"""
import argparse
import gzip
import math
import os
import statistics
import time

import numpy as np
import onnxruntime


def idx(path):
    """The array in an idx file, plain or gzipped."""
    name = path if os.path.exists(path) else path + ".gz"
    with (gzip.open if name.endswith(".gz") else open)(name, "rb") as file:
        data = file.read()
    dimensions = data[3]
    shape = [int.from_bytes(data[4 + 4 * i:8 + 4 * i], "big") for i in range(dimensions)]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def upper_tail(n, k, p):
    """P(Binomial(n, p) >= k), the terms summed from their logarithms."""
    terms = [math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * math.log(p) + (n - i) * math.log1p(-p)
             for i in range(k, n + 1)]
    return math.fsum(math.exp(term) for term in terms)


def lower_bound(n, k, alpha):
    """The one-sided Clopper-Pearson bound: the p at which k or more successes have probability alpha."""
    if k == 0:
        return 0.0
    if k == n:
        return alpha ** (1 / n)
    low, high = 0.0, k / n
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if upper_tail(n, k, middle) > alpha else (middle, high)
    return low


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--images", default="0:500")
    parser.add_argument("--sigma", type=float, default=0.5)
    parser.add_argument("--n0", type=int, default=100)
    parser.add_argument("--n", type=int, default=10000)
    parser.add_argument("--alpha", type=float, default=0.001)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=500)
    args = parser.parse_args()

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = args.threads
    session = onnxruntime.InferenceSession(args.model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    images = idx(os.path.join(args.data, "t10k-images-idx3-ubyte"))
    labels = idx(os.path.join(args.data, "t10k-labels-idx1-ubyte"))
    random = np.random.default_rng(args.seed)
    bounds = {}

    def counts(x, samples):
        """How often each class is answered under noise. The noise goes on top of the image, nothing is clipped."""
        total = np.zeros(10, np.int64)
        while samples > 0:
            rows = min(samples, args.batch)
            noisy = x + args.sigma * random.standard_normal((rows,) + x.shape, dtype=np.float32)
            total += np.bincount(session.run(None, {name: noisy})[0].argmax(1), minlength=10)
            samples -= rows
        return total

    first, last = (int(part) for part in args.images.split(":"))
    right = 0
    with open(args.out, "w") as out:
        out.write("idx\tlabel\tpredict\tradius\tcorrect\ttime\n")
        for index in range(first, last):
            start = time.time()
            x = images[index][None].astype(np.float32) / 255
            candidate = int(counts(x, args.n0).argmax())
            k = int(counts(x, args.n)[candidate])
            if k not in bounds:
                bounds[k] = lower_bound(args.n, k, args.alpha)
            certified = bounds[k] > 0.5
            radius = args.sigma * statistics.NormalDist().inv_cdf(bounds[k]) if certified else 0.0
            predict = candidate if certified else -1
            label = int(labels[index])
            right += predict == label
            seconds = time.time() - start
            out.write(f"{index}\t{label}\t{predict}\t{radius!r}\t{int(predict == label)}\t0:{int(seconds // 60):02d}:{seconds % 60:09.6f}\n")
    print(f"the Python peer certifies {right} of {last - first} images at radius 0")


if __name__ == "__main__":
    main()
