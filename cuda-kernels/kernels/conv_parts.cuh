// What every fused convolution shares: how an input element is loaded, and how a sum becomes an output.
#pragma once

#include "kernels/device.cuh"
#include "kernels/math.cuh"
#include "kernels/smxx_conv.hpp"

namespace diffcert {

// The slice of one sample; an absent span stays absent.
template <class T>
DC_DEVICE Global<T> of_sample(const Span<T>& span, std::int64_t sample, std::int64_t size) {
  return span.data != nullptr ? Global<T>(span).part(sample * size, size) : Global<T>(span);
}

// One sample's inputs.
struct ConvSources {
  Global<const float> src0, src1, affine, skip0, skip1;

  DC_DEVICE ConvSources(const ConvParams& p, std::int64_t sample)
      : src0(of_sample(p.src[0], sample, area(p) * p.src_channels[0])),
        src1(of_sample(p.src[1], sample, area(p) * p.src_channels[1])),
        affine(of_sample(p.affine, sample, 2 * (p.src_channels[0] + p.src_channels[1]))),
        skip0(of_sample(p.skip[0], sample, std::int64_t{1} * p.out_height * p.out_width * p.skip_channels[0])),
        skip1(of_sample(p.skip[1], sample, std::int64_t{1} * p.out_height * p.out_width * p.skip_channels[1])) {}

  DC_DEVICE static std::int64_t area(const ConvParams& p) { return std::int64_t{1} * p.height * p.width; }

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

// scale * (((sum + bias) + shift) + residual).
struct ConvFinish {
  Global<const float> bias, shift, first, second;
  Global<float> out;

  DC_DEVICE ConvFinish(const ConvParams& p, std::int64_t sample)
      : bias(p.bias),
        shift(of_sample(p.shift, sample, p.out_channels)),
        first(of_sample(p.residual[0], sample, std::int64_t{1} * p.residual_height * p.residual_width * p.residual_channels[0])),
        second(of_sample(p.residual[1], sample, std::int64_t{1} * p.residual_height * p.residual_width * p.residual_channels[1])),
        out(of_sample(p.out, sample, std::int64_t{1} * p.out_height * p.out_width * p.out_channels)) {}

  DC_DEVICE static float residual_at(const ConvParams& p, const Global<const float>& part, int channels, int y, int x, int c) {
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
    out[(std::int64_t{1} * y * p.out_width + x) * p.out_channels + o] = p.scale * v;
  }
};

}  // namespace diffcert
