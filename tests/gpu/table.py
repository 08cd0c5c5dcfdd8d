#!/usr/bin/env python3
"""One table of what diffcert-bench-device measured, beside the card's rates and the peers' figures of the same run.

    table.py FIGURES.tsv FOLDER OUT.md    FOLDER holds peers-*.json of peers.py; what is missing is left open in the table

Needs Python 3.9, no PyTorch. docs/spec/devices.md says what the columns mean.
"""
import json
import pathlib
import sys

# FLOPs of one forward of one image, the direct form (tests/gpu/published.py counts them), and the peers' names of the networks.
NETWORKS = {"cifar10": (42.380e9, "cifar10-ddpmpp-cond"), "imagenet64": (219.315e9, "imagenet64-adm")}
SAMPLES = 10_000 + 100


def records(folder):
    found = []
    for path in sorted(pathlib.Path(folder).glob("peers-*.json")):
        for part in json.loads(path.read_text())["parts"]:
            found += part["records"]
    return found


def rate(found, what, field, **wanted):
    for record in found:
        if record.get("what") == what and field in record and all(record.get(key) == value for key, value in wanted.items()):
            return record[field]
    return None


def share(value, of):
    return "" if not of or not value else f"{100 * value / of:.1f} %"


def row(*cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def head(*cells):
    return [row(*cells), row(*["---"] * len(cells))]


def operations(lines, found):
    matrix = rate(found, "matrix", "tflops", type="bf16")
    copy = rate(found, "copy", "terabytes_s")
    out = ["## Operations", ""]
    out.append(f"Percentages are of this card's measured rates: {matrix:.0f} TFLOP/s (bf16 product), {copy:.2f} TB/s (copy)." if matrix and copy else
               "The card's matrix and copy rates were not measured in this run.")
    out += ["cuDNN: the same shape and batch through PyTorch, bf16, channels_last, all algorithms tried; above 1.00 ours is faster.", ""]
    out += head("convolution 3x3", "form", "batch", "us", "TFLOP/s", "of matrix rate", "GB/s", "of copy rate", "cuDNN us", "times cuDNN")
    for _, name, form, batch, us, flops, size in lines:
        us, tflops, gigabytes = float(us), float(flops) / float(us) / 1e6, float(size) / float(us) / 1e3
        channels, side = name.split()
        inputs, outputs = (int(v) for v in channels.split("->"))
        peer = rate(found, "conv", "ms", inputs=inputs, outputs=outputs, side=int(side.split("x")[0]), batch=int(batch)) if form == "bf16" else None
        out.append(row(name, form, batch, f"{us:.1f}", f"{tflops:.1f}", share(tflops, matrix), f"{gigabytes:.0f}", share(gigabytes / 1e3, copy),
                       f"{1e3 * peer:.1f}" if peer else "", f"{1e3 * peer / us:.2f}" if peer else ""))
    return out


def small_cases(lines):
    out = ["", "## Op cases", "", "One sample, float32: what a launch costs, not what the card can do.", ""] + head("case", "us")
    return out + [row(line[1], f"{float(line[4]):.1f}") for line in lines]


def forwards(lines, found):
    out = ["", "## Whole forwards", ""] + head("network", "who", "batch", "images/s", "with the host", "useful TFLOP/s", "times the best compiled")
    for name, (flops, peer_name) in NETWORKS.items():
        peers = [r for r in found if r.get("what") == "forward" and r.get("network") == peer_name and "images_s" in r]
        best = max((r["images_s"] for r in peers if "compile" in str(r.get("how"))), default=None)
        for line in (line for line in lines if line[1] == name):
            batch, ms, whole = int(line[3]), float(line[4]), float(line[5])
            images = batch / ms * 1e3 if ms > 0 else 0.0
            out.append(row(name, f"diffcert {line[2]}", batch, f"{images:,.0f}", f"{batch / whole * 1e3:,.0f}", f"{images * flops / 1e12:.0f}",
                           f"{images / best:.2f}" if best else ""))
        for r in peers:
            out.append(row(name, f"PyTorch, {r.get('how')}", r.get("batch"), f"{r['images_s']:,.0f}", "", f"{r['images_s'] * flops / 1e12:.0f}",
                           f"{r['images_s'] / best:.2f}" if best else ""))
    return out


def training(lines, found):
    out = ["", "## Training", "", "A step there and back by all weights, with the noise, Adam, the average and the new weights' way to the device.", ""]
    out += head("network", "who", "rows", "ms a step", "images/s")
    for _, name, form, rows, ms in lines:
        out.append(row(name, f"diffcert {form}", rows, f"{float(ms):.1f}", f"{int(rows) / float(ms) * 1e3:,.0f}"))
    for r in found:
        if r.get("what") == "train" and "images_s" in r:
            out.append(row(r.get("network"), f"PyTorch, {r.get('how')}", r.get("batch"), "", f"{r['images_s']:,.0f}"))
    return out


def certification(lines):
    out = ["", "## Certification", "", f"apndc-ensemble; seconds an image are extrapolated from the votes cast to {SAMPLES:,} (n0 = 100, n = 10,000).", ""]
    out += head("network", "form", "batch", "calls a vote", "votes", "in s", "votes/s", "s an image, extrapolated")
    for _, name, form, batch, votes, seconds, calls in lines:
        per_second = int(votes) / float(seconds)
        out.append(row(name, form, batch, calls, votes, f"{float(seconds):.1f}", f"{per_second:.2f}", f"{SAMPLES / per_second:,.0f}"))
    return out


def main():
    figures, folder, target = sys.argv[1:4]
    lines = [line.split("\t") for line in pathlib.Path(figures).read_text().splitlines() if "\t" in line]
    found = records(folder)

    def of(kind):
        return [line for line in lines if line[0] == kind]

    out = operations(of("conv"), found) + small_cases(of("case")) + forwards(of("forward"), found) + training(of("train"), found) + certification(of("certify"))
    pathlib.Path(target).write_text("\n".join(out) + "\n")
    print("\n".join(out))
    if not of("conv"):
        print("No operation was timed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
