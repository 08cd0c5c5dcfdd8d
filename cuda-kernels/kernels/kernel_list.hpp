// Every kernel, once: its name and the struct it takes. A new family adds its header and its lines here; the launchers' typed calls, the
// tables of the CUDA library and of the emulator, and a number for what each compiler makes of the structs follow.
#pragma once

#include <cstdint>

#include "kernels/sm80_attention.hpp"
#include "kernels/sm80_attention_backward.hpp"
#include "kernels/sm80_conv.hpp"
#include "kernels/sm80_learn.hpp"
#include "kernels/sm90_conv.hpp"
#include "kernels/smxx_adam.hpp"
#include "kernels/smxx_attention.hpp"
#include "kernels/smxx_attention_backward.hpp"
#include "kernels/smxx_conv.hpp"
#include "kernels/smxx_dropout.hpp"
#include "kernels/smxx_embedding.hpp"
#include "kernels/smxx_learn.hpp"
#include "kernels/smxx_norm.hpp"
#include "kernels/smxx_pack.hpp"
#include "kernels/smxx_precond.hpp"
#include "kernels/smxx_pull.hpp"
#include "kernels/smxx_resample.hpp"
#include "kernels/smxx_rows.hpp"
#include "kernels/smxx_table.hpp"
#include "kernels/smxx_vote.hpp"

#define DIFFCERT_KERNELS(X)     \
  X(pack_plain, PackParams)     \
  X(pack_tensor, TensorPackParams) \
  X(embed, EmbedParams)         \
  X(linear, LinearParams)       \
  X(stats, StatsParams)         \
  X(combine, CombineParams)     \
  X(norm, NormParams)           \
  X(resample, ResampleParams)   \
  X(add, AddParams)             \
  X(dropout, DropoutParams)     \
  X(scale, ScaleParams)         \
  X(denoised, DenoisedParams)   \
  X(attention, AttentionParams) \
  X(conv, ConvParams)           \
  X(tensor_attention_64, AttentionParams) \
  X(tensor_attention_128, AttentionParams) \
  X(tensor_attention_256, AttentionParams) \
  X(tensor_conv_64, TensorConvParams) \
  X(tensor_conv_128, TensorConvParams) \
  X(tensor_conv_192, TensorConvParams) \
  X(group_conv_64, GroupConvParams) \
  X(group_conv_96, GroupConvParams) \
  X(group_conv_128, GroupConvParams) \
  X(rows, RowsParams)           \
  X(residual, ResidualParams)   \
  X(gather, GatherParams)       \
  X(vote, VoteParams)           \
  X(pull_sums, PullSumsParams)  \
  X(pull, PullParams)           \
  X(norm_backward, NormBackwardParams) \
  X(attention_queries, AttentionBackwardParams) \
  X(attention_keys, AttentionBackwardParams) \
  X(tensor_attention_queries_64, AttentionBackwardParams) \
  X(tensor_attention_queries_128, AttentionBackwardParams) \
  X(tensor_attention_queries_256, AttentionBackwardParams) \
  X(tensor_attention_keys_64, AttentionBackwardParams) \
  X(tensor_attention_keys_128, AttentionBackwardParams) \
  X(tensor_attention_keys_256, AttentionBackwardParams) \
  X(tensor_attention_values_256, AttentionBackwardParams) \
  X(loaded, LoadedParams)       \
  X(conv_gradient, ConvGradientParams) \
  X(tensor_conv_gradient, ConvGradientParams) \
  X(linear_gradient, LinearGradientParams) \
  X(accumulate, AccumulateParams) \
  X(clear, ClearParams)         \
  X(adam_step, AdamParams)

namespace diffcert {

enum class Kernel : std::int32_t {
#define X(name, Params) name,
  DIFFCERT_KERNELS(X)
#undef X
};

template <Kernel kernel>
struct ParamsOf;
#define X(name, Params)           \
  template <>                     \
  struct ParamsOf<Kernel::name> { \
    using type = Params;          \
  };
DIFFCERT_KERNELS(X)
#undef X

// FNV-1a over names and sizes: equal for a core and a library whose compilers lay the same structs out alike.
constexpr std::uint64_t kernel_list_digest() {
  std::uint64_t hash = 0xcbf29ce484222325ull;
  const auto eat = [&](std::uint64_t v) { hash = (hash ^ v) * 0x100000001b3ull; };
#define X(name, Params)                               \
  for (const char* c = #name; *c != '\0'; ++c) eat(static_cast<std::uint64_t>(*c)); \
  eat(sizeof(Params));
  DIFFCERT_KERNELS(X)
#undef X
  return hash;
}

}  // namespace diffcert
