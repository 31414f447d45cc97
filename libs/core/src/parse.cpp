#include "syncline/core/parse.h"

namespace syncline::core {

Result<bool> parse_bool(std::string_view text) {
    if (text == "true") {
        return true;
    }
    if (text == "false") {
        return false;
    }
    return fail(ErrorKind::malformed, "boolean_malformed", "neither true nor false");
}

}  // namespace syncline::core
