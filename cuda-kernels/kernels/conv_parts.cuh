// What every fused convolution shares: how an input element is loaded, and how a sum becomes an output. ConvSources and ConvFinish take one
// element and any feature; ConvVectors and ConvFinishVectors eight channels at a time, for kernels on tensor cores: there every feature is
// bf16 and every channel count a multiple of 8, so that eight channels never straddle two sources.
#pragma once

#include "kernels/device.cuh"
#include "kernels/feature.cuh"
#include "kernels/math.cuh"
#include "kernels/ptx.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {

// The slice of one sample; an absent span stays absent.
template <class T>
DC_DEVICE Global<T> of_sample(const Span<T>& span, std::int64_t sample, std::int64_t size) {
  return span.data != nullptr ? Global<T>(span).part(sample * size, size) : Global<T>(span);
}

// SiLU with the GPU's own exp2 and reciprocal: five instructions where swish() takes thirty; a relative error of 2^-20, which rounding to
// bf16 hides.
DC_DEVICE float quick_swish(float x) { return x * quick_reciprocal(1.0f + quick_exp2(-1.44269504f * x)); }

DC_DEVICE std::int64_t in_pixels(const ConvParams& p) { return std::int64_t{1} * p.height * p.width; }
DC_DEVICE std::int64_t out_pixels(const ConvParams& p) { return std::int64_t{1} * p.out_height * p.out_width; }
DC_DEVICE std::int64_t residual_pixels(const ConvParams& p) { return std::int64_t{1} * p.residual_height * p.residual_width; }

// One sample's inputs.
struct ConvSources {
  FeatureIn src0, src1, skip0, skip1;
  Global<const float> affine;

  DC_DEVICE ConvSources(const ConvParams& p, std::int64_t sample)
      : src0(feature_of_sample<FeatureIn>(p.src[0], sample, in_pixels(p) * p.src_channels[0])),
        src1(feature_of_sample<FeatureIn>(p.src[1], sample, in_pixels(p) * p.src_channels[1])),
        skip0(feature_of_sample<FeatureIn>(p.skip[0], sample, out_pixels(p) * p.skip_channels[0])),
        skip1(feature_of_sample<FeatureIn>(p.skip[1], sample, out_pixels(p) * p.skip_channels[1])),
        affine(of_sample(p.affine, sample, 2 * (p.src_channels[0] + p.src_channels[1]))) {}

  // Channel c of the concatenated sources, normed and activated.
  DC_DEVICE float loaded(const ConvParams& p, int y, int x, int c) const {
    const std::int64_t pixel = std::int64_t{1} * y * p.width + x;
    const float v = c < p.src_channels[0] ? src0[pixel * p.src_channels[0] + c] : src1[pixel * p.src_channels[1] + c - p.src_channels[0]];
    const bool normed = static_cast<bool>(affine);
    return activated(v, normed, normed ? affine[c] : 1.0f, normed ? affine[p.src_channels[0] + p.src_channels[1] + c] : 0.0f, p.silu);
  }

  // The map that the convolution sees: resampled, zero outside.
  DC_DEVICE float mapped(const ConvParams& p, int y, int x, int c) const {
    const int high = p.up2 ? p.height * 2 : p.down2 ? p.height / 2 : p.height;
    const int wide = p.up2 ? p.width * 2 : p.down2 ? p.width / 2 : p.width;
    if (y < 0 || x < 0 || y >= high || x >= wide) return 0.0f;
    if (p.up2) return loaded(p, y / 2, x / 2, c);
    if (!p.down2) return loaded(p, y, x, c);
    const float top = loaded(p, 2 * y, 2 * x, c) + loaded(p, 2 * y, 2 * x + 1, c);
    const float bottom = loaded(p, 2 * y + 1, 2 * x, c) + loaded(p, 2 * y + 1, 2 * x + 1, c);
    return (top + bottom) / 4.0f;
  }

  // Channel c of the concatenated skips, raw.
  DC_DEVICE float skip(const ConvParams& p, std::int64_t pixel, int c) const {
    return c < p.skip_channels[0] ? skip0[pixel * p.skip_channels[0] + c] : skip1[pixel * p.skip_channels[1] + c - p.skip_channels[0]];
  }
};

// One sample's output: scale * (((sum + bias) + shift) + residual).
struct ConvFinish {
  Global<const float> bias, shift;
  FeatureIn first, second;
  FeatureOut out;

  DC_DEVICE ConvFinish(const ConvParams& p, std::int64_t sample)
      : bias(p.bias),
        shift(of_sample(p.shift, sample, p.out_channels)),
        first(feature_of_sample<FeatureIn>(p.residual[0], sample, residual_pixels(p) * p.residual_channels[0])),
        second(feature_of_sample<FeatureIn>(p.residual[1], sample, residual_pixels(p) * p.residual_channels[1])),
        out(feature_of_sample<FeatureOut>(p.out, sample, out_pixels(p) * p.out_channels)) {}

  DC_DEVICE static float residual_at(const ConvParams& p, const FeatureIn& part, int channels, int y, int x, int c) {
    const auto at = [&](int ry, int rx) -> float { return part[(std::int64_t{1} * ry * p.residual_width + rx) * channels + c]; };
    if (p.residual_up2) return at(y / 2, x / 2);
    if (!p.residual_down2) return at(y, x);
    return ((at(2 * y, 2 * x) + at(2 * y, 2 * x + 1)) + (at(2 * y + 1, 2 * x) + at(2 * y + 1, 2 * x + 1))) / 4.0f;
  }

