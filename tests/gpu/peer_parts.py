"""What peers.py measures, a function a part. Each emits its records as soon as it has them, so that a part cut short keeps what it had.

Times are medians of CUDA-event times after a warm-up; inputs are random, never zeros; what was fast is also compared with float32.
"""
import copy
import itertools
import math
import subprocess
import time

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

from published import PUBLISHED, Block, UNet

# (input channels, output channels, resolution): the four that are 82 % of CIFAR-10's work, and ADM's larger ones.
CIFAR_CONVS = [(512, 256, 32), (256, 256, 32), (512, 256, 16), (256, 256, 16)]
ADM_CONVS = [(192, 192, 64), (384, 384, 32), (384, 192, 64), (384, 384, 64), (576, 576, 16), (768, 384, 32), (1152, 576, 16),
             (768, 768, 8), (1536, 768, 8)]
DRY_CONVS = [(16, 8, 4), (8, 8, 8)]
# What stands in for the published networks in a dry run: the same layers, few of them and narrow.
DRY_CONFIGS = {
    "cifar10-ddpmpp-cond": {"model_channels": 16, "channel_mult": [1, 2], "num_blocks": 1, "img_resolution": 8, "attn_resolutions": [4]},
    "imagenet64-adm": {"model_channels": 64, "channel_mult": [1, 2], "num_blocks": 1, "img_resolution": 8, "attn_resolutions": [4]},
}
BATCHES = {"cifar10-ddpmpp-cond": [1056, 264, 2112, 528], "imagenet64-adm": [264, 528, 132, 1056]}
WRONG = 0.1  # a relative error that rounding to 16 bits does not explain
RELEASED_BATCH = 124  # the published code's: one noise sample's levels


class Session:
    """Where a part runs: the device, whether dry, until when, and where its records go."""

    def __init__(self, dry, seconds, emit):
        self.dry, self.emit, self.end = dry, emit, time.monotonic() + seconds
        self.device = torch.device("cpu" if dry else "cuda")

    def left(self):
        return self.end - time.monotonic()

    def synchronize(self):
        if not self.dry:
            torch.cuda.synchronize()

    def median_ms(self, call, seconds=1.0):
        """The median time of a call: groups of calls of 2 ms or more, 5 to 100 of them, `seconds` in all."""
        for _ in range(2):
            call()
        self.synchronize()
        if self.dry:
            start = time.perf_counter()
            call()
            return 1e3 * (time.perf_counter() - start)

        def timed(calls):
            start, stop = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            start.record()
            for _ in range(calls):
                call()
            stop.record()
            return start, stop

        start, stop = timed(1)
        self.synchronize()
        one = max(start.elapsed_time(stop), 1e-3)
        group = max(1, round(2 / one))
        pairs = [timed(group) for _ in range(min(100, max(5, round(1e3 * seconds / (one * group)))))]
        self.synchronize()
        times = sorted(start.elapsed_time(stop) / group for start, stop in pairs)
        return times[len(times) // 2]


def relative_error(out, reference):
    return float((out.double() - reference.double()).norm() / reference.double().norm())


def reason(failure):
    """The first line of what went wrong, short."""
    lines = str(failure).strip().splitlines()
    return f"{type(failure).__name__}: {lines[0][:160] if lines else ''}"


def smi(fields):
    try:
        command = ["nvidia-smi", f"--query-gpu={fields}", "--format=csv,noheader"]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout.strip().splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError) as failure:
        return f"not known ({reason(failure)})"


