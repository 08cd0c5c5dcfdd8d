// The weights that training begins with: those of the published constructors (EDM, training/networks.py), drawn from a seed.
#pragma once

#include <cstdint>
#include <vector>

#include "unet/network.hpp"

namespace diffcert {

// Weight w of the network, in its published order; empty for one that is computed.
std::vector<float> initial_weight(const Network& network, WeightId w, std::uint64_t seed);

}  // namespace diffcert
