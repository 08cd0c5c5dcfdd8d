#!/usr/bin/env python3
"""What others reach on this GPU: matrix and copy rates, cuDNN's convolutions, PyTorch's forwards of the two published networks.

    peers.py [--minutes 6] [--parts A,B] OUT   measures; writes OUT/peers.json and OUT/peers.md after every part, OUT/peers.log
    peers.py --dry OUT                         the same code on tiny sizes on the CPU: everything up to the GPU
    peers.py --check DIR                       our PyTorch networks against the reference outputs in DIR (exit code 0 or 1)

Needs Python 3.9 and PyTorch 2.5 or later, nothing else, no network. Each part runs in a process of its own with its own limit, so that
one that fails or hangs costs its own figures only.
"""
import argparse
import datetime
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True


def check(folder):
    """Holds the networks against reference files NAME.model.safetensors and NAME.io.safetensors; the published sizes too."""
    import torch
    from peer_parts import counts
    from published import PUBLISHED, UNet, load, read_safetensors
    bad = 0

    def say(name, good, text):
        nonlocal bad
        bad += not good
        print(f"{'ok  ' if good else 'FAIL'} {name}: {text}", flush=True)

    for name, (config, parameters, flops) in PUBLISHED.items():
        counted, operations = counts(config)
        say(name, counted == parameters and abs(operations / flops - 1) < 1e-4, f"{counted:,} parameters, {operations / 1e9:.3f} GFLOP an image")
    models = sorted(pathlib.Path(folder).glob("*.model.safetensors"))
    if not models:
        say(folder, False, "holds no *.model.safetensors")
    for path in models:
        tensors, metadata = read_safetensors(path)
        case, _ = read_safetensors(str(path).replace(".model.", ".io."))
        config, wanted = json.loads(metadata["config"]), case["network_output"]
        network = UNet(config, wanted.shape[1]).eval()
        load(network, tensors)
        label = torch.zeros(len(wanted), config["label_dim"])
        for i, c in enumerate(case["labels"].tolist() if "labels" in case else []):
            if c >= 0:
                label[i, c] = 1
        with torch.inference_mode():
            out = network(case["network_input"], case["network_noise_label"], label)
        error = float((out - wanted).abs().max() / wanted.abs().max())
        say(path.name.removesuffix(".model.safetensors"), error < 1e-4, f"largest error {error:.1e} of the largest output")
    return 1 if bad else 0


class Results:
    """All records so far, and the two files they are written to."""

    def __init__(self, folder, dry):
        self.folder, self.dry, self.parts = folder, dry, []
        self.started = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def write(self):
        document = {"started": self.started, "dry": self.dry, "parts": self.parts}
        (self.folder / "peers.json").write_text(json.dumps(document, indent=1) + "\n")
        (self.folder / "peers.md").write_text(markdown(document))


def markdown(document):
    """The figures as tables, percentages of the rates measured in the same run."""
    from published import PUBLISHED
    records = [r for part in document["parts"] for r in part["records"]]
    of = {what: [r for r in records if r["what"] == what] for what in ("about", "matrix", "copy", "conv", "forward", "train")}
    rate = next((r["tflops"] for r in of["matrix"] if r["type"] == "bf16"), None)

    def percent(tflops):
        return f"{100 * tflops / rate:.1f}" if rate else "-"

    lines = [f"# What others reach on this GPU, {document['started'][:10]}", ""]
    if document["dry"]:
        lines += ["**dry: no GPU.** Tiny sizes on a CPU; the figures mean nothing.", ""]
    lines += [f"- {key}: {value}" for r in of["about"] for key, value in r.items() if key != "what"]
    lines += [f"- matrix product {r['type']}, {r['size']}^3, random data: {r['tflops']:.1f} TFLOP/s" for r in of["matrix"]]
    lines += [f"- copy, bytes read and written: {r['terabytes_s']:.2f} TB/s" for r in of["copy"]]
    lines += ["", "Medians of CUDA-event times; % are of the bf16 matrix product above.", ""]
    for network in PUBLISHED:
        for kind in ("eager", "compile"):
            rows = [r for r in of["forward"] if r["network"] == network and r["how"].startswith(kind) and "images_s" in r]
            if rows:
                best = max(rows, key=lambda r: r["images_s"])
                lines.append(f"- {network}, best of {kind}: {best['images_s']:,.0f} images/s ({best['how']}, batch {best['batch']})")
    lines.append("")
    if of["conv"]:
        lines += ["## cuDNN, 3x3, bf16, channels_last", "", "| shape | batch | us | TFLOP/s | % | error |", "|---|---|---|---|---|---|"]
        lines += [f"| {r['inputs']} -> {r['outputs']}, {r['side']}x{r['side']} | {r['batch']} | {1e3 * r['ms']:,.0f} | {r['tflops']:.1f} | "
                  f"{percent(r['tflops'])} | {r['error']:.1e} |" for r in of["conv"]]
        lines.append("")
    for network, (_, _, flops) in PUBLISHED.items():
        rows = [r for r in of["forward"] + of["train"] if r["network"] == network]
        if not rows:
            continue
        lines += [f"## {network}", ""]
        if rate and not document["dry"]:
            lines += [f"Floor, {flops / 1e9:.2f} GFLOP at the matrix product's rate: {1e12 * rate / flops:,.0f} images/s.", ""]
        lines += ["| how | batch | images/s | ms | useful TFLOP/s | % | error | ready after s | GiB |", "|---|---|---|---|---|---|---|---|---|"]
        best = max((r["images_s"] for r in rows if r["what"] == "forward" and "images_s" in r), default=0)
        for r in rows:
            if "failed" in r:
                lines.append(f"| {r['how']} | {r['batch']} | {r['failed'].replace('|', '/')} | | | | | | |")
                continue
            images = f"**{r['images_s']:,.0f}**" if r["images_s"] == best else f"{r['images_s']:,.0f}"
            forward = f"{r['error']:.1e} | {r['ready_s']:.1f} | {r['gib']:.0f}" if r["what"] == "forward" else " | | "
            lines.append(f"| {r['how']} | {r['batch']} | {images} | {r['ms']:.2f} | {r['tflops']:.1f} | {percent(r['tflops'])} | {forward} |")
        lines.append("")
    lines += ["## Parts", "", "| part | s | |", "|---|---|---|"]
    lines += [f"| {part['name']} | {part['seconds']:.0f} | {part['status'].replace('|', '/')} |" for part in document["parts"]]
    return "\n".join(lines) + "\n"


