// Feature maps as kernels see them: numbers, whatever the map is kept in. FeatureIn and FeatureOut take float32 and bf16 (one uniform branch an
// access); HalfIn and HalfOut only bf16, for kernels that are launched on nothing else. Eight channels go in one access of 16 bytes (two of
// them in float32), where the first lies on a multiple of eight elements.
#pragma once

#include "kernels/bf16.cuh"
#include "kernels/device.cuh"

namespace diffcert {

struct alignas(16) Quad {
  float v[4];
};
struct Eight {
  float v[8];
};
// Eight bf16, as they lie in memory.
struct alignas(16) Halves {
  std::uint32_t word[4];
};

DC_DEVICE Eight unpacked(const Halves& h) {
  Eight out;
#pragma unroll
  for (int i = 0; i < 4; ++i) {
    out.v[2 * i] = as_float(h.word[i] << 16);
    out.v[2 * i + 1] = as_float(h.word[i] & 0xffff0000u);
  }
  return out;
}
DC_DEVICE Halves packed(const Eight& e) { return {{pack(e.v[0], e.v[1]), pack(e.v[2], e.v[3]), pack(e.v[4], e.v[5]), pack(e.v[6], e.v[7])}}; }

DC_DEVICE Eight eight_of(const Global<const float>& memory, std::int64_t i) {
  const Quad low = load_vector<Quad>(memory, i), high = load_vector<Quad>(memory, i + 4);
  return {{low.v[0], low.v[1], low.v[2], low.v[3], high.v[0], high.v[1], high.v[2], high.v[3]}};
}

struct HalfIn {
  Global<const Bf16> half;
  DC_DEVICE explicit HalfIn(const Global<const Bf16>& at) : half(at) {}
  DC_DEVICE explicit HalfIn(const FeatureSpan& s) : half(Span<const Bf16>{static_cast<const Bf16*>(s.data), s.count}) {}
  DC_DEVICE explicit operator bool() const { return static_cast<bool>(half); }
  DC_DEVICE HalfIn part(std::int64_t first, std::int64_t n) const { return HalfIn(half.part(first, n)); }
  DC_DEVICE float operator[](std::int64_t i) const { return to_float(half[i]); }
  DC_DEVICE Halves halves(std::int64_t i) const { return load_vector<Halves>(half, i); }
  DC_DEVICE Eight eight(std::int64_t i) const { return unpacked(halves(i)); }
};

struct HalfOut {
  Global<Bf16> half;
  DC_DEVICE explicit HalfOut(const Global<Bf16>& at) : half(at) {}
  DC_DEVICE explicit HalfOut(const FeatureSpan& s) : half(Span<Bf16>{static_cast<Bf16*>(s.data), s.count}) {}
  DC_DEVICE explicit operator bool() const { return static_cast<bool>(half); }
  DC_DEVICE HalfOut part(std::int64_t first, std::int64_t n) const { return HalfOut(half.part(first, n)); }
  DC_DEVICE void put(std::int64_t i, float v) const { half[i] = to_bf16(v); }
  DC_DEVICE void put(std::int64_t i, const Halves& v) const { store_vector(half, i, v); }
  DC_DEVICE void put(std::int64_t i, const Eight& v) const { put(i, packed(v)); }
};

struct FeatureIn {
  Global<const float> whole;  // one of the two is absent
  Global<const Bf16> half;
  DC_DEVICE FeatureIn(const Global<const float>& w, const Global<const Bf16>& h) : whole(w), half(h) {}
  DC_DEVICE explicit FeatureIn(const FeatureSpan& s)
      : whole(s.half ? Span<const float>{} : Span<const float>{static_cast<const float*>(s.data), s.count}),
        half(s.half ? Span<const Bf16>{static_cast<const Bf16*>(s.data), s.count} : Span<const Bf16>{}) {}
  DC_DEVICE explicit operator bool() const { return whole || half; }
  DC_DEVICE FeatureIn part(std::int64_t first, std::int64_t n) const {
    return half ? FeatureIn(whole, half.part(first, n)) : FeatureIn(whole.part(first, n), half);
  }
  DC_DEVICE float operator[](std::int64_t i) const { return half ? to_float(half[i]) : whole[i]; }
  DC_DEVICE Eight eight(std::int64_t i) const { return half ? unpacked(load_vector<Halves>(half, i)) : eight_of(whole, i); }
};

struct FeatureOut {
  Global<float> whole;  // one of the two is absent
  Global<Bf16> half;
  DC_DEVICE FeatureOut(const Global<float>& w, const Global<Bf16>& h) : whole(w), half(h) {}
  DC_DEVICE explicit FeatureOut(const FeatureSpan& s)
      : whole(s.half ? Span<float>{} : Span<float>{static_cast<float*>(s.data), s.count}),
        half(s.half ? Span<Bf16>{static_cast<Bf16*>(s.data), s.count} : Span<Bf16>{}) {}
  DC_DEVICE explicit operator bool() const { return whole || half; }
  DC_DEVICE FeatureOut part(std::int64_t first, std::int64_t n) const {
    return half ? FeatureOut(whole, half.part(first, n)) : FeatureOut(whole.part(first, n), half);
  }
  DC_DEVICE void put(std::int64_t i, float v) const {
    if (half) half[i] = to_bf16(v);
    else whole[i] = v;
  }
  DC_DEVICE void put(std::int64_t i, const Eight& v) const {
    if (half) {
      store_vector(half, i, packed(v));
    } else {
      store_vector(whole, i, Quad{{v.v[0], v.v[1], v.v[2], v.v[3]}});
      store_vector(whole, i + 4, Quad{{v.v[4], v.v[5], v.v[6], v.v[7]}});
    }
  }
};

// Numbers i to i + count - 1, count <= 8; all eight in wide accesses where `wide` says that they lie on a multiple of eight.
DC_DEVICE Eight some(const FeatureIn& in, std::int64_t i, int count, bool wide) {
  if (wide) return in.eight(i);
  Eight out{};
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    if (k < count) out.v[k] = in[i + k];
  }
  return out;
}
DC_DEVICE void put_some(const FeatureOut& out, std::int64_t i, int count, bool wide, const Eight& v) {
  if (wide) return out.put(i, v);
#pragma unroll
  for (int k = 0; k < 8; ++k) {
    if (k < count) out.put(i + k, v.v[k]);
  }
}

// The slice of one sample; an absent feature stays absent.
template <class Map>
DC_DEVICE Map feature_of_sample(const FeatureSpan& span, std::int64_t sample, std::int64_t size) {
  return span.data != nullptr ? Map(span).part(sample * size, size) : Map(span);
}

}  // namespace diffcert
