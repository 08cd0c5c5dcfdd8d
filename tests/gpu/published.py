"""The published networks (Karras et al. 2022, "EDM": SongUNet for DDPM++ and NCSN++, DhariwalUNet for ADM) in plain PyTorch.

They are what peers.py measures: the network a user of PyTorch would run, written for speed as such a user would (weights converted
once, SDPA attention, box filters as pooling and nearest upsampling), with the published names of all parameters. Needs torch alone.
"""
import json
import math
import struct

import torch
import torch.nn as nn
import torch.nn.functional as F

CIFAR10 = {"model_type": "SongUNet", "img_resolution": 32, "img_channels": 3, "label_dim": 10, "augment_dim": 9, "model_channels": 128,
           "channel_mult": [2, 2, 2], "num_blocks": 4, "attn_resolutions": [16], "dropout": 0.13}
IMAGENET64 = {"model_type": "DhariwalUNet", "img_resolution": 64, "img_channels": 3, "label_dim": 1000, "model_channels": 192,
              "channel_mult": [1, 2, 3, 4], "num_blocks": 3, "attn_resolutions": [32, 16, 8], "dropout": 0.1}
# Parameters, and FLOPs of one forward of one image (two a multiply-add; convolutions in their direct form).
PUBLISHED = {"cifar10-ddpmpp-cond": (CIFAR10, 55_735_299, 42.380e9), "imagenet64-adm": (IMAGENET64, 295_899_267, 219.315e9)}


