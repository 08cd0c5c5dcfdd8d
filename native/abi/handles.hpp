// What the opaque handle of a model is.
#pragma once

#include "unet/network.hpp"

struct dc_model {
  diffcert::Network network;
};
