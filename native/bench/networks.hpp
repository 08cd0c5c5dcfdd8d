// Networks by name with random weights: the published sizes for the benchmark, small ones of every kind for the tests.
#pragma once

#include <string>
#include <vector>

#include "unet/network.hpp"

namespace diffcert::bench {

struct NamedConfig {
  std::string name;
  dc_network_config config;
};

// A configuration with the published constants of every preconditioner and the filter [1, 1]; sizes are the caller's.
dc_network_config published_constants();

// cifar10 (DDPM++, 55.7 M parameters), imagenet64 (ADM, 295.9 M), mnist (the shipped one's shape).
std::vector<NamedConfig> published_networks();
// Every architecture, preconditioner, encoder, decoder, embedding and filter once, in seconds on the float64 reference.
std::vector<NamedConfig> small_networks();

// Weights that keep the activations near 1: uniform, of variance 1 / fan-in; norms' gammas around 1.
void set_random_weights(Network& network);

}  // namespace diffcert::bench