class Conv(nn.Module):
    """A convolution with resampling before it; kernel 0 resamples only. `late` filters after the convolution, as aux_residual does."""

    def __init__(self, inputs, outputs, kernel, up=False, down=False, taps=(1, 1), late=False):
        super().__init__()
        self.up, self.down, self.late, self.padding = up, down, late, kernel // 2
        self.box = tuple(taps) == (1, 1)
        self.weight = nn.Parameter(torch.empty(outputs, inputs, kernel, kernel)) if kernel else None
        self.bias = nn.Parameter(torch.empty(outputs)) if kernel else None
        if kernel:
            bound = 1 / math.sqrt(inputs * kernel * kernel)
            nn.init.uniform_(self.weight, -bound * math.sqrt(3), bound * math.sqrt(3))
            nn.init.uniform_(self.bias, -bound, bound)
        if (up or down) and not self.box:
            line = torch.tensor(taps, dtype=torch.float32) / sum(taps)
            self.register_buffer("taps", torch.outer(line, line), persistent=False)

    def filtered(self, x, padding):
        weight = (self.taps * (4 if self.up else 1)).to(x.dtype).expand(x.shape[1], 1, -1, -1)
        apply = F.conv_transpose2d if self.up else F.conv2d
        return apply(x, weight, stride=2, padding=padding, groups=x.shape[1])

    def resampled(self, x):
        if not self.box:
            return self.filtered(x, (self.taps.shape[0] - 1) // 2)
        return F.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else F.avg_pool2d(x, 2)

    def forward(self, x):
        if self.late:
            border = (self.taps.shape[0] - 1) // 2
            x = self.filtered(F.conv2d(x, self.weight, padding=self.padding + border), 0)
            return x + self.bias[:, None, None]
        if self.up or self.down:
            x = self.resampled(x)
        return x if self.weight is None else F.conv2d(x, self.weight, self.bias, padding=self.padding)


def group_norm(channels, eps):
    return nn.GroupNorm(min(32, channels // 4), channels, eps)


class Block(nn.Module):
    """Norm, convolution, embedding, norm, convolution, shortcut, and attention where there are heads."""

    def __init__(self, inputs, outputs, features, eps, skip_scale, heads, adaptive, project, dropout, up=False, down=False, taps=(1, 1)):
        super().__init__()
        self.adaptive, self.skip_scale, self.heads, self.dropout, self.as_released = adaptive, skip_scale, heads, dropout, False
        self.norm0 = group_norm(inputs, eps)
        self.conv0 = Conv(inputs, outputs, 3, up, down, taps)
        self.affine = nn.Linear(features, outputs * (2 if adaptive else 1))
        self.norm1 = group_norm(outputs, eps)
        self.conv1 = Conv(outputs, outputs, 3)
        self.skip = None
        if inputs != outputs or up or down:
            self.skip = Conv(inputs, outputs, 1 if project or inputs != outputs else 0, up, down, taps)
        if heads:
            self.norm2 = group_norm(outputs, eps)
            self.qkv = Conv(outputs, 3 * outputs, 1)
            self.proj = Conv(outputs, outputs, 1)

    def attend(self, x):
        """Rows of qkv are q, k, v, each by head (the published order, q k v within a channel, is changed when weights are loaded)."""
        images, channels, height, width = x.shape
        qkv = self.qkv(self.norm2(x)).permute(0, 2, 3, 1).reshape(images, height * width, 3, self.heads, channels // self.heads)
        q, k, v = (qkv[:, :, i].transpose(1, 2) for i in range(3))
        if self.as_released:  # products in the network's type, the map and its softmax in float32
            logits = q.float() @ k.float().transpose(2, 3) / math.sqrt(q.shape[3])
            mixed = logits.softmax(3).to(v.dtype) @ v
        else:
            mixed = F.scaled_dot_product_attention(q, k, v)
        return self.proj(mixed.transpose(1, 2).reshape(images, height, width, channels).permute(0, 3, 1, 2))

    def forward(self, x, features):
        h = self.conv0(F.silu(self.norm0(x)))
        modulation = self.affine(features)[:, :, None, None]
        if self.adaptive:
            scale, shift = modulation.chunk(2, dim=1)
            h = F.silu(torch.addcmul(shift, self.norm1(h), scale + 1))
        else:
            h = F.silu(self.norm1(h + modulation))
        h = self.conv1(F.dropout(h, self.dropout, self.training))
        h = (h + (x if self.skip is None else self.skip(x))) * self.skip_scale
        return (self.attend(h) + h) * self.skip_scale if self.heads else h


class UNet(nn.Module):
    """Either network, from EDM's configuration. forward(image, noise label, one-hot class label) as the preconditioning calls it."""

    def __init__(self, config, outputs=None):
        super().__init__()
        get = config.get
        self.song = config["model_type"] == "SongUNet"
        self.fourier = get("embedding_type", "positional") == "fourier"
        self.residual = get("encoder_type", "standard") == "residual"
        if get("encoder_type", "standard") == "skip" or get("decoder_type", "standard") == "skip":
            raise ValueError("networks with skip encoders or decoders are not among the published ones")
        width, side, colours, label_dim = config["model_channels"], config["img_resolution"], config["img_channels"], config["label_dim"]
        taps = tuple(get("resample_filter", (1, 1)))
        features = width * get("channel_mult_emb", 4)
        self.noise_channels = width * (get("channel_mult_noise", 1) if self.song else 1)
        if self.fourier:
            self.map_noise = nn.Module()
            self.map_noise.register_buffer("freqs", torch.randn(self.noise_channels // 2) * 16)
        self.label_scale = math.sqrt(label_dim) if self.song else 1.0
        self.map_label = None
        if label_dim:
            self.map_label = nn.Linear(label_dim, self.noise_channels if self.song else features, bias=self.song)
        if get("augment_dim", 0):  # held, as published; unused, since augmentation labels are zero
            self.map_augment = nn.Linear(config["augment_dim"], self.noise_channels, bias=False)
        self.map_layer0 = nn.Linear(self.noise_channels, features)
        self.map_layer1 = nn.Linear(features, features)
        eps, skip_scale = (1e-6, math.sqrt(0.5)) if self.song else (1e-5, 1.0)

        def block(inputs, outputs, attention, **resampling):
            heads = (1 if self.song else outputs // 64) if attention else 0
            return Block(inputs, outputs, features, eps, skip_scale, heads, not self.song, self.song, get("dropout", 0.0), taps=taps,
                         **resampling)

        mults, blocks, attends = config["channel_mult"], config["num_blocks"], get("attn_resolutions", [])
        self.enc, self.dec, skips = nn.ModuleDict(), nn.ModuleDict(), []
        channels, aux = width if self.song else width * mults[0], colours
        for level, mult in enumerate(mults):
            size = side >> level
            if level == 0:
                self.enc[f"{size}x{size}_conv"] = Conv(colours, channels, 3)
            else:
                self.enc[f"{size}x{size}_down"] = block(channels, channels, False, down=True)
                if self.residual:
                    self.enc[f"{size}x{size}_aux_residual"] = Conv(aux, channels, 3, down=True, taps=taps, late=True)
                    aux = channels
            skips.append(channels)
            for i in range(blocks):
                self.enc[f"{size}x{size}_block{i}"] = block(channels, width * mult, size in attends)
                channels = width * mult
                skips.append(channels)
        for level in reversed(range(len(mults))):
            size = side >> level
            if level == len(mults) - 1:
                self.dec[f"{size}x{size}_in0"] = block(channels, channels, True)
                self.dec[f"{size}x{size}_in1"] = block(channels, channels, False)
            else:
                self.dec[f"{size}x{size}_up"] = block(channels, channels, False, up=True)
            for i in range(blocks + 1):
                attention = size in attends and (i == blocks or not self.song)
                self.dec[f"{size}x{size}_block{i}"] = block(channels + skips.pop(), width * mults[level], attention)
                channels = width * mults[level]
        outputs = outputs or colours
        if self.song:
            self.dec[f"{side}x{side}_aux_norm"] = group_norm(channels, eps)
            self.dec[f"{side}x{side}_aux_conv"] = Conv(channels, outputs, 3)
        else:
            self.out_norm, self.out_conv = group_norm(channels, eps), Conv(channels, outputs, 3)

    def embedding(self, noise, label):
        half = self.noise_channels // 2
        wide = torch.promote_types(torch.float32, self.map_layer0.weight.dtype)
        if self.fourier:
            freqs = 2 * math.pi * self.map_noise.freqs.to(wide)
        else:
            freqs = 1e4 ** -(torch.arange(half, device=noise.device, dtype=wide) / (half - (1 if self.song else 0)))
        angle = noise.to(wide)[:, None] * freqs
        waves = (angle.sin(), angle.cos()) if self.song else (angle.cos(), angle.sin())
        x = torch.cat(waves, dim=1).to(self.map_layer0.weight.dtype)
        if self.song:
            if self.map_label is not None:
                x = x + self.map_label(label.to(x.dtype) * self.label_scale)
            return F.silu(self.map_layer1(F.silu(self.map_layer0(x))))
        x = self.map_layer1(F.silu(self.map_layer0(x)))
        return F.silu(x if self.map_label is None else x + self.map_label(label.to(x.dtype)))

    def forward(self, image, noise, label):
        features = self.embedding(noise, label)
        x = aux = image
        skips = []
        for name, layer in self.enc.items():
            if name.endswith("_conv"):
                x = layer(x)
            elif name.endswith("_aux_residual"):
                x = aux = (x + layer(aux)) * math.sqrt(0.5)
                skips[-1] = x
                continue
            else:
                x = layer(x, features)
            skips.append(x)
        for name, layer in self.dec.items():
            if name.endswith("_aux_norm"):
                x = F.silu(layer(x))
            elif name.endswith("_aux_conv"):
                x = layer(x)
            else:
                x = layer(torch.cat([x, skips.pop()], dim=1) if "_block" in name else x, features)
        return x if self.song else self.out_conv(F.silu(self.out_norm(x)))


def load(network, tensors):
    """Gives a network its published tensors (names with the prefix `model.`); any missing or unknown name is an error."""
    ours = {}
    for name, value in tensors.items():
        name = name.removeprefix("model.")
        if name.endswith("resample_filter") or name == "u":  # follow from the configuration
            continue
        if ".qkv." in name:
            heads = network.get_submodule(name.rsplit(".qkv.", 1)[0]).heads
            value = value.reshape(heads, -1, 3, *value.shape[1:]).movedim(2, 0).reshape(value.shape)
        ours[name] = value
    network.load_state_dict(ours, strict=True)


def tensors_of(network):
    """A network's tensors under their published names and in their published order: what `load` takes."""
    published = {}
    for name, value in network.state_dict().items():
        if ".qkv." in name:
            heads = network.get_submodule(name.rsplit(".qkv.", 1)[0]).heads
            value = value.reshape(3, heads, -1, *value.shape[1:]).movedim(0, 2).reshape(value.shape)
        published["model." + name] = value
    return published


def write_safetensors(path, tensors, metadata=None):
    """A safetensors file; metadata are strings by name."""
    kinds = {torch.float32: "F32", torch.float64: "F64", torch.float16: "F16", torch.int64: "I64"}
    header, blobs, at = {"__metadata__": metadata} if metadata else {}, [], 0
    for name, tensor in tensors.items():
        blob = bytes(tensor.cpu().contiguous().flatten().view(torch.uint8).tolist())
        header[name] = {"dtype": kinds[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    """The tensors and the metadata of a safetensors file."""
    kinds = {"F32": torch.float32, "F64": torch.float64, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
    with open(path, "rb") as file:
        size, = struct.unpack("<Q", file.read(8))
        header, data = json.loads(file.read(size)), bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        # Cloned, since a tensor of 8-byte values may begin anywhere in the file.
        tensors[name] = torch.frombuffer(bytearray(data[begin:end]), dtype=kinds[entry["dtype"]]).reshape(entry["shape"])
    return tensors, metadata