def card(session):
    """The card's own ceilings, measured: they are what every percentage is of."""
    size = 256 if session.dry else 8192
    a, b = (torch.randn(size, size, device=session.device, dtype=torch.bfloat16) for _ in range(2))
    about = {"torch": torch.__version__, "cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version()}
    if not session.dry:
        about |= {"name": torch.cuda.get_device_name(), "multiprocessors": torch.cuda.get_device_properties(0).multi_processor_count,
                  "driver": smi("driver_version"), "sm clock, power limit": smi("clocks.max.sm,power.limit")}
    ms = session.median_ms(lambda: a @ b, 2)
    session.emit(what="matrix", type="bf16", size=size, ms=ms, tflops=2 * size**3 / ms / 1e9)
    if not session.dry:  # read while the products run
        for _ in range(800):
            a @ b
        about["under load: sm clock, memory clock, power, temperature"] = smi("clocks.sm,clocks.mem,power.draw,temperature.gpu")
        session.synchronize()
    session.emit(what="about", **about)
    source = torch.empty(2**20 if session.dry else 2**32, dtype=torch.uint8, device=session.device).random_()
    target = torch.empty_like(source)
    ms = session.median_ms(lambda: target.copy_(source))
    session.emit(what="copy", gigabytes=2 * source.numel() / 1e9, ms=ms, terabytes_s=2 * source.numel() / ms / 1e9)
    if not session.dry:
        left, right, one = a.to(torch.float8_e4m3fn), b.t().contiguous().to(torch.float8_e4m3fn).t(), torch.ones((), device="cuda")
        ms = session.median_ms(lambda: torch._scaled_mm(left, right, scale_a=one, scale_b=one, out_dtype=torch.bfloat16), 2)
        session.emit(what="matrix", type="fp8 (e4m3)", size=size, ms=ms, tflops=2 * size**3 / ms / 1e9)


def convs(session, shapes, batches):
    """cuDNN's 3x3 convolutions, channels_last bf16, all its algorithms tried; inputs rotate so that the second-level cache holds none."""
    torch.backends.cudnn.benchmark_limit = 0
    for batch, (inputs, outputs, side) in itertools.product([2] if session.dry else batches, DRY_CONVS if session.dry else shapes):
        copies = 1 if session.dry else math.ceil(256e6 / (2 * batch * side * side * (inputs + outputs)))
        images = [torch.randn(batch, inputs, side, side, device=session.device, dtype=torch.bfloat16)
                  .to(memory_format=torch.channels_last) for _ in range(copies)]
        scale = 1 / math.sqrt(9 * inputs)
        weight = (torch.randn(outputs, inputs, 3, 3, device=session.device, dtype=torch.bfloat16) * scale).to(memory_format=torch.channels_last)
        turn = itertools.cycle(images)
        ms = session.median_ms(lambda: F.conv2d(next(turn), weight, padding=1), 0.5)
        out = F.conv2d(images[0], weight, padding=1)
        error = max(relative_error(out[end], F.conv2d(images[0][end].float(), weight.float(), padding=1)) for end in (slice(2), slice(-2, None)))
        if not error < WRONG:
            raise ValueError(f"cuDNN's {inputs} -> {outputs} at {side}x{side}, batch {batch}, is {error:.2g} off float32")
        session.emit(what="conv", inputs=inputs, outputs=outputs, side=side, batch=batch, ms=ms, error=error,
                     tflops=2 * 9 * batch * side * side * inputs * outputs / ms / 1e9)
        del images, turn, out


def counts(config):
    """Parameters of a network and FLOPs of one forward, without computing anything."""
    with torch.device("meta"), torch.inference_mode():
        network, side, counter = UNet(config), config["img_resolution"], FlopCounterMode(display=False)
        with counter:
            network(torch.empty(1, config["img_channels"], side, side), torch.empty(1), torch.empty(1, config["label_dim"]))
        return sum(p.numel() for p in network.parameters()), counter.get_total_flops()


class Subject:
    """A published network with random weights, its inputs, and its float32 output of four images to hold others against."""

    def __init__(self, session, name):
        config, parameters, flops = PUBLISHED[name]
        if session.dry:
            config = config | DRY_CONFIGS[name]
        counted, self.flops = counts(config)
        if not session.dry and (counted != parameters or abs(self.flops / flops - 1) > 1e-4):
            raise ValueError(f"{name} has {counted} parameters and {self.flops} FLOPs, not {parameters} and {flops}")
        self.session, self.name, self.config = session, name, config
        torch.manual_seed(1)
        with session.device:
            self.network = UNet(config).eval()
        with torch.inference_mode():
            self.reference = self.network(*self.inputs(4, torch.float32, torch.contiguous_format)).float()

    def inputs(self, batch, dtype, layout):
        """Unit-variance noise, as the preconditioning scales it; noise labels of sigma 0.5 to 3; four classes in turn.

        The first four are the same at every batch, and the last four are the first again: both ends can be held against the reference.
        """
        generator = torch.Generator(self.session.device).manual_seed(2)
        shape = (4, self.config["img_channels"], self.config["img_resolution"], self.config["img_resolution"])
        image = torch.cat([torch.randn(shape, generator=generator, device=self.session.device) for _ in range(batch // 4)])
        image[-4:] = image[:4]
        noise = torch.linspace(0.5, 3, 4, device=self.session.device).log().div(4).repeat(batch // 4)
        label = F.one_hot(torch.arange(4, device=self.session.device), self.config["label_dim"]).repeat(batch // 4, 1)
        return image.to(dtype).to(memory_format=layout), noise, label.to(dtype)

    def converted(self, dtype, layout):
        return copy.deepcopy(self.network).to(dtype).to(memory_format=layout)

    def forward(self, run, how, batch, dtype=torch.bfloat16, layout=torch.channels_last):
        """Measures images a second at one batch; one that fails (memory, mostly) is recorded as failed. Whether it worked."""
        record = {"what": "forward", "network": self.name, "how": how, "batch": batch}
        start = time.monotonic()
        try:
            with torch.inference_mode():
                inputs = self.inputs(batch, dtype, layout)
                out = run(*inputs)
                error = max(relative_error(end, self.reference) for end in (out[:4], out[-4:]))
                del out
                if not error < WRONG:
                    raise ValueError(f"the output is {error:.2g} off the float32 one")
                ready = time.monotonic() - start
                ms = self.session.median_ms(lambda: run(*inputs), 1.5)
            images = 1e3 * batch / ms
            memory = 0 if self.session.dry else torch.cuda.max_memory_reserved() / 2**30
            self.session.emit(**record, ms=ms, images_s=images, tflops=images * self.flops / 1e12, error=error, ready_s=ready, gib=memory)
            worked = True
        except Exception as failure:  # the next batch may well work
            self.session.emit(**record, failed=reason(failure))
            worked = False
        if not self.session.dry:
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        return worked


def eager(session, name):
    """PyTorch as it comes: channels_last at all batches, then plain NCHW, then as the published certification code runs it."""
    subject = Subject(session, name)
    network = subject.converted(torch.bfloat16, torch.channels_last)
    batches = [4] if session.dry else BATCHES[name]
    for batch in batches:
        subject.forward(network, "eager", batch)
    network = subject.converted(torch.bfloat16, torch.contiguous_format)
    subject.forward(network, "eager NCHW", batches[0], layout=torch.contiguous_format)
    network = subject.converted(torch.float16, torch.contiguous_format)
    for block in network.modules():
        if isinstance(block, Block):
            block.as_released = True
    released = 4 if session.dry else RELEASED_BATCH
    subject.forward(network, "eager NCHW fp16, attention fp32", released, torch.float16, torch.contiguous_format)


def compiled(session, name, mode):
    """torch.compile with freezing; each batch is compiled by itself, so the further ones only while time is left."""
    import torch._inductor.config
    torch._inductor.config.freezing = True
    subject = Subject(session, name)
    network = subject.converted(torch.bfloat16, torch.channels_last)
    # Without a GPU the graph is captured, which is what can go wrong here, and then run as it is.
    backend = {"backend": "eager"} if session.dry else {"mode": mode}
    run = torch.compile(network, fullgraph=True, dynamic=False, **backend)
    how, longest = f"compile {mode}", 0
    for batch in [4] if session.dry else BATCHES[name]:
        if session.left() < longest:
            break
        start = time.monotonic()
        if not subject.forward(run, how, batch) and longest == 0:
            torch._inductor.config.freezing, how = False, f"compile {mode}, not frozen"
            torch._dynamo.reset()
            subject.forward(run, how, batch)
        longest = time.monotonic() - start


def train(session, name):
    """One training step (float32 weights, bf16 autocast, fused Adam, channels_last), eager and then compiled."""
    subject = Subject(session, name)
    network = subject.network.train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-4, fused=not session.dry)
    batch = 4 if session.dry else 264
    inputs = subject.inputs(batch, torch.float32, torch.channels_last)
    target = torch.randn_like(inputs[0])
    for how in ["train eager"] if session.dry else ["train eager", "train compile default"]:
        run = torch.compile(network, fullgraph=True, dynamic=False) if "compile" in how else network

        def step():
            with torch.autocast(session.device.type, torch.bfloat16):
                loss = F.mse_loss(run(*inputs), target)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()

        ms = session.median_ms(step, 2)
        images = 1e3 * batch / ms
        session.emit(what="train", network=name, how=how, batch=batch, ms=ms, images_s=images, tflops=3 * images * subject.flops / 1e12)


# Most valuable first: (name, seconds it may take, what it does).
CIFAR, ADM = PUBLISHED
PARTS = [
    ("card", 40, card),
    ("convs", 40, lambda session: convs(session, CIFAR_CONVS, [264, 1056])),
    ("cifar-eager", 50, lambda session: eager(session, CIFAR)),
    ("cifar-compile", 90, lambda session: compiled(session, CIFAR, "default")),
    ("adm-eager", 60, lambda session: eager(session, ADM)),
    ("adm-compile", 120, lambda session: compiled(session, ADM, "default")),
    ("cifar-autotune", 180, lambda session: compiled(session, CIFAR, "max-autotune-no-cudagraphs")),
    ("adm-convs", 40, lambda session: convs(session, ADM_CONVS, [264])),
    ("adm-autotune", 300, lambda session: compiled(session, ADM, "max-autotune-no-cudagraphs")),
    ("cifar-graphs", 90, lambda session: compiled(session, CIFAR, "reduce-overhead")),
    ("cifar-train", 120, lambda session: train(session, CIFAR)),
]


def run_part(name, dry, seconds, emit):
    """Runs one part in this process."""
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = False  # float32 is only ever the reference here
    session = Session(dry, seconds, emit)
    with torch.inference_mode() if name in ("card", "convs", "adm-convs") else torch.enable_grad():
        {part: do for part, _, do in PARTS}[name](session)
