// How the core fails: by throwing Error, which the C ABI turns into a status code and one sentence for the user.
#pragma once

#include <stdexcept>
#include <string>

#include "diffcert/diffcert.h"

namespace diffcert {

class Error : public std::runtime_error {
 public:
  Error(dc_status why, const std::string& sentence) : std::runtime_error(sentence), status(why) {}
  const dc_status status;
};

// A condition that the caller answers for; the sentence is the user's.
inline void require(bool condition, const char* sentence) {
  if (!condition) throw Error(DC_BAD_ARGUMENT, sentence);
}

// A condition that we answer for.
inline void invariant(bool condition, const char* what) {
  if (!condition) throw Error(DC_INTERNAL, std::string("An invariant of diffcert is broken: ") + what + ".");
}

}  // namespace diffcert
