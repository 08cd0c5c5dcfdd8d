"""Gradients of the golden networks in float64, by PyTorch's differentiation of tests/gpu/published.py: what test_gradients holds the reference against.

    python3 gradients.py GOLDEN      GOLDEN: the folder with NAME.model.safetensors and NAME.io.safetensors; writes gradients/NAME.safetensors beside this file

The goldens' own gradients were recorded in float32, some 1e-6 to 1e-5 away from these; how far is printed. Tensors: grad_x (float32, rounded once) and
grad3.NAME in float64: sum, L2 norm, dot product with cos(0), cos(1), ... of a parameter's gradient, as the goldens have them. Needs torch.
"""
import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "gpu"))
from published import UNet, load, read_safetensors, write_safetensors  # noqa: E402

SIGMA_DATA = 0.5                      # EDM
BETA_D, BETA_MIN, M = 19.9, 0.1, 1000  # VP, iDDPM
C_1, C_2 = 0.001, 0.008               # iDDPM


def iddpm_levels():
    """u_0 > ... > u_M = 0 (Karras et al. 2022, table 1)."""
    j = torch.arange(M + 1, dtype=torch.float64)
    alpha_bar = torch.sin(math.pi / 2 * j / M / (C_2 + 1)) ** 2
    u = torch.zeros(M + 1, dtype=torch.float64)
    for i in range(M, 0, -1):
        u[i - 1] = ((u[i] ** 2 + 1) / max(float(alpha_bar[i - 1] / alpha_bar[i]), C_1) - 1).sqrt()
    return u


def preconditioning(name, sigma):
    """c_skip, c_out, c_in, c_noise (Karras et al. 2022, table 1)."""
    one = torch.ones_like(sigma)
    if name == "EDMPrecond":
        total = sigma**2 + SIGMA_DATA**2
        return SIGMA_DATA**2 / total, sigma * SIGMA_DATA / total.sqrt(), 1 / total.sqrt(), sigma.log() / 4
    if name == "VEPrecond":
        return one, sigma, one, (0.5 * sigma).log()
    c_in = 1 / (sigma**2 + 1).sqrt()
    if name == "VPPrecond":
        time = ((BETA_MIN**2 + 2 * BETA_D * (1 + sigma**2).log()).sqrt() - BETA_MIN) / BETA_D
        return one, -sigma, c_in, (M - 1) * time
    nearest = (sigma[:, None] - iddpm_levels()[None]).abs().argmin(1)
    return one, -sigma, c_in, (M - 1 - nearest).double()


def gradients(model, io):
    """By the image and by each parameter, under its published name and in its published order."""
    tensors, metadata = read_safetensors(model)
    given, _ = read_safetensors(io)
    config, precond = json.loads(metadata["config"]), metadata["precond"]
    network = UNet({**config, "dropout": 0.0}, 2 * config["img_channels"] if precond == "iDDPMPrecond" else None)
    load(network, tensors)
    network.double()
    x = given["x"].double().requires_grad_()
    c_skip, c_out, c_in, c_noise = preconditioning(precond, given["sigma"].double())
    label = None
    if config["label_dim"]:
        labels = given["labels"]
        label = F.one_hot(labels.clamp(min=0), config["label_dim"]).double() * (labels >= 0).double()[:, None]
    column = (slice(None), None, None, None)
    # The level is told in float32, here as in the published code; all else is float64.
    output = network(c_in[column] * x, c_noise.float().double(), label)[:, :config["img_channels"]]
    denoised = c_skip[column] * x + c_out[column] * output
    (given["cotangent"].double() * denoised).sum().backward()
    by_parameter = {}
    for name, parameter in network.named_parameters():
        gradient = torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
        if ".qkv." in name:
            heads = network.get_submodule(name.rsplit(".qkv.", 1)[0]).heads
            gradient = gradient.reshape(3, heads, -1, *gradient.shape[1:]).movedim(0, 2).reshape(gradient.shape)
        by_parameter["model." + name] = gradient
    return given, x.grad, by_parameter


def summary(gradient):
    flat = gradient.flatten()
    return torch.stack([flat.sum(), flat.norm(), flat @ torch.arange(len(flat), dtype=torch.float64).cos()])


def main():
    golden = Path(sys.argv[1])
    for io in sorted(golden.glob("*.io.safetensors")):
        name = io.name.removesuffix(".io.safetensors")
        given, by_image, by_parameter = gradients(golden / f"{name}.model.safetensors", io)
        kept = {"grad3." + key: summary(value) for key, value in by_parameter.items() if "grad3." + key in given}
        away = float((given["grad_x"].double() - by_image).norm() / by_image.norm())
        worst = max(float((given[key][1] - value[1]).abs() / value[1].clamp(min=1e-30)) for key, value in kept.items() if value[1] > 0)
        print(f"{name}: {len(kept)} parameters; the golden's float32 is away by {away:.1e} (grad_x), {worst:.1e} (worst norm of a parameter)")
        write_safetensors(HERE / "gradients" / f"{name}.safetensors", {"grad_x": by_image.float(), **kept})


main()
