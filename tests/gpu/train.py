#!/usr/bin/env python3
"""Trains a small class-conditional EDM network on CIFAR-10 in a few minutes of a GPU: a model to certify with where there is none.

    train.py DATA OUT --minutes 9    begins, or goes on with what OUT holds; OUT/model.safetensors is a finished model at the end of every call
    train.py DATA OUT --dry          a few steps of a tiny network on the CPU, the model read back and compared

DATA: cifar10-train-jpeg75.tar.gz (50,000 images as lossy JPEG, needs Pillow); where cifar10-train-exact-7728.bin and its .index.i32le lie beside it, those
images are taken exactly. Without DATA's files --dry takes random images. Needs PyTorch, no network.

EDM's loss (Karras et al. 2022, table 1) with ln sigma ~ N(mean, deviation^2), by default N(0, 1): the levels that votes read. Float32 weights, products in
bf16; Adam; every call warms up and cools down (half a cosine over the last 40 % of its time), so that any of them may be the last. The running average
is the model. diffcert's own trainer does as much on a CPU (docs/spec/training.md); this script is for GPUs until that has run on one.
"""
import argparse
import io
import json
import math
import pathlib
import sys
import tarfile
import time

sys.dont_write_bytecode = True
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from published import UNet, load, read_safetensors, tensors_of, write_safetensors  # noqa: E402

# 2,207,587 parameters: 4.4 MB as float16.
SMALL = {"model_type": "SongUNet", "img_resolution": 32, "img_channels": 3, "label_dim": 10, "augment_dim": 0, "model_channels": 32,
         "channel_mult": [2, 2, 2], "num_blocks": 2, "attn_resolutions": [16], "dropout": 0.0, "label_dropout": 0.1}
TINY = {**SMALL, "model_channels": 16, "channel_mult": [1, 2]}
SIGMA_DATA = 0.5
AVERAGE_IMAGES, AVERAGE_SHARE = 500_000, 0.05  # half-life, but at most so much of the images seen
WARM_UP = 100_000                               # images
COOL = 0.4                                      # of a call's time
SEEDS = {"network": 0, "order": 1}


def images_of(folder):
    """uint8 [50000, 3, 32, 32] and labels."""
    from concurrent.futures import ThreadPoolExecutor
    from PIL import Image
    files = {}
    with tarfile.open(folder / "cifar10-train-jpeg75.tar.gz") as tar:
        for member in tar:
            if member.isfile():
                number, label = pathlib.Path(member.name).stem.split("_")
                files[int(number)] = (int(label), tar.extractfile(member).read())
    count = len(files)
    images, labels = torch.empty(count, 32, 32, 3, dtype=torch.uint8), torch.empty(count, dtype=torch.long)

    def decode(number):
        labels[number] = files[number][0]
        images[number] = torch.frombuffer(bytearray(Image.open(io.BytesIO(files[number][1])).convert("RGB").tobytes()), dtype=torch.uint8).view(32, 32, 3)

    with ThreadPoolExecutor() as pool:
        list(pool.map(decode, range(count)))
    images = images.permute(0, 3, 1, 2).contiguous()
    exact, index = folder / "cifar10-train-exact-7728.bin", folder / "cifar10-train-exact-7728.index.i32le"
    if exact.exists():
        records = torch.frombuffer(bytearray(exact.read_bytes()), dtype=torch.uint8).view(-1, 3073)
        places = torch.frombuffer(bytearray(index.read_bytes()), dtype=torch.int32).long()
        if not torch.equal(records[:, 0].long(), labels[places]):
            raise SystemExit(f"{exact}: labels are not those of the JPEG images")
        images[places] = records[:, 1:].view(-1, 3, 32, 32)
    return images, labels


def initialise(network):
    """The published beginning of a SongUNet: every block is nearly its shortcut, the network's output nearly zero."""
    with torch.no_grad():
        for name, value in network.named_parameters():
            if value.dim() == 1:
                value.copy_(torch.ones_like(value) if "norm" in name and name.endswith("weight") else torch.zeros_like(value))
                continue
            torch.nn.init.xavier_uniform_(value)
            if ".conv1." in name or ".proj." in name or "aux_conv" in name:
                value.mul_(1e-5)
            elif ".qkv." in name:
                value.mul_(math.sqrt(0.2))


