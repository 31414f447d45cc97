// The command line every service has. Internal to the runtime; the only file that sees CLI11.
#pragma once

#include <string>

namespace syncline::kit {

struct CommandLine {
    std::string config_file;
    bool help = false;
    bool version = false;
    bool check_config = false;
    bool describe = false;
    bool migrate = false;
    std::string wrong;       // What is wrong with it; empty if nothing.
    std::string usage_text;  // Options and their meaning, for --help.
};

[[nodiscard]] CommandLine parse_command_line(const std::string& name, int argc, char** argv);

}  // namespace syncline::kit
