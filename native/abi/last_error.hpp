// The sentence of the last failure on this thread, which dc_last_error returns.
#pragma once

#include <string_view>

namespace diffcert {

// Keeps the sentence (cut to 1,000 bytes, so that it cannot fail for want of memory).
void set_last_error(std::string_view message) noexcept;

}  // namespace diffcert