  DC_DEVICE void store(const ConvParams& p, int y, int x, int o, float sum) const {
    float v = sum + bias[o];
    if (shift) v = v + shift[o];
    if (first) {
      v = v + (o < p.residual_channels[0] ? residual_at(p, first, p.residual_channels[0], y, x, o)
                                          : residual_at(p, second, p.residual_channels[1], y, x, o - p.residual_channels[0]));
    }
    out.put((std::int64_t{1} * y * p.out_width + x) * p.out_channels + o, p.scale * v);
  }
};

// Inputs of the whole batch.
struct ConvVectors {
  HalfIn src0, src1, skip0, skip1;
  Global<const float> affine;

  DC_DEVICE explicit ConvVectors(const ConvParams& p) : src0(p.src[0]), src1(p.src[1]), skip0(p.skip[0]), skip1(p.skip[1]), affine(p.affine) {}
};

// Where a thread's eight channels of a step lie, and what is done to them.
struct Column {
  Global<const Bf16> map;
  std::int64_t pixels;  // of a sample
  int channels, c;      // of the map; the first of the eight
  bool there, raw;      // raw: they are taken as they lie

  DC_DEVICE Column(const ConvParams& p, const ConvVectors& in, bool skip, int channel)
      : map(skip ? channel < p.skip_channels[0] ? in.skip0.half : in.skip1.half : channel < p.src_channels[0] ? in.src0.half : in.src1.half),
        pixels(skip ? out_pixels(p) : in_pixels(p)) {
    const std::int32_t* const counts = skip ? p.skip_channels : p.src_channels;
    const bool second = channel >= counts[0];
    channels = counts[second ? 1 : 0];
    c = channel - (second ? counts[0] : 0);
    there = c < channels;
    raw = skip || (!static_cast<bool>(in.affine) && !p.silu);
  }
};

// The norm of eight channels of one sample, and what a load does to them: v -> silu(a v + b) with quick_swish.
struct LoadVectors {
  Eight a, b;
  bool normed, silu;

  DC_DEVICE LoadVectors(const ConvParams& p, const ConvVectors& in, std::int64_t sample, int c) : a{}, b{}, normed(in.affine), silu(p.silu) {
    if (!normed) return;
    const int channels = p.src_channels[0] + p.src_channels[1];
    a = eight_of(in.affine, sample * 2 * channels + c);
    b = eight_of(in.affine, sample * 2 * channels + channels + c);
  }
  DC_DEVICE Eight operator()(const Halves& raw) const {
    // One question for all eight: their chains of exp2 and reciprocal then run side by side.
    Eight v = unpacked(raw);
    if (normed) {
#pragma unroll
      for (int i = 0; i < 8; ++i) v.v[i] = fma(a.v[i], v.v[i], b.v[i]);
    }
    if (silu) {
#pragma unroll
      for (int i = 0; i < 8; ++i) v.v[i] = quick_swish(v.v[i]);
    }
    return v;
  }
};

// Outputs o to o + 7 of one sample, as ConvFinish: finished() gives them as they are stored.
struct ConvFinishVectors {
  Global<const float> bias, shift;
  HalfIn first, second;
  HalfOut out;

  DC_DEVICE ConvFinishVectors(const ConvParams& p, std::int64_t sample)
      : bias(p.bias),
        shift(of_sample(p.shift, sample, p.out_channels)),
        first(feature_of_sample<HalfIn>(p.residual[0], sample, residual_pixels(p) * p.residual_channels[0])),
        second(feature_of_sample<HalfIn>(p.residual[1], sample, residual_pixels(p) * p.residual_channels[1])),
        out(feature_of_sample<HalfOut>(p.out, sample, out_pixels(p) * p.out_channels)) {}

  DC_DEVICE static Eight residual_at(const ConvParams& p, const HalfIn& part, int channels, int y, int x, int c) {
    const auto at = [&](int ry, int rx) { return part.eight((std::int64_t{1} * ry * p.residual_width + rx) * channels + c); };
    if (p.residual_up2) return at(y / 2, x / 2);
    if (!p.residual_down2) return at(y, x);
    const Eight v00 = at(2 * y, 2 * x), v01 = at(2 * y, 2 * x + 1), v10 = at(2 * y + 1, 2 * x), v11 = at(2 * y + 1, 2 * x + 1);
    Eight mean;
#pragma unroll
    for (int i = 0; i < 8; ++i) mean.v[i] = ((v00.v[i] + v01.v[i]) + (v10.v[i] + v11.v[i])) / 4.0f;
    return mean;
  }

  DC_DEVICE Halves finished(const ConvParams& p, int y, int x, int o, const Eight& sums) const {
    Eight v = sums;
    const auto more = [&](const Eight& e) {
#pragma unroll
      for (int i = 0; i < 8; ++i) v.v[i] = v.v[i] + e.v[i];
    };
    more(eight_of(bias, o));
    if (shift) more(eight_of(shift, o));
    if (first) {
      more(o < p.residual_channels[0] ? residual_at(p, first, p.residual_channels[0], y, x, o)
                                      : residual_at(p, second, p.residual_channels[1], y, x, o - p.residual_channels[0]));
    }
#pragma unroll
    for (int i = 0; i < 8; ++i) v.v[i] = p.scale * v.v[i];
    return packed(v);
  }
  DC_DEVICE void store(const ConvParams& p, int y, int x, int o, const Halves& v) const {
    out.put((std::int64_t{1} * y * p.out_width + x) * p.out_channels + o, v);
  }
};

}  // namespace diffcert