def brief(record):
    return ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in record.items())


def run(name, dry, seconds, log):
    """One part in a process of its own; its records come as lines, and those before a failure or the limit are kept."""
    part = {"name": name, "status": "done", "seconds": 0.0, "records": []}
    start = time.monotonic()
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), "--inside", name, "--seconds", str(seconds)] + (["--dry"] if dry else [])
    # A session of its own: compilers that the part starts are ended with it.
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, start_new_session=True)

    def listen():
        for line in process.stdout:
            if line.startswith('{"what"'):
                part["records"].append(json.loads(line))
                print("  " + brief(part["records"][-1]), flush=True)
            elif line.startswith("failed: "):
                part["status"] = line.strip()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        code = process.wait(timeout=seconds)
        if code != 0 and part["status"] == "done":
            part["status"] = f"failed: exit code {code}, see peers.log"
    except subprocess.TimeoutExpired:
        part["status"] = f"stopped at its limit of {seconds:.0f} s"
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    listener.join()
    part["seconds"] = time.monotonic() - start
    return part


def inside(name, dry, seconds):
    """The process of one part."""
    def emit(**record):
        print(json.dumps(record), flush=True)

    from peer_parts import reason, run_part
    try:
        run_part(name, dry, seconds, emit)
        return 0
    except Exception as failure:
        print(f"failed: {reason(failure)}", flush=True)
        raise


def measure(folder, dry, minutes, names):
    end = time.monotonic() + 60 * minutes
    import torch
    from peer_parts import PARTS
    unknown = set(names) - {name for name, _, _ in PARTS}
    if unknown:
        print(f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(name for name, _, _ in PARTS)}.", file=sys.stderr)
        return 2
    if not dry and not torch.cuda.is_available():
        print("PyTorch sees no GPU here; --dry does what can be done without one.", file=sys.stderr)
        return 4
    folder.mkdir(parents=True, exist_ok=True)
    results = Results(folder, dry)
    if dry:
        print("dry: no GPU. Tiny sizes on the CPU; the figures mean nothing.")
    with open(folder / "peers.log", "w") as log:
        for name, limit, _ in PARTS:
            left = end - time.monotonic()
            if names and name not in names:
                continue
            if left < 15:
                results.parts.append({"name": name, "status": "left out: no time", "seconds": 0.0, "records": []})
            else:
                print(f"{name} (at most {min(limit, left):.0f} s)", flush=True)
                results.parts.append(run(name, dry, min(limit, left), log))
                print(f"  {results.parts[-1]['status']}, {results.parts[-1]['seconds']:.0f} s", flush=True)
            results.write()
    failures = [f for part in results.parts for f in [part["name"]] if part["status"].startswith("failed")]
    failures += [part["name"] for part in results.parts if dry and any("failed" in r for r in part["records"])]
    print(f"Written: {folder / 'peers.md'}, {folder / 'peers.json'}" + (f". FAILED: {', '.join(failures)}" if failures else ""))
    return 1 if failures else 0


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("out", nargs="?", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=6)
    parser.add_argument("--parts", default="", help="only these, with commas between")
    parser.add_argument("--dry", action="store_true")
    parser.add_argument("--check", metavar="DIR")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--seconds", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.check:
        return check(options.check)
    if options.inside:
        return inside(options.inside, options.dry, options.seconds)
    if options.out is None:
        parser.error("name the folder for the results")
    return measure(options.out, options.dry, options.minutes, [name for name in options.parts.split(",") if name])


if __name__ == "__main__":
    sys.exit(main())
