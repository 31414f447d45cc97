#include "src/runtime/version.h"

#include <syncline_version.h>

namespace syncline::kit {

std::string_view version() {
    return SYNCLINE_VERSION;
}
std::string_view source() {
    return SYNCLINE_SOURCE;
}

}  // namespace syncline::kit