def denoised(network, x, sigma, label):
    """D(x; sigma, label), EDM's preconditioning."""
    s = sigma.view(-1, 1, 1, 1)
    total = s * s + SIGMA_DATA**2
    inside = (x / total.sqrt()).contiguous(memory_format=torch.channels_last)
    return SIGMA_DATA**2 / total * x + s * SIGMA_DATA / total.sqrt() * network(inside, sigma.log() / 4, label).float()


class Training:
    """Weights, moments, average and how many images they have seen; what a file of each keeps between calls."""

    def __init__(self, config, device, folder):
        self.device, self.folder, self.seen, self.steps = device, folder, 0, 0
        torch.manual_seed(SEEDS["network"])
        self.network = UNet(config).to(device, memory_format=torch.channels_last)
        initialise(self.network)
        self.weights = dict(self.network.named_parameters())
        self.optimizer = torch.optim.Adam(self.weights.values(), lr=1e-3, betas=(0.9, 0.999), fused=device.type == "cuda")
        self.average = {name: value.detach().clone() for name, value in self.weights.items()}
        if (folder / "progress.json").exists():
            self.read()

    def parts(self):
        state = {name: self.optimizer.state.get(value, {}) for name, value in self.weights.items()}
        zero = {name: torch.zeros_like(value) for name, value in self.weights.items()}
        return {"weight": {n: v.detach() for n, v in self.weights.items()}, "average": self.average,
                "first_moment": {n: s.get("exp_avg", zero[n]) for n, s in state.items()},
                "second_moment": {n: s.get("exp_avg_sq", zero[n]) for n, s in state.items()}}

    def write(self):
        for name, tensors in self.parts().items():
            write_safetensors(self.folder / f"{name}.safetensors", tensors)
        (self.folder / "progress.json").write_text(json.dumps({"images": self.seen, "steps": self.steps}))

    def read(self):
        progress = json.loads((self.folder / "progress.json").read_text())
        self.seen, self.steps = progress["images"], progress["steps"]
        parts = {name: {n: v.to(self.device) for n, v in read_safetensors(self.folder / f"{name}.safetensors")[0].items()} for name in self.parts()}
        with torch.no_grad():
            for name, value in self.weights.items():
                value.copy_(parts["weight"][name])
                self.average[name].copy_(parts["average"][name])
                self.optimizer.state[value] = {"step": torch.tensor(float(self.steps), device=self.device if self.device.type == "cuda" else "cpu"),
                                               "exp_avg": parts["first_moment"][name].clone(memory_format=torch.preserve_format),
                                               "exp_avg_sq": parts["second_moment"][name].clone(memory_format=torch.preserve_format)}

    def averaged(self, config):
        network = UNet(config)
        network.load_state_dict({name: value.detach().cpu() for name, value in self.average.items()})
        return network


