#include "src/runtime/command_line.h"

#include <CLI/CLI.hpp>

namespace syncline::kit {

CommandLine parse_command_line(const std::string& name, int argc, char** argv) {
    CommandLine line;
    CLI::App app("Syncline service", name);
    app.set_help_flag();
    app.add_flag("-h,--help", line.help, "Print this and every configuration key");
    app.add_option("-c,--config", line.config_file,
                   "YAML file with the configuration; SYNCLINE_<KEY> in the environment overrides it")
        ->envname("SYNCLINE_CONFIG")
        ->type_name("FILE");
    auto* modes = app.add_option_group("Instead of serving");
    modes->add_flag("--version", line.version, "Print the version");
    modes->add_flag("--check-config", line.check_config,
                    "Judge configuration, shops, mappings and secrets, print them as a table, exit 0 or 2");
    modes->add_flag("--describe", line.describe,
                    "Print what this service is made of as JSON: topics, groups, keys, metrics, retry policy");
    modes->add_flag("--migrate", line.migrate, "Bring the database schema up to date and exit");
    modes->require_option(0, 1);
    line.usage_text = app.help();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        line.wrong = error.what();
    }
    return line;
}

}  // namespace syncline::kit
