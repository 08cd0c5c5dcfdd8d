"""The PyTorch side of d03-training-speed: the same network (tests/gpu/published.py), EDM's loss, Adam, the running average, on the CPU.

    d03_peer.py inputs FILE                    noised images, levels and labels to denoise, as safetensors
    d03_peer.py check MODEL FILE DENOISED      our denoised images against this implementation's on the same weights; exit code 1 beyond 1e-4
    d03_peer.py train MODEL IDX [options]      one line: images a second over the steps after a warm-up
"""
import argparse
import gzip
import json
import math
import struct
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "gpu"))
from published import UNet, load, read_safetensors, write_safetensors  # noqa: E402

SIGMA_DATA = 0.5
LIMIT = 1e-4
CASES = 20


def opened(path):
    """A network and its configuration, from a model file of ours."""
    tensors, metadata = read_safetensors(path)
    config = json.loads(metadata["config"])
    network = UNet(config)
    load(network, tensors)
    return network, config


def denoised(network, x, sigma, onehot):
    """EDM's preconditioning (Karras et al. 2022, table 1)."""
    s = sigma[:, None, None, None]
    total = s * s + SIGMA_DATA**2
    out = network(x / total.sqrt(), sigma.log() / 4, onehot)
    return SIGMA_DATA**2 / total * x + s * SIGMA_DATA / total.sqrt() * out


def inputs(args):
    generator = torch.Generator().manual_seed(1)
    sigma = torch.logspace(-2, 1.5, CASES)
    x = torch.rand(CASES, 1, 28, 28, generator=generator) * 2 - 1 + sigma[:, None, None, None] * torch.randn(CASES, 1, 28, 28, generator=generator)
    write_safetensors(args.file, {"x": x, "sigma": sigma, "labels": torch.arange(CASES) % 10})


def check(args):
    network, config = opened(args.model)
    given, _ = read_safetensors(args.file)
    ours = read_safetensors(args.denoised)[0]["denoised"].double()
    with torch.inference_mode():
        onehot = F.one_hot(given["labels"], config["label_dim"]).float()
        own = denoised(network, given["x"], given["sigma"], onehot).double()
    error = float((ours - own).norm() / own.norm())
    print(f"{'ok  ' if error < LIMIT else 'BAD '} relative L2 error {error:.2e} (limit {LIMIT:g}) on {len(own)} images, PyTorch {torch.__version__}")
    return 0 if error < LIMIT else 1


def idx(path):
    data = (gzip.open if str(path).endswith(".gz") else open)(path, "rb").read()
    rank = data[3]
    shape = struct.unpack(f">{rank}I", data[4:4 + 4 * rank])
    return torch.frombuffer(bytearray(data[4 + 4 * rank:]), dtype=torch.uint8).reshape(shape)


class Training:
    """EDM's training step; what is random is drawn as PyTorch draws it."""

    def __init__(self, args, layout, compiled):
        torch.manual_seed(1)
        self.network, config = opened(args.model)
        self.network.train().to(memory_format=layout)
        self.average = [p.detach().clone() for p in self.network.parameters()]
        self.classes, self.layout, self.batch = config["label_dim"], layout, args.batch
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=True)
        self.run = torch.compile(self.network) if compiled else self.network
        self.images = idx(f"{args.idx}-images-idx3-ubyte{args.ending}")
        self.labels = idx(f"{args.idx}-labels-idx1-ubyte{args.ending}")

    def step(self):
        chosen = torch.randint(len(self.images), (self.batch,))
        y = (self.images[chosen][:, None].float() / 127.5 - 1).contiguous(memory_format=self.layout)
        told = (torch.rand(self.batch, 1) >= 0.1).float()
        onehot = F.one_hot(self.labels[chosen].long(), self.classes).float() * told
        sigma = (torch.randn(self.batch) * 1.2 - 1.2).exp()
        weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA) ** 2
        x = y + sigma[:, None, None, None] * torch.randn_like(y)
        s = sigma[:, None, None, None]
        total = s * s + SIGMA_DATA**2
        out = SIGMA_DATA**2 / total * x + s * SIGMA_DATA / total.sqrt() * self.run(x / total.sqrt(), sigma.log() / 4, onehot)
        loss = (weight[:, None, None, None] * (out - y) ** 2).sum() / self.batch
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for parameter in self.network.parameters():
            torch.nan_to_num(parameter.grad, nan=0, posinf=1e5, neginf=-1e5, out=parameter.grad)
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.network.parameters()), 1 - 0.5 ** (self.batch / 5e5))
        return loss

    def rate(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            loss = self.step()
        if not math.isfinite(loss.item()):
            raise ValueError("the loss is no number")
        return self.batch * steps / (time.perf_counter() - start)


def train(args):
    torch.set_num_threads(args.threads)
    best, name = None, None
    for layout in (torch.contiguous_format, torch.channels_last):
        training = Training(args, layout, args.compile)
        training.rate(args.warmup)
        rate = training.rate(max(2, args.warmup))
        if best is None or rate > best[0]:
            best, name = (rate, training), str(layout).removeprefix("torch.")
    print(f"{best[1].rate(args.steps):.2f} {name}{' compiled' if args.compile else ''}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}")
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    one = commands.add_parser("inputs")
    one.add_argument("file")
    one.set_defaults(run=inputs)
    one = commands.add_parser("check")
    for name in ("model", "file", "denoised"):
        one.add_argument(name)
    one.set_defaults(run=check)
    one = commands.add_parser("train")
    one.add_argument("model")
    one.add_argument("idx", help="the path of the idx files up to -images-idx3-ubyte")
    one.add_argument("--ending", default="", help="of their names, such as .gz")
    one.add_argument("--threads", type=int, default=1)
    one.add_argument("--batch", type=int, default=64)
    one.add_argument("--warmup", type=int, default=2, help="steps before any that count, for either memory layout")
    one.add_argument("--steps", type=int, default=20)
    one.add_argument("--compile", action="store_true", help="torch.compile, which wants a C++ compiler")
    one.set_defaults(run=train)
    args = parser.parse_args()
    return args.run(args)


if __name__ == "__main__":
    sys.exit(main())