def train(training, images, labels, args, config):
    device, batch = training.device, args.batch
    run = training.network
    if device.type == "cuda" and not args.eager:
        run = torch.compile(run, fullgraph=True, dynamic=False)
    order = torch.Generator(device=device).manual_seed(SEEDS["order"] + training.steps)
    begin, began = time.monotonic(), training.seen
    limit = 60 * args.minutes
    losses, shown = [], 0.0
    while (spent := time.monotonic() - begin) < limit and (not args.steps or len(losses) < args.steps):
        share = spent / limit if not args.steps else len(losses) / args.steps
        rate = args.learning_rate * min(1.0, (training.seen - began + batch) / WARM_UP)
        if share > 1 - COOL:
            rate *= 0.01 + 0.99 * (1 + math.cos(math.pi * (share - 1 + COOL) / COOL)) / 2
        for group in training.optimizer.param_groups:
            group["lr"] = rate
        chosen = torch.randint(len(images), (batch,), generator=order, device=device)
        x = images[chosen].float() / 127.5 - 1
        flip = torch.rand(batch, 1, 1, 1, generator=order, device=device) < 0.5
        x = torch.where(flip, x.flip(3), x)
        label = F.one_hot(labels[chosen], config["label_dim"]).float()
        label = label * (torch.rand(batch, 1, generator=order, device=device) >= config["label_dropout"])
        sigma = (args.level_mean + args.level_deviation * torch.randn(batch, generator=order, device=device)).exp()
        noisy = x + sigma.view(-1, 1, 1, 1) * torch.randn(x.shape, generator=order, device=device)
        with torch.autocast(device.type, torch.bfloat16):
            d = denoised(run, noisy, sigma, label)
        weight = (sigma**2 + SIGMA_DATA**2) / (sigma * SIGMA_DATA)**2
        loss = (weight.view(-1, 1, 1, 1) * (d - x)**2).mean()
        training.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        training.optimizer.step()
        training.seen += batch
        training.steps += 1
        keep = 0.5 ** (batch / max(min(AVERAGE_IMAGES, AVERAGE_SHARE * training.seen), 1e-8))
        torch._foreach_lerp_(list(training.average.values()), [v.detach() for v in training.weights.values()], 1 - keep)
        losses.append(loss.detach())
        if time.monotonic() - begin > shown + 20:
            shown = time.monotonic() - begin
            speed = (training.seen - began) / shown
            print(f"{shown:6.0f} s  {training.seen:>12,} images  {speed:8.0f} images/s  loss {torch.stack(losses[-200:]).mean():.4f}", flush=True)
    if not losses:
        raise SystemExit("no time for a single step")
    return float(torch.stack(losses[-500:]).mean()), time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=9)
    parser.add_argument("--steps", type=int, default=0, help="so many instead")
    parser.add_argument("--batch", type=int, default=1024)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--level-mean", type=float, default=0.0)
    parser.add_argument("--level-deviation", type=float, default=1.0)
    parser.add_argument("--eager", action="store_true", help="without torch.compile")
    parser.add_argument("--dry", action="store_true")
    args = parser.parse_args()
    if not args.dry and not torch.cuda.is_available():
        raise SystemExit("No GPU here; --dry does what can be done without one.")
    device, config = torch.device("cpu" if args.dry else "cuda"), TINY if args.dry else SMALL
    if args.dry:
        args.steps, args.batch = args.steps or 6, 8
    args.out.mkdir(parents=True, exist_ok=True)
    if args.dry and not (args.data / "cifar10-train-jpeg75.tar.gz").exists():
        print("random images: the data is not there")
        images, labels = torch.randint(256, (64, 3, 32, 32), dtype=torch.uint8), torch.randint(10, (64,))
    else:
        images, labels = images_of(args.data)
    images, labels = images.to(device), labels.to(device)
    training = Training(config, device, args.out)
    loss, seconds = train(training, images, labels, args, config)
    training.write()
    network = training.averaged(config)
    command = (f"tests/gpu/train.py DATA OUT --minutes {args.minutes:g} --batch {args.batch} --learning-rate {args.learning_rate:g} "
               f"--level-mean {args.level_mean:g} --level-deviation {args.level_deviation:g}")
    card = {"precond": "EDMPrecond", "config": json.dumps({**config, "sigma_data": SIGMA_DATA}, separators=(",", ":")),
            "made_by": "tests/gpu/train.py (PyTorch)", "command": command, "images_seen": str(training.seen), "steps": str(training.steps), "loss": f"{loss:.6f} (edm, mean of the last 500 steps)",
            "data": "cifar10:train, JPEG quality 75 but for 7,728 exact images"}
    write_safetensors(args.out / "model.safetensors", {name: value.half() for name, value in tensors_of(network).items()}, card)
    count = sum(value.numel() for value in network.parameters())
    print(f"{count:,} parameters, {training.seen:,} images seen in {training.steps:,} steps, {seconds:.0f} s in this call, loss {loss:.4f}")
    again = UNet(config)
    load(again, {name: value.float() for name, value in read_safetensors(args.out / "model.safetensors")[0].items()})
    x, sigma = torch.randn(4, 3, 32, 32), torch.tensor([0.1, 0.5, 1.0, 4.0])
    label = F.one_hot(torch.arange(4), config["label_dim"]).float()
    with torch.inference_mode():
        wanted, got = denoised(network, x, sigma, label), denoised(again, x, sigma, label)
    error = float((wanted - got).norm() / wanted.norm())
    print(f"the model read back: {error:.1e} from the average it was made of (its weights are float16)")
    return 0 if error < 2e-3 else 1


if __name__ == "__main__":
    raise SystemExit(main())
